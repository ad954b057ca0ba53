#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/cars: python3 cars_test.py BUILD SOURCE_ROOT

The colour network on painted pictures always; the whole example on a part of its clip if SIGHTLINE_CLIPS names the folder that has it and
the models are there.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = ROOT = pathlib.Path()
SIZE = 32
CLIP = pathlib.Path(os.environ.get("SIGHTLINE_CLIPS", ".")) / "carnd_vehicle_test_video.mp4"
MODELS = pathlib.Path(os.environ.get("SIGHTLINE_MODELS") or
                      pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "sightline/models")

# Paints as a camera shows them in the sun, and what people call them.
PAINTS = {"black": (22, 22, 26), "grey": (95, 96, 98), "silver": (155, 157, 160), "white": (235, 236, 232), "red": (180, 28, 30),
          "orange": (230, 120, 30), "yellow": (225, 200, 50), "green": (40, 110, 55), "blue": (35, 75, 165), "purple": (95, 45, 120),
          "pink": (205, 120, 165), "brown": (88, 58, 38), "beige": (205, 185, 145)}
LIGHTS = [(1, 1, 1), (0.7, 0.7, 0.7), (1.3, 1.3, 1.3), (1.2, 1, 0.8), (0.8, 1, 1.2)]
ASPHALT, GLASS, LINE = (105, 105, 108), (35, 40, 45), (240, 240, 238)


def painted(paint):
    """A car from behind, roughly: asphalt around it, a window, the body with a number plate, tyres. A line on the road beside it."""
    rows = [[ASPHALT] * SIZE for _ in range(SIZE)]

    def fill(color, left, top, right, bottom):
        for y in range(top, bottom):
            rows[y][left:right] = [color] * (right - left)
    fill(LINE, 0, 26, 3, 32)
    fill(LINE, 29, 8, 32, 20)
    fill(paint, 5, 6, 27, 24)
    fill(GLASS, 8, 7, 24, 13)
    fill(LINE, 14, 17, 18, 19)
    fill((20, 20, 20), 5, 24, 9, 27)
    fill((20, 20, 20), 23, 24, 27, 27)
    return [color for row in rows for color in row]


def lit(pixels, light):
    return bytes(min(255, round(value * factor)) for pixel in pixels for value, factor in zip(pixel, light))


class CarsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def color_network(self):
        """The network, and its shipped configuration for frames that are the crops."""
        script = ROOT / "examples/cars/color_network.py"
        subprocess.run([sys.executable, script, self.folder / "car-color.onnx"], check=True)
        config = (ROOT / "examples/cars/car-color.ini").read_text(encoding="utf-8")
        for what, instead in (("../../out/", ""), ("process-mode = secondary", "process-mode = primary"), ("crop-margin = 0.15", ""),
                              ("operate-on-gie-id = 1", ""), ("operate-on-labels = car", ""), ("input-object-min-width = 60", "")):
            self.assertIn(what, config)
            config = config.replace(what, instead)
        (self.folder / "whole.ini").write_text(config, encoding="utf-8")

    def test_each_paint_has_its_name_in_each_light(self):
        self.color_network()
        cases = [(name, light) for name in PAINTS for light in LIGHTS]
        (self.folder / "crops.raw").write_bytes(b"".join(lit(painted(PAINTS[name]), light) for name, light in cases))
        subprocess.run(["gst-launch-1.0", "-q", f"--gst-plugin-load={BUILD}/src/elements/libgstsightline.so",
                        *f"filesrc location={self.folder}/crops.raw ! rawvideoparse format=rgb width={SIZE} height={SIZE} ! "
                        f"sightinfer config-file={self.folder}/whole.ini ! sightjson location={self.folder}/crops.jsonl ! "
                        "fakesink".split()], check=True, timeout=60)
        events = [json.loads(line) for line in (self.folder / "crops.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(len(events), len(cases))
        wrong = [(name, light, event["classifications"][0]["label"]) for (name, light), event in zip(cases, events)
                 if event["classifications"][0]["label"] != name]
        self.assertEqual(wrong, [])

    def test_labels_are_those_of_the_network(self):
        spec = importlib.util.spec_from_file_location("color_network", ROOT / "examples/cars/color_network.py")
        network = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(network)
        config = (ROOT / "examples/cars/car-color.ini").read_text(encoding="utf-8")
        self.assertIn("labels = " + ";".join(network.COLORS) + "\n", config)
        self.assertIn(f"crop-margin = {network.MARGIN}\n", config)

    @unittest.skipUnless(CLIP.exists() and (MODELS / "coco-detect.onnx").exists(), "needs the clip and the models")
    def test_both_cars_and_their_colours_in_a_part_of_the_clip(self):
        done = subprocess.run([ROOT / "examples/cars/run", "--build", BUILD, "--out", self.folder, "--every", "10", CLIP],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("100%        100%"), 7, done.stdout)
        for name in ("cars.mp4", "cars.jsonl", "cars.png"):
            self.assertGreater((self.folder / name).stat().st_size, 1000, name)


if __name__ == "__main__":
    BUILD, ROOT = map(pathlib.Path, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
