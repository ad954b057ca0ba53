#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Python costs: reading faces, crops for a network of one's own, adding objects with tensors, calls by sightpython.

Usage: python_bench.py [--rounds N] [--json]        in the environment of `meson devenv -C build -w .`

Each figure is the median of the rounds, in microseconds a frame. What is compared takes turns within a round.
"""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import Gst, GstVideo, Sightline  # noqa: E402

try:
    import cv2
except ImportError:
    cv2 = None

FACES, OBJECTS, DIMENSIONS = 8, 100, 128
WIDTH, HEIGHT, SIDE = 1920, 1080, 160
# ArcFace's template, in pixels of 112 x 112 with centres at whole numbers.
TEMPLATE = numpy.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
MEAN, DEVIATION = 127.5, 128.0


def nv12_frame():
    """A smooth picture, as cameras give, in NV12."""
    info = GstVideo.VideoInfo()
    info.set_format(GstVideo.VideoFormat.NV12, WIDTH, HEIGHT)
    across, down = numpy.meshgrid(numpy.arange(WIDTH), numpy.arange(HEIGHT))
    luma = (128 + 60 * numpy.sin(across / 37) + 40 * numpy.cos(down / 23)).astype(numpy.uint8)
    chroma = numpy.stack([luma[::2, ::2] // 2 + 64, 192 - luma[::2, ::2] // 2], axis=-1)
    buffer = Gst.Buffer.new_wrapped(luma.tobytes() + chroma.tobytes())
    GstVideo.buffer_add_video_meta(buffer, 0, GstVideo.VideoFormat.NV12, WIDTH, HEIGHT)
    return buffer, info


def landmarks_of(face):
    """Those of a face 100 to 240 pixels wide, turned by up to half a radian."""
    angle, scale = (face - FACES / 2) / FACES, (100 + 20 * face) / 112
    turn = scale * numpy.array([[numpy.cos(angle), -numpy.sin(angle)], [numpy.sin(angle), numpy.cos(angle)]])
    return (TEMPLATE - 56) @ turn.T + (200 + 220 * (face % 4) * 1.8, 270 + 480 * (face // 4))


def add_faces(buffer):
    with Sightline.edit(buffer) as frame:
        frame.set_size(WIDTH, HEIGHT)
        for i in range(FACES):
            points = landmarks_of(i)
            left, top = points.min(axis=0)
            right, bottom = points.max(axis=0)
            face = frame.add_object("face", 0, 0.9, (left, top, right - left, bottom - top))
            face.landmarks = points + 0.5
            face.track = i + 1
            face.identity = Sightline.Identity(f"p{i}", "Ada", 0.7, f"p{i}", "Ada")
            face.add_tensor("embedding", numpy.random.default_rng(i).standard_normal(DIMENSIONS).astype(numpy.float32))


# --- what is measured -----------------------------------------------------------------------------


def read_faces(buffer):
    for face in Sightline.frame(buffer).objects:
        face.label, face.box, face.landmarks, face.identity, face.tensors["embedding"].numpy()


def read_embeddings(buffer):
    for face in Sightline.frame(buffer).objects:
        face.tensors["embedding"].numpy()


def read_by_introspection(buffer):
    """Without the overrides: tensors become lists of numbers."""
    frame = Sightline.buffer_get_frame(buffer)
    for i in range(frame.get_n_objects()):
        face = frame.get_object(i)
        face.get_label(), face.get_box(), face.get_landmarks(), face.get_identity()
        numpy.array(face.find_tensor("embedding").get_floats(), numpy.float32)


def copied_bytes(buffer):
    """Of tensors, when they become arrays: 0 if each array lies where the tensor does."""
    copied = 0
    for face in Sightline.frame(buffer).objects:
        tensor = face.tensors["embedding"]
        if numpy.from_dlpack(tensor).ctypes.data != tensor.numpy().ctypes.data:
            copied += tensor.numpy().nbytes
    return copied


def crop_faces(buffer, info):
    faces = Sightline.frame(buffer).objects
    return Sightline.crop(buffer, faces, (SIDE, SIDE), info=info, align="arcface-112", mean=MEAN, std=DEVIATION).numpy()


def crop_with_opencv(buffer, info):
    """As it is done without: the frame as BGR, each face warped out of it, then normalised."""
    y, uv = Sightline.planes(buffer, info)
    picture = cv2.cvtColorTwoPlane(y, uv, cv2.COLOR_YUV2RGB_NV12)
    target = (TEMPLATE * (SIDE / 112)).astype(numpy.float32)
    crops = numpy.empty((FACES, 3, SIDE, SIDE), numpy.float32)
    for crop, face in zip(crops, Sightline.frame(buffer).objects):
        matrix, _ = cv2.estimateAffinePartial2D(face.landmarks - 0.5, target, method=cv2.LMEDS)
        warped = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        crop[:] = ((warped.astype(numpy.float32) - MEAN) / DEVIATION).transpose(2, 0, 1)
    return crops


def add_objects(vectors):
    buffer = Gst.Buffer.new()
    with Sightline.edit(buffer) as frame:
        for vector in vectors:
            frame.add_object("car", 2, 0.9, (1, 2, 30, 40)).add_tensor("embedding", vector)
    return buffer


def read_objects(buffer):
    return sum(float(each.tensors["embedding"].numpy()[0]) for each in Sightline.frame(buffer).objects)


def copy_buffer(buffer):
    return buffer.copy()


MODULE = """
def nothing(frame, buffer, info):
    pass

