# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every line that the tests of writers make fits docs/schema/event.schema.json, by a validator that knows nothing of us.

Usage: event_schema_test.py SCHEMA PROGRAM[:FILTER]...; each program is a test that keeps its lines (event_lines.h).
"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import jsonschema

SCHEMA = json.loads(pathlib.Path(sys.argv[1]).read_text())
PROGRAMS = sys.argv[2:]


def lines_of(programs):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "lines"
        for program in programs:
            name, _, wanted = program.partition(":")
            subprocess.run([name, "--gtest_brief=1", f"--gtest_filter={wanted or '*'}"], check=True,
                           env={**os.environ, "EVENT_LINES": str(path)}, stdout=subprocess.DEVNULL)
        return [json.loads(line) for line in path.read_text().splitlines()]


def resolved(schema):
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def places(schema, path=()):
    """Each key that the schema knows, with those above it."""
    schema = resolved(schema)
    if "items" in schema:
        yield from places(schema["items"], path)
    for key, part in schema.get("properties", {}).items():
        yield (*path, key)
        yield from places(part, (*path, key))


def keys(value, path=()):
    if isinstance(value, list):
        for item in value:
            yield from keys(item, path)
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key)
            yield from keys(part, (*path, key))


class EventSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = lines_of(PROGRAMS)
        cls.validator = jsonschema.Draft202012Validator(SCHEMA)

    def test_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_every_line_fits(self):
        self.assertGreater(len(self.lines), 10)
        for line in self.lines:
            errors = [f"{error.json_path}: {error.message}" for error in self.validator.iter_errors(line)]
            self.assertEqual(errors, [], json.dumps(line))

    def test_every_key_is_written_by_somebody(self):
        written = {path for line in self.lines for path in keys(line)}
        self.assertEqual(sorted(set(places(SCHEMA)) - written), [])

    def test_what_is_wrong_does_not_fit(self):
        good = max(self.lines, key=lambda line: len(json.dumps(line)))
        face = len(good["objects"]) - 1

        def broken(change):
            line = copy.deepcopy(good)
            change(line, line["objects"][face])
            return not self.validator.is_valid(line)

        self.assertFalse(broken(lambda line, face: None))
        self.assertTrue(broken(lambda line, face: line.update(unknown=1)))
        self.assertTrue(broken(lambda line, face: line.update(stream=None)))
        self.assertTrue(broken(lambda line, face: line.pop("width")))
        self.assertTrue(broken(lambda line, face: line.update(classifications=[])))
        self.assertTrue(broken(lambda line, face: face.update(box=[1, 2, 3])))
        self.assertTrue(broken(lambda line, face: face.update(id=0)))
        self.assertTrue(broken(lambda line, face: face.update(predicted=False)))
        self.assertTrue(broken(lambda line, face: face["tensors"][0].update(type="float8")))
        self.assertTrue(broken(lambda line, face: face["tensors"][0].update(base64="?", data=[])))
        self.assertTrue(broken(lambda line, face: face["mask"].pop("size")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
