# SPDX-License-Identifier: LGPL-2.1-or-later
"""sightjson to receivers that are not ours: Python's HTTP server, also with TLS, and a unix socket.

Usage: sightjson_receivers_test.py PLUGIN.so
"""
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

PLUGIN = sys.argv[1]
PATIENCE = 60  # seconds, for what happens at once where the machine has nothing else to do
PATIENT = f"flush-timeout={PATIENCE * 1000}"


class Server(http.server.ThreadingHTTPServer):
    """Keeps what is posted; answers with the next of `statuses`, else 204, while `answers` is set."""

    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.statuses, self.answers = [], [], threading.Event()
        self.answers.set()
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.server_port}/events"

    def handle_error(self, request, address):
        pass  # clients that hang up are part of the tests


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.answers.wait()
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.server.posts.append((self.path, dict(self.headers), body))
        answer = b"" if status == 204 else b"as the test says\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


class Run:
    """A pipeline from start to end: its error or None, its warnings, what it said of itself.

    `before(number)` is called before each frame; the run is stopped as soon as `stop_when(run)` holds.
    """

    def __init__(self, properties, frames=10, before=lambda number: None, stop_when=lambda run: False):
        self.frames, self.ended = 0, False  # what the pipeline's threads use, too
        self.pipeline = Gst.parse_launch(
            f"videotestsrc num-buffers={frames} ! video/x-raw,width=16,height=16 ! sightjson name=json {properties} "
            "! fakesink sync=false")
        self.pipeline.get_by_name("json").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self.see_frame, before)
        bus = self.pipeline.get_bus()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.warnings, self.error = [], None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not stop_when(self):
            message = bus.timed_pop_filtered(20 * Gst.MSECOND,
                                             Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.WARNING)
            if message is None:
                continue
            if message.type == Gst.MessageType.WARNING:
                self.warnings.append(message.parse_warning().gerror.message)
                continue
            self.ended = True
            if message.type == Gst.MessageType.ERROR:
                self.error = message.parse_error().gerror.message
            break
        begin = time.monotonic()
        self.pipeline.set_state(Gst.State.NULL)
        self.seconds_to_stop = time.monotonic() - begin

    def see_frame(self, pad, info, before):
        before(self.frames)
        self.frames += 1
        return Gst.PadProbeReturn.OK

    @property
    def stats(self):
        stats = self.pipeline.get_by_name("json").get_property("stats")
        names = [stats.nth_field_name(i) for i in range(stats.n_fields())]
        return {name: stats.get_uint64(name)[1] for name in names}


class Posts(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.answers.set)

    def test_each_line_is_a_request(self):
        run = Run(f"url={self.server.url} {PATIENT} extra-headers=\"headers,Authorization=(string)\\\"Bearer x\\\"\"")
        self.assertIsNone(run.error)
        self.assertEqual(run.warnings, [])
        self.assertEqual([json.loads(body)["frame"] for _, _, body in self.server.posts], list(range(10)))
        path, headers, _ = self.server.posts[0]
        self.assertEqual(path, "/events")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["Authorization"], "Bearer x")
        self.assertEqual((run.stats["lines"], run.stats["delivered"], run.stats["waiting"]), (10, 10, 0))

    def test_several_lines_go_together(self):
        self.server.answers.clear()  # until all have been written

        def answer_at_the_end(run):
            if run.stats["lines"] == 40:
                self.server.answers.set()
            return False
        run = Run(f"url={self.server.url} batch-size=100 {PATIENT}", frames=40, stop_when=answer_at_the_end)
        self.assertEqual(run.stats["delivered"], 40)
        self.assertLessEqual(len(self.server.posts), 2, "what was there when the first was sent, and the rest")
        self.assertEqual(self.server.posts[-1][1]["Content-Type"], "application/x-ndjson")
        lines = "".join(body for _, _, body in self.server.posts)
        self.assertTrue(lines.endswith("\n"))
        self.assertEqual([json.loads(line)["frame"] for line in lines.splitlines()], list(range(40)))

    def test_a_slow_server_does_not_slow_the_video(self):
        self.server.answers.clear()  # for ever
        run = Run(f"url={self.server.url} queue-size=4 timeout={PATIENCE * 1000} flush-timeout=200", frames=300)
        self.assertTrue(run.ended)
        self.assertIsNone(run.error)
        stats = run.stats
        self.assertGreaterEqual(stats["dropped"], 295, "of the newest one is on its way and four wait")
        self.assertEqual(stats["delivered"] + stats["dropped"] + stats["failed"], 300)
        self.assertTrue(any("lines were dropped" in warning for warning in run.warnings), run.warnings)
        self.assertTrue(any("not delivered yet" in warning for warning in run.warnings), run.warnings)

    def test_a_server_that_recovers_gets_everything(self):
        self.server.statuses = [503, 429]
        run = Run(f"url={self.server.url} {PATIENT}", frames=3)
        self.assertEqual((run.stats["delivered"], run.stats["failures"]), (3, 2))
        self.assertEqual(len(run.warnings), 1, run.warnings)
        self.assertIn('the server answers 503 ("as the test says"). It is tried again in 0.5 s', run.warnings[0])

    def test_what_is_refused_is_lost_and_said(self):
        self.server.statuses = [400, 302]
        run = Run(f"url={self.server.url} {PATIENT}", frames=3)
        self.assertEqual((run.stats["delivered"], run.stats["failed"]), (1, 2))
        self.assertIn("the server answers 400", run.warnings[0])
        self.assertIn("What was refused is lost", run.warnings[0])

    def test_nobody_there_is_one_warning_and_no_secret(self):
        run = Run("url=http://user:secret@127.0.0.1:1/x?token=secret flush-timeout=3000")
        self.assertIsNone(run.error)
        self.assertIn("cannot post to http://127.0.0.1:1/x: ", run.warnings[0])
        self.assertNotIn("secret", " ".join(run.warnings))
        self.assertEqual(len(run.warnings), 2, run.warnings)
        self.assertEqual(run.stats["failed"], 10)

    def test_an_answer_has_its_time(self):
        self.server.answers.clear()
        run = Run(f"url={self.server.url} timeout=100 {PATIENT}", frames=1, stop_when=lambda run: run.warnings)
        self.assertGreaterEqual(run.stats["failures"], 1)
        self.assertIn("timed out", run.warnings[0].lower())

    def test_stops_at_once_while_the_server_hangs(self):
        self.server.answers.clear()
        run = Run(f"url={self.server.url} timeout=3600000 flush-timeout=3600000", frames=3,
                  stop_when=lambda run: run.stats["lines"] == 3)
        self.assertFalse(run.ended)
        self.assertLess(run.seconds_to_stop, PATIENCE, "it waits for an hour otherwise")

    def test_stops_at_once_while_the_video_waits_for_room(self):
        self.server.answers.clear()
        run = Run(f"url={self.server.url} timeout=3600000 queue-size=1 overflow=block", frames=10,
                  stop_when=lambda run: run.frames >= 3)  # one is on its way, one waits, one has no room
        self.assertFalse(run.ended)
        self.assertLess(run.seconds_to_stop, PATIENCE)

    def test_wrong_properties_are_errors(self):
        for properties, expected in {
            "url=ftp://localhost/x": 'url is no address of a server that speaks HTTP, but of "ftp"',
            "url=events": "url is no address of a server: ",
            "url=http://localhost socket=/tmp/x": "socket and url are both set",
            "url=http://localhost ca-file=/no/such.pem": "ca-file: /no/such.pem cannot be read",
            'url=http://localhost extra-headers="headers,X=(int)3"': 'extra-headers: "X" is not a string',
            "post-messages=true format=gvametaconvert tensors=base64": "Set tensors=array, or format=sightline",
        }.items():
            self.assertIn(expected, Run(properties).error or "no error")