def read(frame, buffer, info):
    for face in frame.objects:
        face.tensors
"""


def time_a_frame(description, frames, prepare=lambda pipeline: None):
    """Microseconds, of a whole pipeline from its first frame on. Raises RuntimeError."""
    pipeline = Gst.parse_launch(description)
    prepare(pipeline)
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    begin = time.perf_counter()
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    elapsed = time.perf_counter() - begin
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        raise RuntimeError(message.parse_error().gerror.message)
    return elapsed / frames * 1e6


def time_of_call(elements, frames=3000, prepare=lambda pipeline: None):
    """With these elements, and frames that have no pixels to speak of."""
    return time_a_frame(f"fakesrc num-buffers={frames} sizetype=fixed sizemax=16 ! application/x-none ! {elements} ! fakesink name=end",
                        frames, prepare)


def probed(add_probe):
    """The same with a probe, which add_probe(pad) adds."""
    return time_of_call("identity", prepare=lambda pipeline: add_probe(pipeline.get_by_name("end").get_static_pad("sink")))


DETECTOR = """[property]
onnx-file = face-detect.onnx
model-family = {family}
model-color-format = rgb
offsets = 127;127;127
net-scale-factor = 0.0078125
"""

DECODE = """
def nothing(outputs, size):
    return ()
"""


def detector_of(folder, family):
    """The default face detector, its outputs read by a family; None where it has not been fetched."""
    (folder / "decode.py").write_text(DECODE, encoding="utf-8")
    config = folder / f"{family.split(':')[0]}.ini"
    config.write_text(DETECTOR.format(family=family), encoding="utf-8")
    try:
        time_of_video(f"sightinfer config-file={config}", 1)
    except RuntimeError:
        return None
    return config


def time_of_video(elements, frames=100):
    """Of 320 x 240, with the detector in the pipeline."""
    return time_a_frame(f"videotestsrc num-buffers={frames} ! video/x-raw,format=RGB,width=320,height=240 ! {elements} ! fakesink", frames)


def microseconds(function, *arguments, repeat=20):
    begin = time.perf_counter()
    for _ in range(repeat):
        function(*arguments)
    return (time.perf_counter() - begin) / repeat * 1e6


def measure(rounds):
    buffer, info = nv12_frame()
    add_faces(buffer)
    vectors = [numpy.full(DIMENSIONS, i, numpy.float32) for i in range(OBJECTS)]
    with_objects = add_objects(vectors)
    folder = tempfile.TemporaryDirectory()
    module = pathlib.Path(folder.name) / "functions.py"
    module.write_text(MODULE, encoding="utf-8")
    jobs = {
        f"read {FACES} faces: label, box, landmarks, identity, embedding": lambda: microseconds(read_faces, buffer),
        f"read {FACES} faces: embedding alone": lambda: microseconds(read_embeddings, buffer),
        f"read {FACES} faces by bare introspection": lambda: microseconds(read_by_introspection, buffer),
        f"crop {FACES} aligned faces {SIDE}x{SIDE} of 1080p NV12": lambda: microseconds(crop_faces, buffer, info),
        f"add {OBJECTS} objects with a {DIMENSIONS}-d tensor": lambda: microseconds(add_objects, vectors),
        f"read {OBJECTS} objects' tensors": lambda: microseconds(read_objects, with_objects),
        f"copy a buffer with {OBJECTS} such objects": lambda: microseconds(copy_buffer, with_objects),
        "a pipeline without an element": lambda: time_of_call("identity"),
        "with sightpython, whose function does nothing": lambda: time_of_call(f"identity ! sightpython module={module} function=nothing"),
        "with a probe of Sightline.add_probe() that does nothing": lambda: probed(
            lambda pad: Sightline.add_probe(pad, lambda pad, buffer: None)),
        "with a plain probe that does nothing": lambda: probed(
            lambda pad: pad.add_probe(Gst.PadProbeType.BUFFER, lambda pad, info: Gst.PadProbeReturn.OK)),
    }
    if detector := detector_of(pathlib.Path(folder.name), "raw"):
        in_python = detector_of(pathlib.Path(folder.name), "python:decode.py:nothing")
        jobs["a detector whose outputs are left as they are"] = lambda: time_of_video(f"sightinfer config-file={detector}")
        jobs["the same whose outputs a Python family gets, which finds nothing"] = lambda: time_of_video(f"sightinfer config-file={in_python}")
    if cv2 is not None:
        jobs[f"the same crops with OpenCV {cv2.__version__}, {cv2.getNumThreads()} threads"] = lambda: microseconds(
            crop_with_opencv, buffer, info)
    times = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(job())
    figures = {name: statistics.median(values) for name, values in times.items()}
    difference = None
    if cv2 is not None:
        difference = float(numpy.abs(crop_faces(buffer, info) - crop_with_opencv(buffer, info)).mean() * DEVIATION)
    return {"microseconds": figures, "bytes copied of tensors read": copied_bytes(buffer), "mean difference to OpenCV, pixel values": difference}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    Gst.init(None)
    figures = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures["microseconds"].items():
        print(f"{value:10.1f} µs  {name}")
    print(f"{figures['bytes copied of tensors read']:10d} bytes copied when tensors are read as arrays")
    if figures["mean difference to OpenCV, pixel values"] is not None:
        print(f"{figures['mean difference to OpenCV, pixel values']:10.2f} mean difference of the crops to OpenCV's, in pixel values of 0 to 255;",
              "it takes all video for BT.601")


if __name__ == "__main__":
    main()
