# SPDX-License-Identifier: LGPL-2.1-or-later
"""The type stubs name what there is, and nothing else: stubs_test.py STUBS"""

import ast
import inspect
import pathlib
import sys
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GObject, Gst, Sightline  # noqa: E402

STUBS = ""
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
        cls.classes = {name: declared(node.body) for name, node in cls.module.items() if isinstance(node, ast.ClassDef)}

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