class Https(unittest.TestCase):
    def test_a_server_is_trusted_by_its_certificate_only(self):
        with tempfile.TemporaryDirectory() as folder:
            pem = pathlib.Path(folder) / "server.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", pem, "-out", f"{folder}/certificate.pem"],
                           check=True, capture_output=True)
            certificate = pathlib.Path(folder) / "certificate.pem"
            pem.write_text(pem.read_text() + certificate.read_text())
            server = Server(pem)
            stranger = Run(f"url={server.url} {PATIENT}", frames=1, stop_when=lambda run: run.warnings)
            self.assertIn("Name whom to trust with ca-file", stranger.warnings[0])
            self.assertEqual(server.posts, [])
            known = Run(f"url={server.url} ca-file={certificate} {PATIENT}", frames=3)
            self.assertEqual(known.stats["delivered"], 3, known.warnings)
            server.shutdown()
            server.server_close()


class Socket(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/socket"

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        self.addCleanup(listener.close)
        return listener

    def test_lines_arrive_and_after_a_hang_up_go_on(self):
        lines, hung_up = [], threading.Event()

        def receive(listener):
            for most in (2, 1000):
                connection, _ = listener.accept()
                with connection, connection.makefile() as stream:
                    for _, line in zip(range(most), stream):
                        lines.append(json.loads(line)["frame"])
                hung_up.set()

        receiver = threading.Thread(target=receive, args=[self.listen()])
        receiver.start()
        run = Run(f"socket={self.path} {PATIENT}", frames=20, before=lambda number: number == 2 and hung_up.wait(PATIENCE))
        receiver.join(timeout=PATIENCE)
        self.assertIsNone(run.error)
        self.assertEqual(lines, sorted(set(lines)), "in order, none twice")
        self.assertIn(19, lines)
        self.assertEqual(run.stats["delivered"], 20)

    def test_nobody_listens(self):
        run = Run(f"socket={self.path} flush-timeout=1000", frames=20)
        self.assertIsNone(run.error)
        self.assertIn("Nobody listens there: start the receiver", run.warnings[0])
        self.assertEqual(run.stats["failed"], 20)

    def test_a_receiver_that_starts_later_gets_what_waited(self):
        lines = []

        def receive():
            time.sleep(0.3)
            connection, _ = self.listen().accept()
            with connection, connection.makefile() as stream:
                lines.extend(json.loads(line)["frame"] for line in stream)

        receiver = threading.Thread(target=receive)
        receiver.start()
        Run(f"socket={self.path} {PATIENT}", frames=5)
        receiver.join(timeout=PATIENCE)
        self.assertEqual(lines, [0, 1, 2, 3, 4])


class File(unittest.TestCase):
    def test_a_full_disk_ends_the_stream_or_not(self):
        self.assertIn("/dev/full", Run("location=/dev/full").error)
        run = Run("location=/dev/full on-error=continue")
        self.assertIsNone(run.error)
        self.assertEqual(len(run.warnings), 1, run.warnings)
        self.assertEqual((run.stats["not-written"], run.stats["written"]), (10, 0))


if __name__ == "__main__":
    Gst.init(None)
    if not Gst.Plugin.load_file(PLUGIN):
        sys.exit("the plugin does not load")
    Gst.Registry.get().add_plugin(Gst.Plugin.load_file(PLUGIN))
    unittest.main(argv=sys.argv[:1])
