# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results read and added from Python while a pipeline plays: in probes, and in an element written in Python."""

import gc
import time
import unittest
import weakref

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GLib, Gst, GstBase, Sightline  # noqa: E402

import numpy  # noqa: E402

Gst.init(None)
FRAMES = 20
SOURCE = f"videotestsrc num-buffers={FRAMES} ! video/x-raw,format=NV12,width=64,height=48 ! "


def play(pipeline):
    """What ended it: the last message."""
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    assert message is not None, "thirty seconds, and no end"
    return message


def play_to_the_end(pipeline):
    message = play(pipeline)
    assert message.type == Gst.MessageType.EOS, message.parse_error()


def pad_of(pipeline, name, pad="sink"):
    return pipeline.get_by_name(name).get_static_pad(pad)


def add_face(buffer, label="face"):
    with Sightline.edit(buffer) as frame:
        frame.add_object(label, box=(1, 2, 30, 40)).add_tensor("embedding", numpy.arange(128, dtype=numpy.float32))


class Probes(unittest.TestCase):
    def test_each_branch_of_a_tee_has_its_own_results(self):
        pipeline = Gst.parse_launch(SOURCE + "tee name=t  t. ! queue ! identity name=a ! fakesink name=end_a sync=false"
                                             "  t. ! queue ! identity name=b ! fakesink name=end_b sync=false")
        seen = {"a": [], "b": []}
        for name in "ab":
            Sightline.add_probe(pad_of(pipeline, name), lambda pad, buffer, name=name: add_face(buffer, name))
            Sightline.add_probe(pad_of(pipeline, "end_" + name), lambda pad, buffer, name=name: seen[name].append(
                [(each.label, float(each.tensors["embedding"].numpy().sum())) for each in Sightline.frame(buffer).objects]))
        play_to_the_end(pipeline)
        self.assertEqual(seen, {name: [[(name, 8128.0)]] * FRAMES for name in "ab"})

    def test_what_a_probe_keeps_stays_as_it_was(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink sync=false")
        kept = []

        def keep(pad, buffer):
            add_face(buffer)
            planes = Sightline.planes(buffer, pad.get_current_caps())
            kept.append((buffer, Sightline.frame(buffer), planes, planes[0].copy()))

        Sightline.add_probe(pad_of(pipeline, "a"), keep)
        play_to_the_end(pipeline)
        del pipeline
        gc.collect()
        self.assertEqual(len(kept), FRAMES)
        for buffer, frame, planes, copy in kept:
            self.assertEqual(Sightline.frame(buffer).objects[0].id, frame.objects[0].id)
            self.assertEqual(planes[0].tobytes(), copy.tobytes(), "somebody has written over it")

    def test_in_a_plain_probe_adding_raises_and_nothing_crashes(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink sync=false")
        codes = []

        def plain(_pad, info):
            try:
                Sightline.edit(info.get_buffer())
            except GLib.Error as error:
                codes.append(error.matches(Sightline.error_quark(), Sightline.Error.READ_ONLY))
            return Gst.PadProbeReturn.OK

        pad_of(pipeline, "a").add_probe(Gst.PadProbeType.BUFFER, plain)
        play_to_the_end(pipeline)
        self.assertEqual(codes, [True] * FRAMES)

    def test_what_a_probe_raises_is_an_error_on_the_bus(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink sync=false")
        Sightline.add_probe(pad_of(pipeline, "a"), lambda pad, buffer: buffer.no_such_thing)
        message = play(pipeline)
        self.assertEqual((message.type, message.src.get_name()), (Gst.MessageType.ERROR, "a"))
        error, details = message.parse_error()
        self.assertIn("a probe on pad sink: AttributeError: ", error.message)
        self.assertIn("pipeline_test.py", details)

    def test_a_probe_that_wants_to_end_the_program_ends_the_stream(self):
        for wanted in (SystemExit(3), KeyboardInterrupt(), ValueError("half a pair: \udc80, and \0")):
            pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink sync=false")

            def end(_pad, _buffer, wanted=wanted):
                raise wanted

            Sightline.add_probe(pad_of(pipeline, "a"), end)
            error, details = play(pipeline).parse_error()
            self.assertIn(f"a probe on pad sink: {type(wanted).__name__}: ", error.message)
            self.assertIn("in end", details)
            self.assertEqual("\\udc80, and \\0" in error.message, isinstance(wanted, ValueError))

    def test_what_cannot_be_called_is_no_probe(self):
        with self.assertRaisesRegex(TypeError, "function is a int"):
            Sightline.add_probe(Gst.ElementFactory.make("fakesink").get_static_pad("sink"), 5)

    def test_a_probe_says_what_becomes_of_the_buffer_and_goes(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink name=end sync=false")
        arrived = []

        class Function:
            calls = 0

            def __call__(self, _pad, _buffer):
                self.calls += 1
                return Gst.PadProbeReturn.REMOVE if self.calls == 5 else Gst.PadProbeReturn.DROP

        function = Function()
        gone = weakref.ref(function)
        Sightline.add_probe(pad_of(pipeline, "a"), function)
        del function
        Sightline.add_probe(pad_of(pipeline, "end"), lambda pad, buffer: arrived.append(buffer.pts))
        play_to_the_end(pipeline)
        self.assertIn(len(arrived), (FRAMES - 5, FRAMES - 4))
        wait_until(lambda: gone() is None)
        self.assertIsNone(gone(), "the function is kept")

    def test_a_probe_can_be_removed(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink sync=false")
        calls = []
        pad = pad_of(pipeline, "a")
        pad.remove_probe(Sightline.add_probe(pad, lambda pad, buffer: calls.append(1)))
        play_to_the_end(pipeline)
        self.assertEqual(calls, [])


class Marker(GstBase.BaseTransform):
    """An element that adds a face, as authors write it."""

    __gstmetadata__ = ("Marker", "Filter", "Adds a face", "Sightline's tests")
    __gsttemplates__ = (Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()),
                        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()))

    def do_transform_ip(self, buffer):
        add_face(buffer, "marked")
        return Gst.FlowReturn.OK


class Elements(unittest.TestCase):
    def test_an_element_in_python_adds_results(self):
        pipeline = Gst.parse_launch(SOURCE + "identity name=a ! fakesink name=end sync=false")
        before, after = pipeline.get_by_name("a"), pipeline.get_by_name("end")
        marker = Marker()
        pipeline.add(marker)
        before.unlink(after)
        self.assertTrue(before.link(marker) and marker.link(after))
        labels = []
        Sightline.add_probe(pad_of(pipeline, "end"),
                            lambda pad, buffer: labels.extend(each.label for each in Sightline.frame(buffer).objects))
        play_to_the_end(pipeline)
        self.assertEqual(labels, ["marked"] * FRAMES)


def wait_until(condition):
    for _ in range(100):
        gc.collect()
        if condition():
            return
        time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
