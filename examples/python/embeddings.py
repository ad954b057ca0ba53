#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints each face's name and embedding: embeddings.py CLIP GALLERY [MODELS]"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, Sightline


def on_buffer(pad, info):  # reads only: in a Python probe a buffer is never writable
    frame = Sightline.buffer_get_frame(info.get_buffer())
    for face in (frame.get_object(i) for i in range(frame.get_n_objects() if frame else 0)):
        identity, embedding = face.get_identity(), face.find_tensor("embedding")
        if embedding:
            print(identity and identity.get_name() or "unknown", *embedding.get_floats())
    return Gst.PadProbeReturn.OK


Gst.init(None)
clip, gallery, models = (*sys.argv[1:], "models")[:3]
stages = [f'sightinfer config-file="{models}/face-{s}.ini"' for s in ("detect", "landmarks", "embed")]
pipeline = Gst.parse_launch(f'filesrc location="{clip}" ! decodebin ! {" ! ".join(stages)}'
                            f' ! sightmatch gallery="{gallery}" ! fakesink name=sink')
pad = pipeline.get_by_name("sink").get_static_pad("sink")
pad.add_probe(Gst.PadProbeType.BUFFER, on_buffer)
pipeline.set_state(Gst.State.PLAYING)
end = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if end.type == Gst.MessageType.ERROR:
    sys.exit(end.parse_error()[0].message)
