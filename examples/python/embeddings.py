#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints each face's name and the 128 numbers of its embedding, in the folder that holds models/: embeddings.py CLIP GALLERY"""
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, Sightline


def print_faces(pad, buffer):
    for face in Sightline.frame(buffer).objects:
        if "embedding" in face.tensors:  # not every face has all landmarks in the picture
            print(face.identity.name or "unknown", *face.tensors["embedding"].numpy(), sep="\t")


Gst.init(None)
stages = " ! ".join(f"sightinfer config-file=models/face-{stage}.ini" for stage in ("detect", "landmarks", "embed"))
pipeline = Gst.parse_launch(f'filesrc location="{sys.argv[1]}" ! decodebin ! {stages} ! sightmatch gallery="{sys.argv[2]}" ! fakesink name=end')
Sightline.add_probe(pipeline.get_by_name("end").get_static_pad("sink"), print_faces)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    sys.exit(message.parse_error().gerror.message)
