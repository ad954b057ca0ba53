# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson setup` says of GStreamer's version: old_gstreamer_test.py SOURCE_ROOT"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = ""


class OldGStreamerTest(unittest.TestCase):
    def test_an_older_gstreamer_is_refused_with_a_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            description = "Name: GStreamer\nDescription: an old one\nVersion: 1.20.7\n"
            pathlib.Path(folder, "gstreamer-1.0.pc").write_text(description)
            done = subprocess.run(["meson", "setup", pathlib.Path(folder, "build"), ROOT], capture_output=True, text=True, timeout=100,
                                  env={**os.environ, "PKG_CONFIG_PATH": folder}, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Sightline needs GStreamer 1.22 or newer", done.stdout)
        self.assertIn("1.20.7", done.stdout)


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
