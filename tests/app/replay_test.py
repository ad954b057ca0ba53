#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sightline replay` on a real clip, without any network: replay_test.py PROGRAM PLUGIN_FOLDER"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM, PLUGINS = map(os.path.abspath, sys.argv[1:3])
FRAMES = 12


def launch(*pipeline):
    subprocess.run(["gst-launch-1.0", "-q", *pipeline], check=True, env={**os.environ, "GST_PLUGIN_PATH": PLUGINS})


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.clip = cls.folder / "clip.mp4"
        launch("videotestsrc", "pattern=black", f"num-buffers={FRAMES}", "!", "video/x-raw,width=64,height=48,framerate=30/1", "!",
               "x264enc", "!", "mp4mux", "!", "filesink", f"location={cls.clip}")
        written = cls.folder / "empty.jsonl"
        launch("filesrc", f"location={cls.clip}", "!", "decodebin", "!", "sightjson", f"location={written}", "!", "fakesink")
        cls.events = cls.folder / "events.jsonl"
        lines = [json.loads(line) for line in written.read_text().splitlines()]
        for line in lines:
            number = line["frame"]
            line.update(stream="clip.mp4", objects=[
                {"id": number + 1, "label": "face", "confidence": 0.5, "box": [8.0, 8.0, 24.0, 24.0], "track": 3,
                 "identity": {"person": "p1", "name": "Ada", "similarity": 0.5},
                 "tensors": [{"name": "embedding", "type": "float32", "shape": [1, 2], "data": [0.25, -1.0]}]}])
        cls.events.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def replay(self, *arguments, status=0):
        result = subprocess.run([PROGRAM, "replay", *map(str, arguments)], capture_output=True, text=True, cwd=self.folder,
                                timeout=60)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def test_events_come_out_as_they_went_in(self):
        self.replay(self.events, self.clip, "--json", "again.jsonl", "--tensors", "array")
        self.assertEqual((self.folder / "again.jsonl").read_text(), self.events.read_text())

    def test_draws_them_into_a_clip(self):
        result = self.replay(self.events, self.clip, "--out", "drawn.mp4")
        self.assertIn(f"{FRAMES} frames", result.stderr)
        self.assertIn(f"Ada {FRAMES}×", result.stderr)
        raw = self.folder / "raw"
        launch("filesrc", f"location={self.folder}/drawn.mp4", "!", "decodebin", "!", "videoconvert", "!", "video/x-raw,format=GRAY8",
               "!", "filesink", f"location={raw}")
        pixels = raw.read_bytes()
        self.assertEqual(len(pixels) % FRAMES, 0)
        self.assertGreater(max(pixels[-len(pixels) // FRAMES:]), 60, "the clip is black but for what is drawn")

    def test_errors_name_file_and_line(self):
        wrong = self.folder / "wrong.jsonl"
        wrong.write_text(self.events.read_text() + '{"frame":1}\n')
        result = self.replay(wrong, self.clip, "--json", "out.jsonl", status=1)
        self.assertIn(f'{wrong}:{FRAMES + 1}: the line: the key "width" is missing', result.stderr)
        self.assertFalse((self.folder / "out.jsonl").exists())
        self.assertIn("cannot be opened: No such file", self.replay("none.jsonl", self.clip, "--json", "-", status=1).stderr)

    def test_of_another_clip_is_said(self):
        other = self.folder / "other.jsonl"
        other.write_text("".join(json.dumps({**json.loads(line), "pts": 10**12 + i}) + "\n"
                                 for i, line in enumerate(self.events.read_text().splitlines())))
        result = self.replay(other, self.clip, "--json", "-")
        self.assertIn("Is it of another clip?", result.stderr)
        by_number = self.replay(other, self.clip, "--match", "frame", "--json", "-")
        self.assertEqual(by_number.stdout.count("Ada"), FRAMES)

    def test_lines_that_no_frame_takes_are_counted(self):
        other = self.folder / "other-rate.mp4"
        launch("videotestsrc", f"num-buffers={FRAMES}", "!", "video/x-raw,width=64,height=48,framerate=20/1", "!", "x264enc", "!", "mp4mux", "!",
               "filesink", f"location={other}")
        result = self.replay(self.events, other, "--stream", "clip.mp4", "--json", "-")
        # Of lines at 0, 33, 67, 100 ms and so on, frames at 0, 50, 100 ms take every third; a container may begin a little later.
        self.assertRegex(result.stderr, rf"[78] of the 1[12] lines in {self.events} for the time that was played are of no frame")
        fewer = self.folder / "fewer.jsonl"
        fewer.write_text("".join(self.events.read_text().splitlines(keepends=True)[::2]))
        self.assertNotIn("are of no frame", self.replay(fewer, self.clip, "--json", "-").stderr, "frames without lines are no fault")

    def test_wrong_usage(self):
        self.assertIn("nothing to do", self.replay(self.events, self.clip, status=2).stderr)
        self.assertIn("is the file that is replayed", self.replay(self.events, self.clip, "--json", self.events, status=2).stderr)
        self.assertIn("is live", self.replay(self.events, "rtsp://localhost/x", "--json", "-", status=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
