# SPDX-License-Identifier: LGPL-2.1-or-later
"""The snippets of docs/python.md do what they say: documentation_test.py SOURCE_ROOT

Each runs as a program of its own, in a folder with the files that snippets before it named. The one that needs models, a clip and a
gallery is compiled only; tests/app/embeddings_test.py runs one like it, and family_test.py one like centres.py.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path()
EXPECTED = {  # by a word of the snippet, what it prints
    "brightness": r"(\(240, 320\) \(120, 160, 2\) \d+\.\d+\n){5}",
    "run_network": r"(\(3, 224, 224\) \(1, 3, 160, 160\) \(1, 64, 64\)\n){5}",
    "crop_regions": r"(\(1, 3, 64, 64\)\n){5}",
    "plate.add_classification": r"\{.*\"label\":\"plate\".*\"AB 123\".*\}\n",
}


class Documentation(unittest.TestCase):
    def test_every_snippet(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            kinds = []
            for kind, text in re.findall(r"^```(python|sh)\n(.*?)^```", (ROOT / "docs/python.md").read_text(encoding="utf-8"),
                                         re.MULTILINE | re.DOTALL):
                with self.subTest(text=text.splitlines()[0]):
                    kinds.append(self.shell(folder, text) if kind == "sh" else self.python(folder, text))
            self.assertEqual(sorted(kinds), ["compiled", "file", "file", "ran", "ran", "ran", "ran", "shell"])

    def python(self, folder, text):
        if named := re.match(r"# (\w+\.py)\n", text):
            (folder / named[1]).write_text(text, encoding="utf-8")
            compile(text, named[1], "exec")
            return "file"
        if "models/" in text:
            compile(text, "docs/python.md", "exec")
            return "compiled"
        (key,) = [key for key in EXPECTED if key in text]
        self.assertRegex(self.run_in(folder, [sys.executable, "-c", text]), f"^{EXPECTED[key]}$")
        return "ran"

    def shell(self, folder, text):
        self.run_in(folder, ["sh", "-ec", text])
        lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(lines), 10)
        self.assertIn("\"label\":\"bright 10\"", lines[9])
        self.assertIn("\"box\":[-5.0,-5.0,330.0,250.0]", lines[9])
        return "shell"

    def run_in(self, folder, command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env={**os.environ})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv.pop(1))
    unittest.main()
