#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cameras for tests: python3 rtsp_server.py PORT PICTURE NAME...

Serves rtsp://127.0.0.1:PORT/NAME, ten small frames a second of a picture, until it is killed. Port 0: any that is free. Says
which port it took.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main():
    port, picture, *names = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for name in names:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( filesrc location={picture} ! pngdec ! imagefreeze is-live=true ! videoconvert ! videoscale ! "
                           "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc ! rtpjpegpay name=pay0 )")
        factory.set_shared(True)
        server.get_mount_points().add_factory(f"/{name}", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
