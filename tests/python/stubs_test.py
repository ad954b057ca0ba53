# SPDX-License-Identifier: LGPL-2.1-or-later
"""The type stubs name what there is, and nothing else, and mypy takes right programs: stubs_test.py STUBS"""

import ast
import importlib.util
import inspect
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GObject, Gst, Sightline  # noqa: E402

STUBS = ""
RIGHT = """
import gi
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, Sightline
import numpy

def look(pad: Gst.Pad, buffer: Gst.Buffer) -> None:
    for face in Sightline.frame(buffer).objects:
        width: float = face.box.width
        points: int = face.landmarks.shape[0] + face.tensors["embedding"].numpy().ndim + len(face.tensors.all)
        face.box = face.box
        face.box = (1, 2, 3, 4)
        face.landmarks = numpy.zeros((5, 2))
        face.landmarks = None
        if face.mask and face.corners:
            print(face.mask[0].shape, face.corners[0].x, numpy.asarray(face.tensors["embedding"]), width, points)
        Sightline.crop(buffer, (1, 2, 3, 4), size=(8, 8), dtype=numpy.float32).numpy().mean()

Sightline.add_probe(Gst.Pad(), look)
"""
WRONG = """
from gi.repository import Sightline

def look(face: Sightline.Object) -> None:
    face.box = "left"  # wrong
    face.track = None  # wrong
    face.label = "face"  # wrong
"""
TYPES_OF_ARGUMENTS = {"BoxLike", "PointsLike", "InfoLike"}  # there for type checkers only
OF_PYGOBJECT = {"Boxed", "Enum", "copy", "free", "ref", "unref"}  # what ref and unref do is PyGObject's affair


def is_public(name):
    return not name.startswith("_") and name not in OF_PYGOBJECT


def declared(body):
    """name: node of the statements of a module or class."""
    names = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names[node.targets[0].id] = node
    return names


def public(names):
    return {name for name in names if is_public(name)}


class Stubs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.module = declared(ast.parse(pathlib.Path(STUBS).read_text(encoding="utf-8")).body)
        cls.classes = {name: declared(node.body) for name, node in cls.module.items() if isinstance(node, ast.ClassDef) and is_public(name)}

    def test_the_module_has_what_is_declared_and_nothing_else(self):
        there = set(Sightline._introspection_module.__dir__()) | set(Sightline._overrides_module.__dict__)
        there -= {name for name in there if inspect.ismodule(getattr(Sightline, name, None))}
        there = {name for name in public(there) if "Sightline" in str(getattr(getattr(Sightline, name), "__module__", "")) or
                 not inspect.isclass(getattr(Sightline, name))}
        self.assertEqual(public(self.module) - TYPES_OF_ARGUMENTS, there)

    def test_each_class_has_what_is_declared_and_nothing_else(self):
        for name, members in self.classes.items():
            with self.subTest(name):
                actual = getattr(Sightline, name)
                of_bases = set(dir(actual.__mro__[-2])) | set(dir(GObject.GEnum)) | set(dir(int))
                there = {member for member in dir(actual) if is_public(member) and member not in of_bases}
                self.assertEqual(public(members), there)

    def test_arguments_are_those_of_the_overrides(self):
        checked = 0
        for name, node in self.functions():
            actual = inspect.getattr_static(self.find(name), "__wrapped__", self.find(name))
            if not inspect.isfunction(actual):
                continue  # of the C API
            arguments = node.args
            declared_names = [each.arg for each in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
            parameters = inspect.signature(actual).parameters.values()
            actual_names = [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
            self.assertEqual(declared_names, actual_names, name)
            checked += 1
        self.assertGreater(checked, 20)

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "Debian's package mypy is not there")
    def test_a_type_checker_takes_what_is_right_and_finds_what_is_wrong(self):
        documents = (pathlib.Path(STUBS).parents[3] / "docs/python.md").read_text(encoding="utf-8")
        shown = re.findall(r"^```python\n(.*?)^```", documents, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(shown), 3)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "gi").symlink_to(pathlib.Path(STUBS).resolve().parents[1])
            programs = {f"shown_{i}.py": text for i, text in enumerate(shown)} | {"right.py": RIGHT, "wrong.py": WRONG}
            for program, text in programs.items():
                (folder / program).write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, "-m", "mypy", "--check-untyped-defs", *programs], cwd=folder, capture_output=True, text=True,
                                  timeout=240, check=False, env={**os.environ, "MYPYPATH": str(folder)})
        found = re.findall(r"^(\S+):(\d+): error: ", done.stdout, re.MULTILINE)
        expected = [("wrong.py", str(i)) for i, line in enumerate(WRONG.splitlines(), 1) if "# wrong" in line]
        self.assertEqual(found, expected, done.stdout + done.stderr)

    def functions(self):
        for name, node in self.module.items():
            if isinstance(node, ast.FunctionDef):
                yield name, node
        for owner, members in self.classes.items():
            for name, node in members.items():
                if isinstance(node, ast.FunctionDef) and not any(isinstance(each, ast.Name) for each in node.decorator_list):
                    yield f"{owner}.{name}", node

    @staticmethod
    def find(name):
        found = Sightline
        for part in name.split("."):
            found = inspect.getattr_static(found, part) if inspect.isclass(found) and part.startswith("__") else getattr(found, part)
        return found.__func__ if isinstance(found, staticmethod) else found


if __name__ == "__main__":
    STUBS = sys.argv.pop(1)
    Gst.init(None)
    unittest.main()
