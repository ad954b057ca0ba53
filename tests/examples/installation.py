# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sightline as `meson install` leaves it, in a folder of its own, for those who build and run something with it."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest


class InstalledTestCase(unittest.TestCase):
    """Has `folder`, for what the tests leave, and runs commands in it with an installation."""

    build = pathlib.Path()  # the build folder, set by who runs this

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        root, cls.folder = (pathlib.Path(folder.name, name) for name in ("root", "work"))
        cls.folder.mkdir()
        subprocess.run(["meson", "install", "-C", cls.build, "--no-rebuild", "--quiet", "--destdir", root], check=True, timeout=120)
        (description,) = root.rglob("sightline-1.0.pc")
        libraries = description.parent.parent
        # An installation in a scratch folder does not know where it is.
        text = description.read_text()
        prefix = re.search(r"^prefix=(.*)$", text, re.MULTILINE)[1]
        description.write_text(text.replace(f"prefix={prefix}\n", f"prefix={root}{prefix}\n"))
        paths = {
            "PATH": f"{root}{prefix}/bin", "PKG_CONFIG_PATH": description.parent, "LD_LIBRARY_PATH": libraries,
            "GST_PLUGIN_PATH": libraries / "gstreamer-1.0", "GI_TYPELIB_PATH": libraries / "girepository-1.0",
        }
        paths.update({"PYTHONPATH": packages for packages in root.rglob("dist-packages")})
        cls.environment = {**os.environ, "G_DEBUG": "fatal-criticals", "GST_REGISTRY": str(root / "registry")}
        for name, path in paths.items():
            cls.environment[name] = f"{path}:{os.environ[name]}" if os.environ.get(name) else str(path)

    @classmethod
    def run_command(cls, *words, status=0, timeout=120, **environment):
        """What a command prints; a single word is a shell's."""
        done = subprocess.run(words[0] if len(words) == 1 else list(map(str, words)), shell=len(words) == 1, cwd=cls.folder,
                              env={**cls.environment, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)
        if done.returncode != status:
            raise AssertionError(f"{words}: exit status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
        return done
