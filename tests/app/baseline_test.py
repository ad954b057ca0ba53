# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/python/baseline.py finds what `sightline embed` finds: /usr/bin/python3 baseline_test.py PROGRAM SOURCE_ROOT

Needs the default models, the packages that they come from, and OpenCV; without them exit status 77, which is "skipped".
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

PROGRAM, ROOT, PHOTOGRAPHS = "", pathlib.Path(), []


class BaselineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.faces = baseline.Faces()

    def picture(self, path):
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    def test_faces_and_embeddings_are_those_that_sightline_finds(self):
        found = 0
        for path in PHOTOGRAPHS:
            done = subprocess.run([PROGRAM, "embed", "--json", path], capture_output=True, text=True, timeout=120, check=True)
            expected = json.loads(done.stdout)["faces"]
            boxes, embeddings = self.faces(self.picture(path))
            for face in expected:
                overlaps = [overlap(face["box"], box) for box in boxes]
                best = max(range(len(boxes)), key=overlaps.__getitem__)
                # The picture is converted and scaled by another library, and by whole pixels.
                self.assertGreater(overlaps[best], 0.8, path)
                # dlib's network tells people apart at about 0.9; its chips here are sampled without averaging over areas.
                self.assertGreater(float(embeddings[best] @ numpy.array(face["embedding"])), 0.97, path)
                found += 1
        self.assertGreaterEqual(found, len(PHOTOGRAPHS))

    def test_a_picture_without_faces_gives_none(self):
        boxes, embeddings = self.faces(numpy.full((480, 640, 3), 90, numpy.uint8))
        self.assertEqual((len(boxes), embeddings.shape), (0, (0, 128)))

    def test_a_similarity_is_found_again(self):
        points = numpy.array([(0, 0), (10, 0), (3, 7), (5, 5)])
        expected = numpy.array([(0.6, -0.8, 4), (0.8, 0.6, -2)])
        numpy.testing.assert_allclose(baseline.similarity(points, points @ expected[:, :2].T + expected[:, 2]), expected, atol=1e-12)

    def test_what_the_runtime_refuses_is_an_error_in_its_words(self):
        with self.assertRaisesRegex(RuntimeError, "nowhere.onnx"):
            baseline.Session("nowhere.onnx")
        with self.assertRaisesRegex(RuntimeError, "ONNX Runtime"):
            baseline.Session(baseline.MODELS / "face-detect.onnx").run(numpy.zeros((1, 3, 7, 7), numpy.float32))


def overlap(a, b):
    """Intersection over union of two boxes: left, top, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = pathlib.Path(sys.argv.pop(1))
    PHOTOGRAPHS = sorted((ROOT / "models/node_modules/@vladmandic/face-api/demo").glob("sample*.jpg"))[:3]
    try:
        import cv2
        import numpy
        sys.path.insert(0, str(ROOT / "examples/python"))
        import baseline
    except ImportError as error:
        print("skipped:", error)
        sys.exit(77)
    missing = [name for name in ("face-detect", "face-landmarks", "face-embed") if not (baseline.MODELS / f"{name}.onnx").exists()]
    if missing or not PHOTOGRAPHS:
        print("skipped, as these are not there:", *missing, *([] if PHOTOGRAPHS else ["photographs"]))
        sys.exit(77)
    unittest.main()
