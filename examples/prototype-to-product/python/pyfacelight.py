# SPDX-License-Identifier: LGPL-2.1-or-later
"""pyfacelight: where the light on each face comes from, by a network of our own. The prototype; ../gstfacelight.cc is the product."""
import pathlib
import sys

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GLib, GObject, Gst, GstBase, Sightline

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "python"))
from onnxruntime_c import Runtime, Session  # Debian 12 has no package of ONNX Runtime for Python

SPEC = "width=32; height=32; model-color-format=gray; net-scale-factor=0.00392156862745098; scaling-filter=area; crop=square"
LABELS = ["left", "front", "right"]
PADS = [Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, Gst.Caps.from_string("video/x-raw"))
        for name, direction in (("sink", Gst.PadDirection.SINK), ("src", Gst.PadDirection.SRC))]


class FaceLight(GstBase.BaseTransform):
    __gstmetadata__ = ("Face light, a prototype", "Filter/Analyzer/Video", "Says where the light on each face comes from", "You")
    __gsttemplates__ = tuple(PADS)
    model = GObject.Property(type=str, nick="Model", blurb="File that light_network.py wrote", default="face-light.onnx")

    def do_start(self):
        try:
            self.session = Session(self.model, runtime=Runtime())  # the one that Sightline runs on
            self.spec = Sightline.PreprocessSpec.new(SPEC)
        except RuntimeError as error:
            return self.fail(error, False)
        return True

    def do_set_caps(self, incaps, _outcaps):
        self.caps = incaps
        return True

    def do_transform_ip(self, buffer):
        try:
            with Sightline.edit(buffer) as frame:
                faces = [each for each in frame.objects if each.label == "face"]
                if faces:
                    self.attach(frame, faces, self.run(buffer, faces))
        except (GLib.Error, RuntimeError) as error:
            return self.fail(error, Gst.FlowReturn.ERROR)
        return Gst.FlowReturn.OK

    def run(self, buffer, faces):
        """[n, 3]"""
        crops = Sightline.crop(buffer, faces, spec=self.spec, info=self.caps)  # all faces, in one pass over their pixels
        return self.session.run(crops.numpy())[0]

    def attach(self, frame, faces, lights):
        for face, light in zip(faces, lights):
            face, best = frame.edit_object(face), int(light.argmax())
            face.add_tensor("light", light)
            face.add_classification("light", LABELS[best], float(light[best]), best, self.get_name())

    def fail(self, error, result):
        self.message_full(Gst.MessageType.ERROR, Gst.StreamError.quark(), Gst.StreamError.FAILED, str(error), None, __file__, "", 0)
        return result


__gstelementfactory__ = ("pyfacelight", Gst.Rank.NONE, FaceLight)
