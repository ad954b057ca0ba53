#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faces and their embeddings the way it is done without Sightline: a pad probe with numpy, OpenCV and ONNX Runtime.

Usage: baseline.py CLIP [--models FOLDER] [--threads N]

The same networks and the same steps as models/face-detect.ini (without its second look), face-landmarks.ini and face-embed.ini;
prints each face's box and the first numbers of its embedding. `bench/cascade_bench` measures Sightline against it.
Needs Debian's python3-gi, gir1.2-gst-plugins-base-1.0, python3-numpy and python3-opencv.
"""
import argparse
import os
import pathlib
import sys

import cv2
import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo  # noqa: E402

from onnxruntime_c import Runtime, Session  # noqa: E402

MODELS = pathlib.Path(os.environ.get(
    "SIGHTLINE_MODELS", pathlib.Path(os.environ.get("XDG_DATA_HOME", "~/.local/share")).expanduser() / "sightline/models"))

# dlib's mean face, landmarks 17 to 67 of 68, in units of the face's box: the published constants of get_face_chip_details().
MEAN_FACE = numpy.array([
    (0.000213256, 0.106454), (0.0752622, 0.038915), (0.18113, 0.0187482), (0.29077, 0.0344891), (0.393397, 0.0773906),
    (0.586856, 0.0773906), (0.689483, 0.0344891), (0.799124, 0.0187482), (0.904991, 0.038915), (0.98004, 0.106454),
    (0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625), (0.36688, 0.587326),
    (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326), (0.121737, 0.216423),
    (0.187122, 0.178758), (0.265825, 0.179852), (0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077),
    (0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758), (0.858516, 0.216423), (0.79751, 0.244077),
    (0.719335, 0.245099), (0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578),
    (0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233), (0.642159, 0.864805), (0.556721, 0.902192),
    (0.490127, 0.909281), (0.423532, 0.902192), (0.338094, 0.864805), (0.290379, 0.784792), (0.428096, 0.778746),
    (0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792), (0.553364, 0.824182), (0.490127, 0.831803),
    (0.42689, 0.824182)])
FIRST_LANDMARK, PADDING, CHIP = 17, 0.225, 150
TEMPLATE = (PADDING + MEAN_FACE) / (1 + 2 * PADDING) * CHIP
EMBEDDING_MEAN = numpy.array((122.782, 117.001, 104.298), numpy.float32)


class Faces:
    """Finds faces in an RGB picture and describes each. `counts` notes how many there were in each picture."""

    def __init__(self, models=MODELS, threads=1, library=None):
        runtime = Runtime(library)
        self._detector, self._landmarks, self._embedding = (
            Session(models / f"face-{name}.onnx", threads, runtime) for name in ("detect", "landmarks", "embed"))
        self.counts = []

    def __call__(self, picture):
        """Boxes [n,4] (left, top, width, height) and embeddings [n,128]."""
        boxes = self.detect(picture)
        self.counts.append(len(boxes))
        if not len(boxes):
            return boxes, numpy.empty((0, 128), numpy.float32)
        landmarks = self.find_landmarks(picture, boxes)
        return boxes, self.embed(picture, landmarks)

    def detect(self, picture, threshold=0.8, overlap=0.35):
        height, width = self._detector.input_shape[2:]
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        left, top = (width - size[0]) // 2, (height - size[1]) // 2
        letterbox = numpy.zeros((height, width, 3), numpy.uint8)
        letterbox[top:top + size[1], left:left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        scores, corners = self._detector.run(nchw((letterbox[None] - numpy.float32(127)) / 128))
        confident = scores[0, :, 1] >= threshold
        scores = scores[0, confident, 1]
        corners = (corners[0, confident] * (width, height, width, height) - (left, top, left, top)) / scale
        boxes = numpy.hstack((corners[:, :2], corners[:, 2:] - corners[:, :2]))
        best = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), threshold, overlap)
        return boxes[numpy.asarray(best, int).flatten()]

    def find_landmarks(self, picture, boxes, margin=0.05):
        """[n,68,2], in pixels of the picture."""
        height, width = self._landmarks.input_shape[2:]
        grown = boxes * (1, 1, 1 + 2 * margin, 1 + 2 * margin) - boxes[:, [2, 3, 2, 3]] * (margin, margin, 0, 0)
        crops = [cv2.cvtColor(cut_out(picture, box, (width, height)), cv2.COLOR_RGB2GRAY) for box in grown]
        points = in_batches(self._landmarks, numpy.stack(crops)[:, None].astype(numpy.float32) / 256)
        return points.reshape(len(boxes), -1, 2) * grown[:, None, 2:] + grown[:, None, :2]

    def embed(self, picture, landmarks):
        chips = [cv2.warpAffine(picture, similarity(points[FIRST_LANDMARK:] - 0.5, TEMPLATE), (CHIP, CHIP)) for points in landmarks]
        chips = nchw((numpy.stack(chips) - EMBEDDING_MEAN) / 256)
        both = numpy.concatenate((chips, chips[..., ::-1]))  # each as it is, and as a mirror shows it
        embeddings = in_batches(self._embedding, numpy.ascontiguousarray(both))
        embeddings = embeddings[:len(chips)] + embeddings[len(chips):]
        return embeddings / numpy.linalg.norm(embeddings, axis=1, keepdims=True)


def nchw(images):
    return numpy.ascontiguousarray(images.transpose(0, 3, 1, 2), numpy.float32)


def in_batches(session, images):
    """The first output for all images, in runs as large as the model allows."""
    batch = len(images) if session.input_shape[0] < 0 else session.input_shape[0]
    return numpy.concatenate([session.run(images[i:i + batch])[0] for i in range(0, len(images), batch)])


def cut_out(picture, box, size):
    """The box, scaled to `size`; black where it leaves the picture."""
    left, top = numpy.floor(box[:2]).astype(int)
    right, bottom = numpy.ceil(box[:2] + box[2:]).astype(int)
    inside = picture[max(top, 0):max(bottom, 0), max(left, 0):max(right, 0)]
    if inside.shape[:2] != (bottom - top, right - left):
        inside = cv2.copyMakeBorder(inside, max(-top, 0), max(bottom - picture.shape[0], 0), max(-left, 0),
                                    max(right - picture.shape[1], 0), cv2.BORDER_CONSTANT)
    return cv2.resize(inside, size, interpolation=cv2.INTER_AREA)


def similarity(points, target):
    """The rotation, scale and shift that bring points nearest to target, as a matrix [2,3]: least squares, in complex numbers."""
    p, q = points @ (1, 1j), target @ (1, 1j)
    turn = numpy.vdot(p - p.mean(), q - q.mean()) / numpy.vdot(p - p.mean(), p - p.mean()).real
    shift = q.mean() - turn * p.mean()
    return numpy.array(((turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)))


def rgb_picture(caps, buffer):
    """An NV12 buffer, copied and converted."""
    info = GstVideo.VideoInfo.new_from_caps(caps)
    data = numpy.frombuffer(buffer.extract_dup(0, buffer.get_size()), numpy.uint8)
    rows = lambda plane, height: data[info.offset[plane]:][:info.stride[plane] * height].reshape(height, -1)
    luma = rows(0, info.height)[:, :info.width]
    chroma = rows(1, info.height // 2)[:, :info.width].reshape(info.height // 2, info.width // 2, 2)
    return cv2.cvtColorTwoPlane(luma, chroma, cv2.COLOR_YUV2RGB_NV12)


def print_faces(pad, info, faces):
    for box, embedding in zip(*faces(rgb_picture(pad.get_current_caps(), info.get_buffer()))):
        print(*(f"{number:.0f}" for number in box), *(f"{number:.4f}" for number in embedding[:4]), "…", sep="\t")
    return Gst.PadProbeReturn.OK


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("--models", type=pathlib.Path, default=MODELS)
    parser.add_argument("--threads", type=int, default=1, help="threads within a run")
    options = parser.parse_args()
    Gst.init(None)
    pipeline = Gst.parse_launch(f'filesrc location="{options.clip}" ! decodebin ! videoconvert ! video/x-raw,format=NV12 ! fakesink name=end')
    faces = Faces(options.models, options.threads)
    pipeline.get_by_name("end").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, print_faces, faces)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error().gerror.message)


if __name__ == "__main__":
    main()
