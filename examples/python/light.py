# SPDX-License-Identifier: LGPL-2.1-or-later
"""For sightpython: says of each object whether it is in the light, and how that changes.

gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! sightinfer config-file=models/face-detect.ini \
  ! sightpython module=examples/python/light.py function=Light per-object=true ! sightjson location=events.jsonl ! fakesink
"""
from gi.repository import Sightline


class Light:
    def __init__(self):
        self.usual = None  # what is kept from frame to frame

    def __call__(self, each, buffer, info):
        grey = float(Sightline.crop(buffer, each, size=(32, 32), info=info, color="gray", filter="area").numpy().mean())
        self.usual = grey if self.usual is None else 0.9 * self.usual + 0.1 * grey
        each.add_classification("light", "bright" if grey > 100 else "dark", confidence=grey / 255)
        each.user_data["light"] = {"now": grey, "usual": self.usual}
