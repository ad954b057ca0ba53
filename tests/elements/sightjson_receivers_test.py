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


class Server(http.server.ThreadingHTTPServer):
    """Keeps what is posted; answers with the next of `statuses`, else 204, after `delay` seconds."""

    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.statuses, self.delay = [], [], 0
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
        time.sleep(self.server.delay)
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
    """A pipeline from start to end: its error or None, its warnings, what it said of itself."""

    def __init__(self, properties, frames=10, source="", stop_after=None):
        self.pipeline = Gst.parse_launch(
            f"videotestsrc num-buffers={frames} {source} ! video/x-raw,width=16,height=16 ! sightjson name=json {properties} "
            "! fakesink sync=false")
        bus = self.pipeline.get_bus()
        begin = time.monotonic()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.warnings, self.error = [], None
        deadline = begin + (stop_after or 30)
        self.ended = False
        while time.monotonic() < deadline:
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
        self.seconds = time.monotonic() - begin
        begin = time.monotonic()
        self.pipeline.set_state(Gst.State.NULL)
        self.seconds_to_stop = time.monotonic() - begin
        stats = self.pipeline.get_by_name("json").get_property("stats")
        names = [stats.nth_field_name(i) for i in range(stats.n_fields())]
        self.stats = {name: stats.get_uint64(name)[1] for name in names}


class Posts(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def test_each_line_is_a_request(self):
        run = Run(f"url={self.server.url} extra-headers=\"headers,Authorization=(string)\\\"Bearer x\\\"\"")
        self.assertIsNone(run.error)
        self.assertEqual(run.warnings, [])
        self.assertEqual([json.loads(body)["frame"] for _, _, body in self.server.posts], list(range(10)))
        path, headers, _ = self.server.posts[0]
        self.assertEqual(path, "/events")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["Authorization"], "Bearer x")
        self.assertEqual((run.stats["lines"], run.stats["delivered"], run.stats["waiting"]), (10, 10, 0))

    def test_several_lines_go_together(self):
        self.server.delay = 0.1
        run = Run(f"url={self.server.url} batch-size=100", frames=40)
        self.assertEqual(run.stats["delivered"], 40)
        self.assertLess(len(self.server.posts), 20)
        self.assertEqual(self.server.posts[-1][1]["Content-Type"], "application/x-ndjson")
        lines = "".join(body for _, _, body in self.server.posts)
        self.assertTrue(lines.endswith("\n"))
        self.assertEqual([json.loads(line)["frame"] for line in lines.splitlines()], list(range(40)))

    def test_a_slow_server_does_not_slow_the_video(self):
        self.server.delay = 0.5
        run = Run(f"url={self.server.url} queue-size=4 flush-timeout=200", frames=300)
        self.assertTrue(run.ended)
        self.assertIsNone(run.error)
        self.assertLess(run.seconds, 10, "300 answers take 150 s")
        stats = run.stats
        self.assertGreater(stats["dropped"], 280)
        self.assertEqual(stats["delivered"] + stats["dropped"] + stats["failed"], 300)
        self.assertTrue(any("lines were dropped" in warning for warning in run.warnings), run.warnings)
        self.assertTrue(any("not delivered yet" in warning for warning in run.warnings), run.warnings)

    def test_a_server_that_recovers_gets_everything(self):
        self.server.statuses = [503, 429]
        run = Run(f"url={self.server.url}", frames=3)
        self.assertEqual((run.stats["delivered"], run.stats["failures"]), (3, 2))
        self.assertEqual(len(run.warnings), 1, run.warnings)
        self.assertIn('the server answers 503 ("as the test says"). It is tried again in 0.5 s', run.warnings[0])

    def test_what_is_refused_is_lost_and_said(self):
        self.server.statuses = [400, 302]
        run = Run(f"url={self.server.url}", frames=3)
        self.assertEqual((run.stats["delivered"], run.stats["failed"]), (1, 2))
        self.assertIn("the server answers 400", run.warnings[0])
        self.assertIn("What was refused is lost", run.warnings[0])

    def test_nobody_there_is_one_warning_and_no_secret(self):
        run = Run("url=http://user:secret@127.0.0.1:1/x?token=secret flush-timeout=1000")
        self.assertIsNone(run.error)
        self.assertIn("cannot post to http://127.0.0.1:1/x: ", run.warnings[0])
        self.assertNotIn("secret", " ".join(run.warnings))
        self.assertEqual(len(run.warnings), 2, run.warnings)
        self.assertEqual(run.stats["failed"], 10)

    def test_an_answer_has_its_time(self):
        self.server.delay = 2
        run = Run(f"url={self.server.url} timeout=100 flush-timeout=2000", frames=1)
        self.assertGreaterEqual(run.stats["failures"], 1)
        self.assertIn("timed out", run.warnings[0].lower())

    def test_stops_at_once_while_the_server_hangs(self):
        self.server.delay = 5
        run = Run(f"url={self.server.url} timeout=60000 flush-timeout=60000", frames=3, stop_after=0.5)
        self.assertFalse(run.ended)
        self.assertLess(run.seconds_to_stop, 3)

    def test_stops_at_once_while_the_video_waits_for_room(self):
        self.server.delay = 5
        run = Run(f"url={self.server.url} queue-size=1 overflow=block", frames=10, stop_after=0.5)
        self.assertFalse(run.ended)
        self.assertLess(run.seconds_to_stop, 3)

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
            stranger = Run(f"url={server.url} flush-timeout=2000", frames=1)
            self.assertIn("Name whom to trust with ca-file", stranger.warnings[0])
            self.assertEqual(server.posts, [])
            known = Run(f"url={server.url} ca-file={certificate}", frames=3)
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
        lines = []

        def receive(listener):
            for most in (2, 1000):
                connection, _ = listener.accept()
                with connection, connection.makefile() as stream:
                    for _, line in zip(range(most), stream):
                        lines.append(json.loads(line)["frame"])

        receiver = threading.Thread(target=receive, args=[self.listen()])
        receiver.start()
        run = Run(f"socket={self.path}", frames=20, source="is-live=true")
        receiver.join(timeout=10)
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
        Run(f"socket={self.path}", frames=5)
        receiver.join(timeout=10)
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
