# SPDX-License-Identifier: LGPL-2.1-or-later
"""The element sightpython, in a process that runs Python and in one that does not."""

import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, Sightline  # noqa: E402

Gst.init(None)
FRAMES = 10
SOURCE = f"videotestsrc num-buffers={FRAMES} ! video/x-raw,format=NV12,width=64,height=48"

FUNCTIONS = """
    import beside
    import numpy
    from gi.repository import Gst, GstVideo, Sightline

    class Count:
        \"\"\"Keeps its count between calls; adds an object with it, and what it sees.\"\"\"

        def __init__(self):
            self.calls = 0

        def __call__(self, frame, buffer, info):
            self.calls += 1
            assert isinstance(frame, Sightline.Frame) and isinstance(buffer, Gst.Buffer) and isinstance(info, GstVideo.VideoInfo)
            y, uv = Sightline.planes(buffer, info)
            found = frame.add_object(f"call {self.calls}", box=(1, 2, 30, 40))
            found.add_tensor("crop", Sightline.crop(buffer, found, (8, 8), info=info).numpy())
            frame.user_data["mean"] = float(y.mean())
            frame.user_data["beside"] = beside.WORD

    count = 0

    def counting(frame, buffer, info):
        global count
        count += 1
        frame.user_data["count"] = count

    def track(each, buffer, info):
        each.track = each.class_id + 100

    def remove_next(each, buffer, info):
        with_others = Sightline.edit(buffer)
        for other in with_others.objects:
            if other.id > each.id:
                with_others.remove_object(other)

    def three(frame, buffer, info):
        for i in range(3):
            frame.add_object("one of three", i, box=(i, i, 5, 5))

    kept = []

    def keep(frame, buffer, info):
        kept.append((frame, buffer, frame.add_object("kept", box=(0, 0, 1, 1))))

    def fail(frame, buffer, info):
        frame.add_object("before", box=(0, 0, 1, 1))
        raise ValueError("no good")

    def say(frame, buffer, info):
        print("hello")

    def half(frame, buffer, info):
        raise ValueError("half a pair: \\udc80")

    def leave(frame, buffer, info):
        raise SystemExit(3)

    def give(frame, buffer, info):
        return 3

    def note_info(frame, buffer, info):
        frame.user_data["info"] = repr(info)

    number = 3

    class Broken:
        def __init__(self):
            raise OSError("cannot be made")
"""


def play(description):
    """The buffers that arrive, the warnings, and the error if there is one."""
    pipeline = Gst.parse_launch(description + " ! fakesink name=end sync=false")
    arrived, warnings, problem = [], [], None
    Sightline.add_probe(pipeline.get_by_name("end").get_static_pad("sink"), lambda pad, buffer: arrived.append(buffer))
    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.WARNING
    while True:
        message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, kinds)
        assert message is not None, "thirty seconds, and no end"
        if message.type == Gst.MessageType.WARNING:
            warnings.append(message.parse_warning())
            continue
        if message.type == Gst.MessageType.ERROR:
            problem = message.parse_error()
        break
    pipeline.set_state(Gst.State.NULL)
    return arrived, warnings, problem


class SightPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.module = cls.folder / "functions.py"
        cls.module.write_text(textwrap.dedent(FUNCTIONS), encoding="utf-8")
        (cls.folder / "beside.py").write_text("WORD = 'there'\n", encoding="utf-8")

    def element(self, function, *properties):
        return " ".join([f"sightpython module={self.module} function={function}", *properties])

    def frames(self, *elements):
        arrived, warnings, problem = play(" ! ".join([SOURCE, *elements]))
        self.assertIsNone(problem)
        self.assertEqual(warnings, [])
        self.assertEqual(len(arrived), FRAMES)
        return [Sightline.frame(buffer) for buffer in arrived]

    def test_a_function_sees_each_frame_and_adds_to_it_and_its_state_stays(self):
        frames = self.frames(self.element("Count"))
        self.assertEqual([frame.objects[0].label for frame in frames], [f"call {i + 1}" for i in range(FRAMES)])
        self.assertEqual((frames[0].width, frames[0].height, frames[0].user_data["beside"]), (64, 48, "there"))
        self.assertGreater(frames[0].user_data["mean"], 20)
        self.assertEqual(frames[0].objects[0].tensors["crop"].shape, (3, 8, 8))

    def test_elements_do_not_share_a_file_s_state(self):
        frames = self.frames(self.element("counting"), self.element("Count"), self.element("Count"))
        self.assertEqual([frame.user_data["count"] for frame in frames], list(range(1, FRAMES + 1)))
        self.assertEqual([each.label for each in frames[4].objects], ["call 5"] * 2)
        self.assertEqual(self.frames(self.element("counting"))[0].user_data["count"], 1)

    def test_a_function_sees_each_object(self):
        frames = self.frames(self.element("three"), self.element("track", "per-object=true"))
        self.assertEqual([each.track for each in frames[3].objects], [100, 101, 102])

    def test_an_object_that_was_taken_out_meanwhile_is_passed_over(self):
        frames = self.frames(self.element("three"), self.element("remove_next", "per-object=true"))
        self.assertEqual([len(frame.objects) for frame in frames], [1] * FRAMES)

    def test_in_another_branch_nothing_is_seen_of_it(self):
        pipeline = Gst.parse_launch(f"{SOURCE} ! tee name=t  t. ! queue ! {self.element('Count')} ! fakesink sync=false"
                                    "  t. ! queue ! fakesink name=end sync=false")
        counts = []
        Sightline.add_probe(pipeline.get_by_name("end").get_static_pad("sink"),
                            lambda pad, buffer: counts.append(len(Sightline.frame(buffer).objects)))
        pipeline.set_state(Gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        self.assertEqual((message.type, counts), (Gst.MessageType.EOS, [0] * FRAMES))

    def test_what_is_kept_stays_valid_and_cannot_be_changed(self):
        (self.folder / "keeper.py").write_text(self.module.read_text(encoding="utf-8"), encoding="utf-8")
        sys.path.append(str(self.folder))
        import keeper  # the very module that the element imports
        arrived, _, problem = play(f"{SOURCE} ! sightpython module=keeper function=keep")
        self.assertIsNone(problem)
        del arrived
        gc.collect()
        self.assertEqual(len(keeper.kept), FRAMES)
        for frame, buffer, found in keeper.kept:
            self.assertEqual(Sightline.frame(buffer).objects[0].id, found.id)
            with self.assertRaisesRegex(Exception, "can no longer be changed"):
                frame.add_object(box=(0, 0, 1, 1))

    def test_an_exception_ends_the_stream_with_its_traceback(self):
        arrived, _, (error, details) = play(f"{SOURCE} ! {self.element('fail')}")
        self.assertEqual(arrived, [])
        self.assertEqual(error.message, "functions.py:fail: ValueError: no good")
        self.assertIn(f"File \"{self.module}\", line", details)
        self.assertIn("raise ValueError", details)

    def test_or_the_frame_goes_on_and_says_so(self):
        arrived, warnings, problem = play(f"{SOURCE} ! {self.element('fail', 'on-error=continue unique-id=7 name=mine')}")
        self.assertIsNone(problem)
        self.assertEqual(len(arrived), FRAMES)
        for buffer in arrived:
            frame = Sightline.frame(buffer)
            self.assertEqual(frame.user_data["sightline-error:7"], "mine: functions.py:fail: ValueError: no good")
            self.assertEqual([each.label for each in frame.objects], ["before"])
        self.assertEqual(len(warnings), 1, "a warning is posted once while it stays the same")
        self.assertIn("raise ValueError", warnings[0].debug)

    def test_a_file_may_hold_what_asks_for_its_module(self):
        (self.folder / "records.py").write_text(textwrap.dedent("""
            from __future__ import annotations

            import dataclasses
            import logging
            import pickle

            @dataclasses.dataclass
            class Record:
                number: int = 0

            @dataclasses.dataclass
            class Keep:
                last: Record = dataclasses.field(default_factory=Record)

                def __call__(self, frame, buffer, info):
                    self.last = pickle.loads(pickle.dumps(Record(self.last.number + 1)))
                    frame.user_data["number"] = self.last.number
                    frame.user_data["logger"] = logging.getLogger(__name__).name.split("#")[0]
            """), encoding="utf-8")
        element = f"sightpython module={self.folder / 'records.py'} function=Keep"
        frames = self.frames(element, element)
        self.assertEqual([frame.user_data["number"] for frame in frames], list(range(1, FRAMES + 1)))
        self.assertEqual(frames[0].user_data["logger"], "records")
        gc.collect()
        self.assertEqual([name for name in sys.modules if name.startswith("records")], [], "kept for ever")

    def test_a_file_that_was_changed_is_read_again(self):
        path = self.folder / "changing.py"
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, False
        try:
            for word in ("aaa", "bbb"):  # of one size, within the second that a file's time of change counts in
                path.write_text(f"def mark(frame, buffer, info): frame.user_data['word'] = '{word}'", encoding="utf-8")
                os.utime(path, (10**9, 10**9))
                (frame, *_) = self.frames(f"sightpython module={path} function=mark")
                self.assertEqual(frame.user_data["word"], word)
        finally:
            sys.dont_write_bytecode = writes

    def test_an_exception_that_is_no_utf_8_is_told_all_the_same(self):
        _, _, (error, details) = play(f"{SOURCE} ! {self.element('half')}")
        self.assertEqual(error.message, "functions.py:half: ValueError: half a pair: \\udc80")
        self.assertIn("raise ValueError", details)

    def test_whatever_is_raised_or_returned_does_not_end_the_process(self):
        for function, words in (("leave", "SystemExit: 3"), ("give", "returned a int, expected nothing")):
            _, _, (error, _) = play(f"{SOURCE} ! {self.element(function)}")
            self.assertIn(words, error.message)

    def test_what_cannot_be_loaded_is_named(self):
        wrong = self.folder / "wrong.py"
        wrong.write_text("def f(:\n", encoding="utf-8")
        for description, words in (
                ("sightpython", "property module is not set"), (f"sightpython module={self.module}", "property function is not set"),
                ("sightpython module=no_such_module function=f", "No module named 'no_such_module'"),
                ("sightpython module=/nowhere/f.py function=f", "/nowhere/f.py: no such file"),
                (f"sightpython module={wrong} function=f", "SyntaxError"),
                (self.element("nothing"), "functions.py has no nothing. It has: "), (self.element("number"), "is a int, which cannot be called"),
                (self.element("Broken"), "OSError: cannot be made")):
            pipeline = Gst.parse_launch(f"{SOURCE} ! {description} ! fakesink")
            self.assertEqual(pipeline.set_state(Gst.State.PAUSED), Gst.StateChangeReturn.FAILURE, description)
            message = pipeline.get_bus().timed_pop_filtered(0, Gst.MessageType.ERROR)
            self.assertIn(words, message.parse_error().gerror.message)
            pipeline.set_state(Gst.State.NULL)

    def test_where_there_is_no_raw_video_the_info_is_none(self):
        arrived, _, problem = play(f"audiotestsrc num-buffers=3 ! {self.element('note_info')}")
        self.assertIsNone(problem)
        self.assertEqual([Sightline.frame(buffer).user_data["info"] for buffer in arrived], ["None"] * 3)

    def test_two_streams_call_at_the_same_time(self):
        branch = f"{SOURCE} ! {self.element('Count')} ! fakesink sync=false "
        pipeline = Gst.parse_launch(branch * 4)
        pipeline.set_state(Gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        self.assertEqual(message.type, Gst.MessageType.EOS)

    def test_a_process_without_python_starts_one(self):
        events = self.folder / "events.jsonl"
        command = f"gst-launch-1.0 --no-fault -q {SOURCE} ! {self.element('Count')} ! {self.element('track', 'per-object=true')}" \
                  f" ! sightjson location={events} ! fakesink sync=false"
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([line["objects"][0]["label"] for line in lines], [f"call {i + 1}" for i in range(FRAMES)])
        self.assertEqual(lines[0]["objects"][0]["track"], 99)

    def test_such_a_process_prints_what_a_function_prints(self):
        command = f"gst-launch-1.0 --no-fault -q {SOURCE} ! {self.element('say')} ! fakesink sync=false"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60, check=False, env=environment)
        self.assertEqual((done.returncode, done.stdout), (0, "hello\n" * FRAMES), done.stderr)

    def test_such_a_process_writes_out_the_files_of_a_module(self):
        rows = self.folder / "rows.csv"
        (self.folder / "writer.py").write_text(f"rows = open({str(rows)!r}, 'w')\n\ndef write(frame, buffer, info):\n    rows.write('row\\n')\n",
                                               encoding="utf-8")
        command = f"gst-launch-1.0 --no-fault -q {SOURCE} ! sightpython module={self.folder}/writer.py function=write ! fakesink sync=false"
        subprocess.run(command.split(), check=True, timeout=60)
        self.assertEqual(rows.read_text(encoding="utf-8"), "row\n" * FRAMES)

    def test_such_a_process_says_what_it_misses(self):
        command = f"gst-launch-1.0 --no-fault {SOURCE} ! {self.element('Count')} ! fakesink"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["GI_TYPELIB_PATH"] = "/nowhere"
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60, check=False, env=environment)
        if done.returncode == 0:
            self.skipTest("the overrides are installed")
        self.assertIn("sightpython needs python3-gi", done.stderr)


if __name__ == "__main__":
    unittest.main()
