# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/prototype-to-product: the element in Python, in C++ and as a configuration give the same, and what arithmetic gives.

prototype_test.py BUILD SOURCE_ROOT WRITE_NETWORKS [ONNXRUNTIME_HEADERS ONNXRUNTIME_LIBRARIES]     (none: pkg-config finds them)
Exit status 77, which is "skipped", where GStreamer has no loader of plugins in Python.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from installation import InstalledTestCase

ROOT = WRITE_NETWORKS = pathlib.Path()
RUNTIME = []  # folders of its headers and its libraries
WIDTH, HEIGHT, FRAMES = 64, 48, 4
BOX = (8, 12, 32, 36)  # of the face that write-networks puts there: left, top, right, bottom
LABELS = ["left", "front", "right"]
EXAMPLE = "examples/prototype-to-product"


def luma(x, y, frame):
    """Lit from the left at first, then from the front, then from the right."""
    slope = (-9, -3, 0, 9)[frame]
    return min(max(110 + slope * (x - 20) // 2, 16), 200) + (x * 37 + y * 91 + x * y * 13) % 20


def light_on(frame):
    """Where the light comes from, worked out pixel by pixel: what light_network.py promises."""
    left, top, right, bottom = BOX
    middle = (left + right) // 2

    def mean(begin, end):
        values = [(luma(x, y, frame) - 16) / 219 for y in range(top, bottom) for x in range(begin, end)]
        return sum(values) / len(values)

    difference = 10 * (mean(left, middle) - mean(middle, right))
    powers = [math.exp(score) for score in (difference, 1, -difference)]
    return [power / sum(powers) for power in powers]


class PrototypeTest(InstalledTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.folder / "build"
        options = []
        if RUNTIME:
            (cls.folder / "onnxruntime").mkdir()
            for name, folder in zip(("include", "lib"), RUNTIME):
                (cls.folder / "onnxruntime" / name).symlink_to(folder)
            options = [f"-Donnxruntime={cls.folder / 'onnxruntime'}"]
        cls.run_command("meson", "setup", "-Dwerror=true", *options, product, ROOT / EXAMPLE)
        cls.run_command("ninja", "-C", product)
        cls.environment["GST_PLUGIN_PATH"] += f":{product}:{ROOT / EXAMPLE}"
        cls.environment["G_DEBUG"] = ""  # gst-python's loader makes elements that GStreamer has a critical for ("faulty bindings")
        cls.run_command(WRITE_NETWORKS, cls.folder)
        cls.run_command(sys.executable, "-B", ROOT / EXAMPLE / "light_network.py", cls.folder / "face-light.onnx")
        (cls.folder / "face-light.ini").symlink_to(ROOT / EXAMPLE / "face-light.ini")
        (cls.folder / "boxes.ini").write_text("[property]\nonnx-file = boxes.onnx\nmodel-family = decoded-boxes\nlabels = face;other\n")
        grey = bytes([128]) * (WIDTH * HEIGHT // 2)
        (cls.folder / "frames").write_bytes(b"".join(
            bytes(luma(x, y, frame) for y in range(HEIGHT) for x in range(WIDTH)) + grey for frame in range(FRAMES)))

    def objects_behind(self, element, detector="sightinfer config-file=boxes.ini"):
        """Those of each frame, as events say them, without their ids."""
        source = f"filesrc location=frames ! rawvideoparse format=nv12 width={WIDTH} height={HEIGHT} ! {detector}"
        self.run_command("gst-launch-1.0", "-q", *f"{source} ! {element} ! sightjson location=events.jsonl tensors=array ! fakesink".split())
        events = [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
        self.assertEqual(len(events), FRAMES)
        return [[{key: value for key, value in each.items() if key != "id"} for each in event["objects"]] for event in events]

    def test_prototype_and_product_attach_the_same(self):
        """All of it, to the last bit: the same pass makes their crops, and the same runtime runs the network."""
        prototype, product = (self.objects_behind(f"{name} name=light") for name in ("pyfacelight", "facelight"))
        self.assertEqual(prototype, product)
        self.assertEqual([[len(each.get("tensors", [])) for each in frame] for frame in product], [[1, 0]] * FRAMES, "the face alone")

    def test_both_attach_what_arithmetic_gives(self):
        labels = set()
        for frame, (face, _other) in enumerate(self.objects_behind("facelight name=light")):
            expected = light_on(frame)
            (tensor,), (classification,) = face["tensors"], face["classifications"]
            self.assertEqual((tensor["name"], tensor["type"], tensor["shape"]), ("light", "float32", [3]))
            for share, by_hand in zip(tensor["data"], expected):
                # A pixel is within 1/8 of 255 of the reference, which moves a score by 10/2040 at most, and a share by a quarter of two such.
                self.assertAlmostEqual(share, by_hand, delta=0.003)
            best = max(range(3), key=tensor["data"].__getitem__)
            self.assertEqual(classification, {"attribute": "light", "label": LABELS[best], "class_id": best,
                                              "confidence": tensor["data"][best], "stage": "light"})
            labels.add(classification["label"])
        self.assertEqual(labels, set(LABELS), "the frames should show each case")

    def test_a_configuration_attaches_the_same(self):
        """But for what only a stage can say. Its batches are others, and the network's sums may be added in another order: 1e-6."""
        by_hand, configured = self.objects_behind("facelight name=light"), self.objects_behind("sightinfer name=light config-file=face-light.ini")
        for (one, _), (other, __) in zip(by_hand, configured):
            (one_class,), (other_class,) = one["classifications"], other["classifications"]
            self.assertAlmostEqual(one_class.pop("confidence"), other_class.pop("confidence"), delta=1e-6)
            self.assertEqual(one_class, other_class)
            for share, same in zip(one["tensors"][0]["data"], other["tensors"][0]["data"]):
                self.assertAlmostEqual(share, same, delta=1e-6)

    def test_frames_without_faces_and_without_results_pass(self):
        for element in ("pyfacelight", "facelight"):
            self.assertEqual(self.objects_behind(element, "identity"), [[]] * FRAMES)

    def test_a_model_that_is_not_there_is_an_error_on_the_bus(self):
        for element in ("pyfacelight", "facelight"):
            done = self.run_command(f"! gst-launch-1.0 -q videotestsrc ! {element} model=none.onnx ! fakesink")
            self.assertIn("none.onnx", done.stderr)

    def test_costs_are_measured(self):
        done = self.run_command("/usr/bin/python3", "-B", ROOT / EXAMPLE / "cost", "face-light.onnx", "--faces", 2, "--frames", 6, "--json")
        (costs,) = json.loads(done.stdout).values()
        self.assertEqual(list(costs), ["in Python", "in C++", "sightinfer"])


if __name__ == "__main__":
    InstalledTestCase.build, ROOT, WRITE_NETWORKS = (pathlib.Path(sys.argv.pop(1)).absolute() for _ in range(3))
    RUNTIME = [pathlib.Path(sys.argv.pop(1)).absolute() for _ in sys.argv[1:3] if not sys.argv[1].startswith("-")]
    with tempfile.TemporaryDirectory() as scratch:  # a registry of its own: an older one may have the loader on its blacklist
        loader = subprocess.run(["gst-inspect-1.0", "python"], env={**os.environ, "GST_REGISTRY": f"{scratch}/registry"},
                                capture_output=True, check=False)
    if loader.returncode:
        print("skipped, as GStreamer has no plugin \"python\": apt-get install gstreamer1.0-python3-plugin-loader")
        sys.exit(77)
    unittest.main()
