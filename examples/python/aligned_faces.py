#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes each face, turned upright as ArcFace wants it, as a picture: aligned_faces.py CLIP FOLDER, in the folder that holds models/"""
import pathlib
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, Sightline

FOLDER = pathlib.Path(sys.argv[2])


def write_faces(pad, buffer):
    frame = Sightline.frame(buffer)
    faces = [face for face in frame.objects if len(face.landmarks)]
    crops = Sightline.crop(buffer, faces, size=(112, 112), align="arcface-112", layout="nhwc", dtype="uint8", info=pad.get_current_caps())
    for face, pixels in zip(faces, crops.numpy()):  # where a network of your own would take them all at once
        (FOLDER / f"{frame.number:05}-{face.id}.ppm").write_bytes(b"P6 112 112 255\n" + pixels.tobytes())


Gst.init(None)
stages = " ! ".join(f"sightinfer config-file=models/face-{stage}.ini" for stage in ("detect", "landmarks"))
pipeline = Gst.parse_launch(f'filesrc location="{sys.argv[1]}" ! decodebin ! {stages} ! fakesink name=end')
Sightline.add_probe(pipeline.get_by_name("end").get_static_pad("sink"), write_faces)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    sys.exit(message.parse_error().gerror.message)
