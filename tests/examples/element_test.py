# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/element, built against an installation, and a pipeline with it: element_test.py BUILD SOURCE_ROOT WRITE_NETWORKS"""

import math
import pathlib
import sys
import unittest

from installation import InstalledTestCase

ROOT = WRITE_NETWORKS = pathlib.Path()
WIDTH, HEIGHT, FRAMES = 64, 48, 3
BOXES = {"left": (8, 12, 32, 36), "right": (40, 12, 56, 48)}  # pixels of what write-networks puts there


def luma(x, y, frame):
    return (40 if x < WIDTH // 2 else 150) + 20 * frame + (x * 37 + y * 91 + x * y * 13) % 30


def brightness(box, frame):
    """The mean over a box, of 255, worked out pixel by pixel. There is no colour."""
    left, top, right, bottom = box
    values = [(luma(x, y, frame) - 16) * 255 / 219 for y in range(top, bottom) for x in range(left, right)]
    return sum(values) / len(values)


class ElementTest(InstalledTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.example = cls.folder / "build"
        cls.run_command("meson", "setup", "-Dwerror=true", cls.example, ROOT / "examples/element")
        cls.run_command("ninja", "-C", cls.example)
        cls.environment["GST_PLUGIN_PATH"] += f":{cls.example}"
        cls.run_command(WRITE_NETWORKS, cls.folder)
        (cls.folder / "boxes.ini").write_text("[property]\nonnx-file = boxes.onnx\nmodel-family = decoded-boxes\nlabels = left;right\n")
        (cls.folder / "mean.ini").write_text("[property]\nonnx-file = mean.onnx\nmodel-family = raw\nprocess-mode = secondary\n"
                                             "scaling-filter = area\n")
        grey = bytes([128]) * (WIDTH * HEIGHT // 2)
        (cls.folder / "frames").write_bytes(b"".join(
            bytes(luma(x, y, frame) for y in range(HEIGHT) for x in range(WIDTH)) + grey for frame in range(FRAMES)))

    def readings(self, *elements):
        """(label, brightness, strength) of each object that comes to the element "end"."""
        source = f"filesrc location=frames ! rawvideoparse format=nv12 width={WIDTH} height={HEIGHT} ! sightinfer config-file=boxes.ini"
        output = self.run_command(self.example / "print-light", " ! ".join((source, *elements))).stdout
        for line in output.splitlines():
            label, *numbers = line.split("\t")
            yield label, *map(float, numbers)

    def test_each_object_carries_what_plain_arithmetic_gives(self):
        found = list(self.readings("sightinfer config-file=mean.ini", "lightmeter tensor-name=mean", "fakesink name=end"))
        expected = [(label, brightness(box, frame)) for frame in range(FRAMES) for label, box in BOXES.items()]
        self.assertEqual(len(found), len(expected))
        for (label, light, strength), (name, mean) in zip(found, expected):
            self.assertEqual(label, name)
            # The CPU's pre-processing is within an eighth of a pixel value, and so is a mean of it.
            self.assertAlmostEqual(light, mean, delta=1 / 8)
            self.assertAlmostEqual(strength, math.sqrt(3) * mean, delta=math.sqrt(3) / 8)

    def test_what_has_no_such_tensor_has_a_brightness_all_the_same(self):
        self.assertEqual([strength for _, _, strength in self.readings("lightmeter", "fakesink name=end")], [0] * FRAMES * len(BOXES))

    def test_readings_survive_a_converter_and_are_seen_by_nobody_beside(self):
        branches = ("tee name=both ! queue ! lightmeter ! videoconvert ! video/x-raw,format=RGB", "{} both. ! queue ! {}")
        inside = (branches[0], branches[1].format("fakesink name=end", "fakesink"))
        beside = (branches[0], branches[1].format("fakesink", "fakesink name=end"))
        self.assertEqual(len(list(self.readings(*inside))), FRAMES * len(BOXES))
        self.assertEqual(len(list(self.readings(*beside))), 0)

    def test_other_formats_are_refused_by_its_caps(self):
        done = self.run_command(self.example / "print-light", "videotestsrc ! video/x-raw,format=RGB ! lightmeter ! fakesink name=end",
                                status=1)
        self.assertIn("stream error", done.stderr)

    def test_the_element_fits_a_page(self):
        lines = (ROOT / "examples/element/gstlightmeter.cc").read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(len(lines), 140)
        self.assertLessEqual(len((ROOT / "examples/element/meson.build").read_text(encoding="utf-8").splitlines()), 10)


if __name__ == "__main__":
    InstalledTestCase.build, ROOT, WRITE_NETWORKS = (pathlib.Path(sys.argv.pop(1)).absolute() for _ in range(3))
    unittest.main()
