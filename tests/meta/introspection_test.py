# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C API as Python sees it through GObject introspection, without overrides."""

import ctypes
import gc
import json
import struct
import unittest

import gi

try:
    import numpy
except ImportError:
    numpy = None

gi.require_version("Gst", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GLib, Gst, Sightline  # noqa: E402


def make_box(x, y, width, height):
    box = Sightline.Box()
    box.x, box.y, box.width, box.height = x, y, width, height
    return box


def make_point(x, y):
    point = Sightline.Point()
    point.x, point.y = x, y
    return point


def make_tensor(name, values):
    data = GLib.Bytes.new(struct.pack(f"{len(values)}f", *values))
    return Sightline.Tensor.new(name, Sightline.ElementType.FLOAT32, [len(values)], data)


def fill(buffer):
    frame = Sightline.buffer_edit_frame(buffer)
    frame.set_size(640, 480)
    face = frame.add_object("face", 3, 0.5, make_box(1, 2, 30, 40), 0)
    face.set_landmarks([make_point(5, 6), make_point(7, 8.5)])
    face.set_track(9)
    face.set_identity(Sightline.Identity.new("p1", "Ada", 0.75, "p1", "Ada"))
    face.add_tensor(make_tensor("embedding", [1, -0.5, 0.25]))
    face.add_classification(Sightline.Classification.new("age", "20-29", 2, 0.5, "ages", 4))
    face.set_user_data("zone", Gst.Structure.new_from_string("zone, name=door"))
    frame.set_user_data("count", 3)
    return face.get_id()


class Introspection(unittest.TestCase):
    def test_reads_back_what_was_put_in(self):
        buffer = Gst.Buffer.new()
        face_id = fill(buffer)
        frame = Sightline.buffer_get_frame(buffer)
        self.assertEqual(frame.get_n_objects(), 1)
        face = frame.find_object(face_id)
        self.assertEqual((face.get_label(), face.get_class_id()), ("face", 3))
        box = face.get_box()
        self.assertEqual((box.x, box.y, box.width, box.height), (1, 2, 30, 40))
        self.assertEqual([(p.x, p.y) for p in face.get_landmarks()], [(5, 6), (7, 8.5)])
        self.assertEqual(tuple(face.get_track()), (True, 9))
        self.assertEqual(face.get_identity().get_name(), "Ada")
        self.assertEqual(face.find_tensor("embedding").get_floats(), [1, -0.5, 0.25])
        grey = Sightline.Tensor.new("grey", Sightline.ElementType.UINT8, [1], GLib.Bytes.new(b"g"))
        with self.assertRaisesRegex(GLib.Error, '"grey" is uint8, expected float32'):
            grey.get_floats()
        self.assertEqual(face.find_tensor("embedding").get_shape(), [3])
        self.assertEqual(face.get_classification(0).get_label(), "20-29")
        self.assertEqual(face.get_user_data("zone").get_string("name"), "door")
        self.assertEqual(frame.get_user_data_names(), ["count"])
        self.assertEqual(frame.get_user_data("count"), 3)
        event = json.loads(frame.to_json(40 * Gst.MSECOND))
        self.assertEqual(event["objects"][0]["identity"]["person"], "p1")

    def test_reads_what_analytics_found(self):
        zone = r"zone\,name\=door\,count\=(guint64)2\,in\=(guint64)5\,out\=(guint64)3\;"
        analytics = Gst.Structure.new_from_string(f'sightline-analytics, zones=<(GstStructure)"{zone}">, direction=north')
        buffer = Gst.Buffer.new()
        face_id = fill(buffer)
        frame = Sightline.buffer_edit_frame(buffer)
        frame.set_user_data("sightline-analytics", analytics)
        face = frame.edit_object(frame.find_object(face_id))
        face.set_user_data("sightline-analytics", analytics)
        self.assertEqual((frame.get_lines(), frame.get_zones()), ([], ["door"]))
        self.assertEqual(tuple(frame.get_zone_count("door")), (True, 2, 5, 3, False))
        self.assertEqual(tuple(frame.get_line_count("door")), (False, 0, 0))
        self.assertEqual(face.get_direction(), "north")
        self.assertEqual(tuple(face.is_in_zone("door")), (True, 0))
        self.assertEqual(tuple(face.has_crossed("door")), (False, False))

    def test_absent_is_none(self):
        self.assertIsNone(Sightline.buffer_get_frame(Gst.Buffer.new()))
        frame = Sightline.Frame.new(1, 1)
        face = frame.add_object(None, -1, 1, make_box(0, 0, 1, 1), 0)
        self.assertIsNone(face.get_label())
        self.assertIsNone(face.get_identity())
        self.assertIsNone(face.find_tensor("x"))
        self.assertEqual(face.get_landmarks(), [])

    def test_setters_on_a_sealed_object_raise(self):
        buffer = Gst.Buffer.new()
        face_id = fill(buffer)
        frame = Sightline.buffer_get_frame(buffer)
        face = frame.find_object(face_id)
        for change in (
            lambda: face.set_track(1),
            lambda: face.set_box(make_box(0, 0, 1, 1)),
            lambda: face.set_user_data("zone", 1),
            lambda: frame.remove_object(face),
            lambda: frame.add_object("x", 0, 1, make_box(0, 0, 1, 1), 0),
        ):
            with self.assertRaises(GLib.Error) as raised:
                change()
            self.assertTrue(
                raised.exception.matches(Sightline.error_quark(), Sightline.Error.READ_ONLY)
            )

    def test_editing_again_leaves_the_snapshot(self):
        buffer = Gst.Buffer.new()
        face_id = fill(buffer)
        snapshot = Sightline.buffer_get_frame(buffer)
        frame = Sightline.buffer_edit_frame(buffer)
        frame.edit_object(frame.find_object(face_id)).set_track(10)
        self.assertEqual(snapshot.find_object(face_id).get_track().track, 9)
        self.assertEqual(Sightline.buffer_get_frame(buffer).find_object(face_id).get_track().track, 10)

    def test_wrong_input_raises(self):
        frame = Sightline.Frame.new(1, 1)
        with self.assertRaises(GLib.Error) as raised:
            frame.add_object("x", 0, 1, make_box(0, float("nan"), 1, 1), 0)
        self.assertTrue(raised.exception.matches(Sightline.error_quark(), Sightline.Error.INPUT))
        with self.assertRaises(GLib.Error):
            Sightline.Tensor.new("x", Sightline.ElementType.FLOAT32, [2], GLib.Bytes.new(b"123"))

    def test_results_outlive_the_buffer(self):
        buffer = Gst.Buffer.new()
        face_id = fill(buffer)
        face = Sightline.buffer_get_frame(buffer).find_object(face_id)
        landmarks, data = face.get_landmarks(), face.find_tensor("embedding").get_bytes()
        del buffer
        gc.collect()
        self.assertEqual(face.get_label(), "face")
        del face
        gc.collect()
        self.assertEqual(landmarks[1].y, 8.5)
        self.assertEqual(struct.unpack("3f", data.get_data())[0], 1)


class DlpackArray:
    """What torch.from_dlpack(), cupy.from_dlpack() and numpy.from_dlpack() take (docs/gpu.md)."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, stream=None):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(self.tensor.to_dlpack(), b"dltensor", None)

    def __dlpack_device__(self):
        gpu = self.tensor.get_gpu()
        return (1, 0) if gpu < 0 else (2, gpu)


@unittest.skipIf(numpy is None, "NumPy is not there")
class Dlpack(unittest.TestCase):
    def test_an_array_shares_the_memory_and_outlives_the_tensor(self):
        data = GLib.Bytes.new(struct.pack("6f", *range(6)))
        tensor = Sightline.Tensor.new("x", Sightline.ElementType.FLOAT32, [2, 3], data)
        array = numpy.from_dlpack(DlpackArray(tensor))
        del tensor, data
        gc.collect()
        self.assertEqual(array.dtype, numpy.float32)
        self.assertEqual(array.tolist(), [[0, 1, 2], [3, 4, 5]])

    def test_every_type_is_told(self):
        for kind in ("FLOAT64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"):
            dtype = numpy.dtype(kind.lower())
            data = GLib.Bytes.new(numpy.array([1, 2, 3], dtype).tobytes())
            tensor = Sightline.Tensor.new("x", getattr(Sightline.ElementType, kind), [3], data)
            array = numpy.from_dlpack(DlpackArray(tensor))
            self.assertEqual(array.dtype, dtype)
            self.assertEqual(array.tolist(), [1, 2, 3])


if __name__ == "__main__":
    Gst.init(None)
    unittest.main()
