#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What taking embeddings over by track saves, and whether names stay: per_track.py CLIP GALLERY [--interval N] [--names]

Runs the clip three times, in the folder that holds models/: decided frame by frame, by track with every face embedded, and by track with
embeddings taken over. Tracks are made here, by overlap, so that no tracker's mistakes come in between.
"""
import argparse
import collections
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GObject, Gst, GstBase, Sightline  # noqa: E402

Gst.init(None)

LEAST_OVERLAP = 0.3  # intersection over union
PATIENCE = 15  # frames
Face = collections.namedtuple("Face", "track name votes taken_over")


def overlap(a, b):
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    common = max(width, 0) * max(height, 0)
    return common / (a.width * a.height + b.width * b.height - common)


class OverlapTracker(GstBase.BaseTransform):
    """Gives each object the track whose last box it overlaps most."""

    __gstmetadata__ = ("Overlap tracker", "Filter/Video", "Tracks objects by overlap", "The Sightline developers")
    __gsttemplates__ = (
        Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()),
        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()),
    )

    def __init__(self):
        super().__init__()
        self.set_in_place(True)
        self.frame, self.last, self.tracks = 0, 0, {}  # number: (box, frame)

    def do_transform_ip(self, buffer):
        self.frame += 1
        frame = Sightline.buffer_edit_frame(buffer)
        boxes = {o.get_id(): o.get_box() for o in map(frame.get_object, range(frame.get_n_objects()))}
        for object_id, track in self.assign(boxes).items():
            frame.edit_object(frame.find_object(object_id)).set_track(track)
        self.tracks = {n: t for n, t in self.tracks.items() if self.frame - t[1] < PATIENCE}
        return Gst.FlowReturn.OK

    def assign(self, boxes):
        pairs = sorted(((overlap(box, track[0]), i, n) for i, box in boxes.items() for n, track in self.tracks.items()), reverse=True)
        given = {}
        for common, i, number in pairs:
            if common >= LEAST_OVERLAP and i not in given and number not in given.values():
                given[i] = number
        for i, box in boxes.items():
            if i not in given:
                self.last += 1
                given[i] = self.last
            self.tracks[given[i]] = (box, self.frame)
        return given


GObject.type_register(OverlapTracker)
Gst.Element.register(None, "overlaptracker", 0, OverlapTracker)


def faces_of(frame):
    for face in map(frame.get_object, range(frame.get_n_objects())):
        identity = face.get_identity()
        taken_over = face.get_user_data("sightline-taken-over:3") is not None
        yield Face(face.get_track()[1], identity and identity.get_name(), identity and identity.get_votes(), taken_over)


def run(clip, gallery, interval, decide_by):
    """The faces of each frame, and the embedding stage's figures."""
    pipeline = Gst.parse_launch(
        f'filesrc location="{clip}" ! decodebin ! videoconvert ! video/x-raw,format=I420 ! sightinfer config-file=models/face-detect.ini'
        " ! overlaptracker ! sightinfer config-file=models/face-landmarks.ini ! sightinfer name=embed unique-id=3"
        f" config-file=models/face-embed.ini secondary-reinfer-interval={interval}"
        f' ! sightmatch gallery="{gallery}" decide-by={decide_by} ! fakesink name=end sync=false'
    )
    frames = []

    def take(_pad, info):
        frames.append(list(faces_of(Sightline.buffer_get_frame(info.get_buffer()))))
        return Gst.PadProbeReturn.OK

    pipeline.get_by_name("end").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, take)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    stats = pipeline.get_by_name("embed").get_property("stats")
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    return frames, stats


def names_of(frames):
    counts = collections.Counter(face.name or "unknown" for faces in frames for face in faces)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("gallery")
    parser.add_argument("--interval", type=int, default=-1, help="secondary-reinfer-interval; -1: as models/face-embed.ini says")
    parser.add_argument("--names", action="store_true", help="the names of each frame, in the three runs")
    options = parser.parse_args()

    by_frame, _ = run(options.clip, options.gallery, 0, "frame")
    every, _ = run(options.clip, options.gallery, 0, "track")
    taken_over, stats = run(options.clip, options.gallery, options.interval, "track")
    if options.names:
        for number, runs in enumerate(zip(by_frame, every, taken_over)):
            print(number, *(",".join(face.name or "unknown" for face in faces) or "-" for faces in runs), sep="\t")
    faces = [face for frame in every for face in frame]
    differ = sum(a.name != b.name for before, after in zip(every, taken_over) for a, b in zip(before, after))
    objects, looked_at = (stats.get_uint64(name)[1] for name in ("objects", "objects-looked-at"))
    print(f"{len(every)} frames, {len(faces)} faces, {len({face.track for face in faces})} tracks")
    print(f"by frame:                   {names_of(by_frame)}")
    print(f"by track, all embedded:     {names_of(every)}")
    print(f"by track, taken over:       {names_of(taken_over)}")
    print(f"embeddings computed / seen: {looked_at} / {objects} = {looked_at / max(objects, 1):.3f}; names that differ: {differ}")


if __name__ == "__main__":
    main()
