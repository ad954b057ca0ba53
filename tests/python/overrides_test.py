# SPDX-License-Identifier: LGPL-2.1-or-later
"""What gi/overrides/Sightline.py and its extension promise: arrays without copies, results from Python, wrong input."""

import ctypes
import gc
import sys
import threading
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("Sightline", "1.0")
from gi.repository import GLib, Gst, GstVideo, Sightline  # noqa: E402

import numpy  # noqa: E402

Error = Sightline.Error
TOLERANCE = 0.125  # of a pixel value of 0 to 255: what src/preprocess promises
DTYPES = ("float32", "float16", "uint8", "int8", "int32", "int64", "float64", "uint16", "int16", "uint32", "uint64", "bool")


def info_of(form, width, height):
    info = GstVideo.VideoInfo()
    assert info.set_format(GstVideo.VideoFormat.from_string(form), width, height)
    return info


def noise(info):
    """A buffer of noise, and its bytes."""
    values = numpy.random.default_rng(7).integers(0, 256, info.size, numpy.uint8)
    return Gst.Buffer.new_wrapped(values.tobytes()), values


def with_face(buffer):
    with Sightline.edit(buffer) as frame:
        frame.set_size(64, 48)
        face = frame.add_object("face", 3, 0.5, (1, 2, 30, 40))
        face.landmarks = [(5, 6), (7, 8.5)]
        face.track = 9
        face.identity = Sightline.Identity("p1", "Ada", 0.75, "p1", "Ada")
        face.add_tensor("embedding", numpy.array([1, -0.5, 0.25], numpy.float32))
        face.add_classification("age", "20-29", 0.5, 2)
        face.user_data["zone"] = {"name": "door"}
    return buffer


class Raises:
    def assert_raises(self, code, words, function):
        with self.assertRaises(GLib.Error) as raised:
            function()
        self.assertTrue(raised.exception.matches(Sightline.error_quark(), code), raised.exception)
        self.assertIn(words, raised.exception.message)


class Reading(unittest.TestCase, Raises):
    def test_what_is_written_is_read(self):
        (face,) = Sightline.frame(with_face(Gst.Buffer.new())).objects
        self.assertEqual((face.label, face.class_id, face.confidence, face.track, face.parent), ("face", 3, 0.5, 9, 0))
        self.assertEqual(tuple(face.box), (1, 2, 30, 40))
        self.assertEqual(face.landmarks.tolist(), [[5, 6], [7, 8.5]])
        self.assertEqual((face.identity.known, face.identity.name, face.identity.similarity), (True, "Ada", 0.75))
        self.assertEqual(face.tensors["embedding"].numpy().tolist(), [1, -0.5, 0.25])
        (age,) = face.classifications
        self.assertEqual((age.attribute, age.label, age.confidence, age.class_id), ("age", "20-29", 0.5, 2))
        self.assertEqual(face.user_data["zone"].get_string("name"), "door")

    def test_an_identity_says_how_probably_by_which_gallery_and_who_else_is_near(self):
        bare = Sightline.Identity("p1", "Ada", 0.75)
        self.assertEqual((bare.gallery, bare.threshold, bare.probability, bare.candidates), (None, None, None, []))
        near = [Sightline.Candidate("p1", "Ada", "a.db", 0.75, 0.5), Sightline.Candidate("p2")]
        unknown = Sightline.Identity(similarity=0.75, nearest_person="p1", nearest_name="Ada", gallery="a.db", threshold=0.875, probability=0.5,
                                     candidates=near)
        near.clear()
        self.assertEqual((unknown.known, unknown.nearest_name, unknown.gallery, unknown.threshold, unknown.probability),
                         (False, "Ada", "a.db", 0.875, 0.5))
        self.assertEqual([(c.person, c.name, c.gallery, c.similarity, c.probability) for c in unknown.candidates],
                         [("p1", "Ada", "a.db", 0.75, 0.5), ("p2", None, None, 0.0, None)])
        self.assertEqual(repr(unknown.candidates), "[<Sightline.Candidate Ada 0.750>, <Sightline.Candidate p2 0.000>]")
        with Sightline.edit(Gst.Buffer.new()) as frame:
            frame.add_object("face", 3, 0.5, (1, 2, 30, 40)).identity = unknown
        (face,) = frame.objects
        self.assertEqual((face.identity.probability, len(face.identity.candidates)), (0.5, 2))

    def test_what_is_not_there_is_none_or_empty(self):
        frame = Sightline.Frame.new(1, 1)
        face = frame.add_object(box=(0, 0, 1, 1))
        self.assertEqual((face.label, face.identity, face.track, face.corners, face.direction), (None,) * 5)
        self.assertEqual((list(face.tensors), dict(face.user_data), face.classifications, face.landmark_confidences), ([], {}, [], []))
        self.assertEqual(face.landmarks.shape, (0, 2))
        self.assertIsNone(face.tensors.get("x"))
        with self.assertRaisesRegex(KeyError, "no tensor \"x\"; there are: none"):
            face.tensors["x"]

    def test_a_buffer_without_results_has_an_empty_frame_that_cannot_be_changed(self):
        buffer = Gst.Buffer.new()
        frame = Sightline.frame(buffer)
        self.assertEqual((frame.objects, len(frame.tensors), frame.classifications), ([], 0, []))
        self.assert_raises(Error.READ_ONLY, "changed", lambda: frame.add_object(box=(0, 0, 1, 1)))
        self.assertIsNone(Sightline.buffer_get_frame(buffer), "reading added something")

    def test_of_tensors_with_one_name_the_newest_counts(self):
        frame = Sightline.Frame.new(1, 1)
        for i in range(3):
            frame.add_tensor("x", numpy.array([i]))
        frame.add_tensor("y", numpy.array([9]))
        self.assertEqual(list(frame.tensors), ["x", "y"])
        self.assertEqual(frame.tensors["x"].numpy()[0], 2)
        self.assertEqual(len(frame.tensors.all), 4)

    def test_results_outlive_the_buffer(self):
        buffer = with_face(Gst.Buffer.new())
        (face,) = Sightline.frame(buffer).objects
        landmarks, embedding = face.landmarks, face.tensors["embedding"].numpy()
        del buffer, face
        gc.collect()
        self.assertEqual(landmarks.tolist(), [[5, 6], [7, 8.5]])
        self.assertEqual(embedding.tolist(), [1, -0.5, 0.25])

    def test_user_data_outlives_the_buffer_and_what_is_written_over_it(self):
        def note(text):
            return {"text": text * 100, "inner": {"text": text * 100, "list": [{"text": text * 100}]}}

        def texts(structure):
            return {structure["text"], structure["inner"]["text"], structure["inner"]["list"][0]["text"]}

        buffer = Gst.Buffer.new()
        with Sightline.edit(buffer) as frame:
            frame.user_data["note"] = note("old")
            face = frame.add_object(box=(0, 0, 1, 1))
            face.user_data["note"] = note("old")
            before = frame.user_data["note"]
            frame.user_data["note"] = note("new")
        after, inner, raw = frame.user_data["note"], face.user_data["note"]["inner"], face.get_user_data("note")
        del buffer, frame, face
        gc.collect()
        garbage = [Gst.Structure("note", text="xxx" * 100) for _ in range(100)]
        self.assertEqual((texts(before), texts(after), texts(raw)), ({"old" * 100}, {"new" * 100}, {"old" * 100}))
        self.assertEqual(inner["text"], "old" * 100)
        del garbage

    def test_user_data_of_a_type_that_only_c_knows_is_held_and_printed(self):
        gobject, glib, sightline = (ctypes.CDLL(name) for name in ("libgobject-2.0.so.0", "libglib-2.0.so.0", "libsightline-1.0.so"))
        register, put = gobject.g_boxed_type_register_static, sightline.sight_frame_set_user_boxed
        register.restype, put.argtypes = ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p]
        text = register(b"SightTestText", ctypes.cast(glib.g_strdup, ctypes.c_void_p), ctypes.cast(glib.g_free, ctypes.c_void_p))
        frame = Sightline.Frame.new(1, 1)
        self.assertTrue(put(hash(frame), b"note", text, b"words", None))
        note = frame.user_data["note"]
        self.assertEqual(repr(frame.user_data), "{'note': <a value of a C type>}")
        del frame
        gc.collect()
        self.assertEqual(ctypes.string_at(hash(note)), b"words")

    def test_everything_can_be_printed(self):
        (face,) = Sightline.frame(with_face(Gst.Buffer.new())).objects
        self.assertIn("\"face\" 0.50 (1.0, 2.0, 30.0, 40.0)", repr(face))
        self.assertEqual(repr(face.box), "Sightline.Box(1, 2, 30, 40)")
        self.assertEqual(repr(face.tensors["embedding"]), "<Sightline.Tensor \"embedding\" float32 [3]>")
        self.assertEqual(repr(face.identity), "<Sightline.Identity Ada 0.750>")
        self.assertEqual(repr(face.classifications), "[<Sightline.Classification age: 20-29 0.50>]")


class Tensors(unittest.TestCase, Raises):
    def test_an_array_is_the_memory_of_the_tensor(self):
        data = GLib.Bytes.new(numpy.arange(6, dtype=numpy.float32).tobytes())
        tensor = Sightline.Tensor.new("x", Sightline.ElementType.FLOAT32, [2, 3], data)
        address = ctypes.CDLL("libsightline-1.0.so").sight_tensor_get_data
        address.restype, address.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p]
        array = tensor.numpy()
        self.assertEqual(array.ctypes.data, address(hash(tensor), None))
        self.assertEqual(numpy.asarray(tensor).ctypes.data, array.ctypes.data)
        self.assertEqual(numpy.from_dlpack(tensor).ctypes.data, array.ctypes.data)
        self.assertEqual(array.tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(numpy.asarray(tensor, numpy.float64).tolist(), array.tolist())

    def test_an_array_is_read_only_for_everybody(self):
        tensor = Sightline.Tensor("x", numpy.zeros(4))
        array = tensor.numpy()
        with self.assertRaises(ValueError):
            array[0] = 1
        with self.assertRaises(ValueError):
            array.flags.writeable = True
        self.assertTrue(memoryview(array).readonly)

    def test_an_array_keeps_the_tensor_and_lets_go_of_it(self):
        tensor = Sightline.Tensor("x", numpy.arange(1000.0))
        arrays = [tensor.numpy(), numpy.from_dlpack(tensor)]
        del tensor
        gc.collect()
        garbage = [numpy.ones(1000) for _ in range(100)]
        for array in arrays:
            self.assertEqual(array.sum(), 499500)
        del garbage

    def test_nothing_leaks(self):
        data = numpy.zeros(1 << 20, numpy.uint8)

        def once():
            tensor = Sightline.Tensor("x", data)
            tensor.numpy(), tensor.__dlpack__(), tensor.to_dlpack(), tensor.__dlpack__(max_version=(1, 0)), numpy.from_dlpack(tensor)

        once()
        before = resident()
        for _ in range(200):
            once()
        self.assertLess(resident() - before, 20 << 20, "200 tensors of a megabyte")

    def test_every_type_goes_in_and_comes_out(self):
        for name in DTYPES:
            array = numpy.array([[0, 1, 2], [3, 4, 5]]).astype(name)
            tensor = Sightline.Tensor("x", array)
            self.assertEqual((tensor.dtype, tensor.shape, tensor.gpu), (name, (2, 3), None))
            self.assertEqual(tensor.numpy().dtype, numpy.dtype(name))
            self.assertEqual(tensor.numpy().tolist(), array.tolist())

    def test_any_shape_and_order_goes_in(self):
        values = numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4)
        for array in (values.T, values[:, ::2], values[::-1], values[0, 0, 0], numpy.zeros((0, 3)), numpy.asfortranarray(values)):
            self.assertEqual(Sightline.Tensor("x", array).numpy().tolist(), array.tolist())
            self.assertEqual(Sightline.Tensor("x", array).numpy().shape, array.shape)
        self.assertEqual(Sightline.Tensor("x", b"\1\2").numpy().tolist(), [1, 2])

    def test_an_array_that_changes_afterwards_changes_no_tensor(self):
        array = numpy.zeros(3)
        tensor = Sightline.Tensor("x", array)
        array[:] = 1
        self.assertEqual(tensor.numpy().tolist(), [0, 0, 0])

    def test_what_is_no_array_is_refused(self):
        for wrong, words in (([1, 2], "a list has no elements"), ("text", "a str has no elements"), (None, "NoneType"), (3.5, "a float")):
            with self.assertRaisesRegex(TypeError, words):
                Sightline.Tensor("x", wrong)
        for dtype in ("complex64", ">f4", "U4", "M8[s]", "O"):
            with self.assertRaises((TypeError, ValueError, BufferError), msg=dtype):
                Sightline.Tensor("x", numpy.zeros(2, dtype))
        with self.assertRaisesRegex(TypeError, "tensor \"x\": the array's elements are"):
            Sightline.Tensor("x", numpy.zeros(2, [("a", "f4"), ("b", "i4")]))
        with self.assertRaises(TypeError):
            Sightline.Tensor(3, numpy.zeros(2))
        frame = Sightline.Frame.new(1, 1)
        with self.assertRaisesRegex(TypeError, "a name and an array"):
            frame.add_tensor("x")
        with self.assertRaisesRegex(TypeError, "either"):
            frame.add_tensor(Sightline.Tensor("x", numpy.zeros(1)), numpy.zeros(1))

    def test_dlpack_says_where_and_how(self):
        tensor = Sightline.Tensor("x", numpy.zeros(4, numpy.float32))
        self.assertEqual(tensor.__dlpack_device__(), (1, 0))
        self.assertIn("\"dltensor\"", repr(tensor.__dlpack__()))
        self.assertIn("\"dltensor_versioned\"", repr(tensor.__dlpack__(max_version=(1, 1), dl_device=(1, 0), copy=False)))
        for arguments in ({"dl_device": (2, 0)}, {"copy": True}):
            with self.assertRaises(BufferError):
                tensor.__dlpack__(**arguments)

    def test_a_versioned_capsule_is_laid_out_as_published(self):
        tensor = Sightline.Tensor("x", numpy.arange(6, dtype=numpy.int16).reshape(2, 3))
        get = ctypes.pythonapi.PyCapsule_GetPointer
        get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        capsule = tensor.__dlpack__(max_version=(1, 0))
        managed = DLManagedTensorVersioned.from_address(get(capsule, b"dltensor_versioned"))
        self.assertEqual((managed.major, managed.flags), (1, 1), "version 1, read-only")
        array = managed.array
        self.assertEqual((array.device_type, array.ndim, array.code, array.bits, array.lanes), (1, 2, 0, 16, 1))
        self.assertEqual((array.shape[0], array.shape[1], array.byte_offset), (2, 3, 0))
        self.assertEqual(array.data, tensor.numpy().ctypes.data)


class DLTensor(ctypes.Structure):
    """dlpack.h of DLPack 1.0."""
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)]


class DLManagedTensorVersioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
                ("flags", ctypes.c_uint64), ("array", DLTensor)]


class Planes(unittest.TestCase):
    def test_nv12_is_two_planes_of_the_buffer_s_own_memory(self):
        info = info_of("NV12", 64, 48)
        buffer, values = noise(info)
        y, uv = Sightline.planes(buffer, info)
        self.assertEqual(y.tolist(), values[:64 * 48].reshape(48, 64).tolist())
        self.assertEqual(uv.tolist(), values[64 * 48:].reshape(24, 32, 2).tolist())
        _, mapped = buffer.map(Gst.MapFlags.READ)
        start = numpy.frombuffer(mapped.data, numpy.uint8).ctypes.data
        buffer.unmap(mapped)
        self.assertEqual(y.ctypes.data, start, "the plane was copied")
        self.assertEqual(uv.ctypes.data - y.ctypes.data, 64 * 48)

    def test_every_plain_format_has_its_shape(self):
        for form, shapes in (("I420", [(48, 64), (24, 32), (24, 32)]), ("RGB", [(48, 64, 3)]), ("BGRx", [(48, 64, 4)]),
                             ("GRAY8", [(48, 64)]), ("YUY2", [(48, 64, 2)]), ("P010_10LE", [(48, 64), (24, 32, 2)]),
                             ("GRAY16_LE", [(48, 64)]), ("RGBP", [(48, 64)] * 3)):
            info = info_of(form, 64, 48)
            planes = Sightline.planes(noise(info)[0], info)
            self.assertEqual([plane.shape for plane in planes], shapes, form)
            self.assertEqual(planes[0].dtype, numpy.uint16 if "16" in form or "10" in form else numpy.uint8, form)

    def test_the_buffer_s_meta_says_how_its_planes_lie(self):
        buffer = Gst.Buffer.new_wrapped(bytes(range(256)) * 4)
        GstVideo.buffer_add_video_meta_full(buffer, 0, GstVideo.VideoFormat.GRAY8, 10, 4, 1, [5, 0, 0, 0], [100, 0, 0, 0])
        (plane,) = Sightline.planes(buffer, info_of("GRAY8", 64, 8))
        self.assertEqual((plane.shape, plane.strides), ((4, 10), (100, 1)))
        self.assertEqual(plane[1].tolist(), list(range(105, 115)))

    def test_planes_are_read_only_and_outlive_the_buffer(self):
        info = info_of("GRAY8", 64, 48)
        buffer, values = noise(info)
        (plane,) = Sightline.planes(buffer, info)
        del buffer
        gc.collect()
        self.assertEqual(plane.tobytes(), values.tobytes())
        with self.assertRaises(ValueError):
            plane[0, 0] = 1

    def test_whoever_writes_gets_memory_of_their_own_while_a_plane_is_held(self):
        info = info_of("GRAY8", 8, 8)
        buffer = Gst.Buffer.new_allocate(None, info.size, None)
        buffer.fill(0, b"\1" * info.size)
        (plane,) = Sightline.planes(buffer, info)
        self.assertFalse(buffer.is_all_memory_writable())
        buffer.fill(0, b"\2" * info.size)
        self.assertEqual(set(plane.ravel()), {1}, "written over")
        self.assertEqual(set(Sightline.planes(buffer, info)[0].ravel()), {2})
        del plane
        gc.collect()
        self.assertTrue(buffer.is_all_memory_writable(), "still held")

    def test_a_pool_does_not_give_away_memory_that_is_looked_at(self):
        info = info_of("GRAY8", 8, 8)
        pool = Gst.BufferPool.new()
        config = pool.get_config()
        Gst.BufferPool.config_set_params(config, info.to_caps(), info.size, 1, 0)
        pool.set_config(config)
        pool.set_active(True)
        held = []
        for i in range(4):
            _, buffer = pool.acquire_buffer(None)
            buffer.fill(0, bytes([i]) * info.size)
            held += Sightline.planes(buffer, info)
            del buffer
            gc.collect()
        self.assertEqual([int(plane[0, 0]) for plane in held], [0, 1, 2, 3])
        pool.set_active(False)

    def test_results_can_be_added_while_a_plane_is_held(self):
        info = info_of("NV12", 64, 48)
        buffer, _ = noise(info)
        planes = Sightline.planes(buffer, info)
        with_face(buffer)
        self.assertEqual(len(planes), 2)

    def test_frames_that_cannot_be_shown_say_why(self):
        info = info_of("NV12", 64, 48)
        buffer, _ = noise(info)
        for error, words, arguments in (
                (ValueError, "no GstVideoMeta", (buffer,)),
                (BufferError, "cannot be mapped", (buffer, info_of("NV12", 640, 480))),
                (BufferError, "cannot be mapped", (Gst.Buffer.new(), info)),
                (ValueError, "v210 does not lie in planes", (buffer, info_of("v210", 48, 16))),
                (ValueError, "ENCODED does not lie in planes", (buffer, Gst.Caps.from_string("image/jpeg"))),
                (ValueError, "not caps of raw video", (buffer, Gst.Caps.from_string("audio/x-raw"))),
                (TypeError, "info is a str", (buffer, "NV12")),
                (TypeError, "buffer is a NoneType, expected a GstBuffer", (None, info))):
            with self.assertRaisesRegex(error, words):
                Sightline.planes(*arguments)
        self.assertEqual(len(Sightline.planes(buffer, info.to_caps())), 2)


class Regions(unittest.TestCase):
    def test_what_others_have_put_there_is_read_and_cropped(self):
        info = info_of("RGB", 64, 48)
        buffer, values = noise(info)
        self.assertEqual(Sightline.regions(buffer), [])
        GstVideo.buffer_add_video_region_of_interest_meta(buffer, "sign", 3, 4, 16, 12)
        meta = GstVideo.buffer_add_video_region_of_interest_meta(buffer, "face", 2**32 - 1, 0, 5, 5)
        meta.id, meta.parent_id = 7, 3
        meta.add_param(Gst.Structure("detection", confidence=0.75, inner=Gst.Structure("deep", text="x" * 100)))
        sign, face = Sightline.regions(buffer)
        cropped = Sightline.crop(buffer, sign.box, (16, 12), info=info, layout="nhwc", dtype="uint8").numpy()
        self.assertEqual(cropped.tolist(), values.reshape(48, 64, 3)[4:16, 3:19].tolist())
        del buffer, meta
        gc.collect()
        self.assertEqual((sign.label, sign.box, sign.id, sign.params), ("sign", (3, 4, 16, 12), 0, []))
        self.assertEqual((face.label, face.box.x, face.id, face.parent), ("face", 2**32, 7, 3))
        self.assertEqual((face.params[0].get_name(), face.params[0]["confidence"]), ("detection", 0.75))
        self.assertEqual(face.params.pop()["inner"]["text"], "x" * 100)
        with self.assertRaisesRegex(TypeError, "buffer is a NoneType"):
            Sightline.regions(None)


class Crops(unittest.TestCase, Raises):
    def test_one_object_several_or_the_frame(self):
        info = info_of("RGB", 64, 48)
        buffer, values = noise(info)
        pixels = values.reshape(48, 64, 3)
        frame = Sightline.Frame.new(64, 48)
        boxes = [(0, 0, 16, 12), (30, 20, 16, 12), (48, 36, 16, 12)]
        objects = [frame.add_object(box=box) for box in boxes]
        expected = numpy.array([pixels[y:y + 12, x:x + 16].transpose(2, 0, 1) for x, y, _, _ in boxes], numpy.float32)
        numpy.testing.assert_allclose(Sightline.crop(buffer, objects, (16, 12), info=info).numpy(), expected, atol=TOLERANCE)
        numpy.testing.assert_allclose(Sightline.crop(buffer, objects[1], (16, 12), info=info).numpy(), expected[1], atol=TOLERANCE)
        whole = Sightline.crop(buffer, size=(64, 48), info=info, layout="nhwc", dtype="uint8").numpy()
        self.assertEqual(whole.tolist(), pixels.tolist())
        self.assertEqual(Sightline.crop(buffer, [], (16, 12), info=info).numpy().shape, (0, 3, 12, 16))
        self.assertEqual(Sightline.crop(buffer, iter(objects), (16, 12), info=info).shape, (3, 3, 12, 16))

    def test_the_options_are_those_of_configuration_files(self):
        info = info_of("RGB", 64, 48)
        buffer, values = noise(info)
        pixels = values.reshape(48, 64, 3).astype(numpy.float32)
        made = Sightline.crop(buffer, size=(64, 48), info=info, color="bgr", mean=(10, 20, 30), std=(2, 4, 8), scale=0.5).numpy()
        expected = (pixels[..., ::-1] - (10, 20, 30)) / (2, 4, 8) / 2
        numpy.testing.assert_allclose(made, expected.transpose(2, 0, 1), atol=TOLERANCE / 4)  # std 2 and scale 0.5
        made = Sightline.crop(buffer, size=(64, 48), info=info, mean=127.5, std=128, dtype="float16").numpy()
        self.assertEqual(made.dtype, numpy.float16)
        numpy.testing.assert_allclose(made, ((pixels - 127.5) / 128).transpose(2, 0, 1), atol=TOLERANCE / 128 + 2 ** -11)
        padded = Sightline.crop(buffer, size=(64, 64), info=info, maintain_aspect_ratio=True, pad_value=7).numpy()
        self.assertEqual(set(padded[:, 48:].ravel()), {7})
        grey = Sightline.crop(buffer, size=(8, 8), info=info, color="gray", filter="area")
        self.assertEqual(grey.shape, (1, 8, 8))

    def test_boxes_are_looked_at_as_objects_are(self):
        info = info_of("RGB", 64, 48)
        buffer, _ = noise(info)
        boxes = [(3, 4, 16, 12), (-5, 40, 20.5, 12)]
        frame = Sightline.Frame.new(64, 48)
        objects = [frame.add_object(box=box) for box in boxes]
        expected = Sightline.crop(buffer, objects, (8, 8), info=info).numpy()
        for given in (boxes, [Sightline.Box(*box) for box in boxes], numpy.array(boxes), [boxes[0], objects[1]], map(list, boxes)):
            numpy.testing.assert_array_equal(Sightline.crop(buffer, given, (8, 8), info=info).numpy(), expected)
        for given in (boxes[0], list(boxes[0]), Sightline.Box(*boxes[0]), numpy.array(boxes[0])):
            numpy.testing.assert_array_equal(Sightline.crop(buffer, given, (8, 8), info=info).numpy(), expected[0])
        with self.assertRaisesRegex(TypeError, "objects\\[0\\] is a int, expected a Sightline.Object, or a box"):
            Sightline.crop(buffer, (1, 2, 3), (8, 8), info=info)
        with self.assertRaisesRegex(TypeError, "objects is a Frame, expected an object"):
            Sightline.crop(buffer, frame, (8, 8), info=info)
        self.assert_raises(Error.INPUT, "width -1", lambda: Sightline.crop(buffer, (0, 0, -1, 1), (8, 8), info=info))

    def test_one_number_holds_for_every_channel_and_types_are_named_as_numpy_does(self):
        info = info_of("RGB", 64, 48)
        buffer, _ = noise(info)
        plain = Sightline.crop(buffer, size=(8, 8), info=info, color="gray").numpy()
        made = Sightline.crop(buffer, size=(8, 8), info=info, color="gray", mean=5, std=2, dtype=numpy.float32).numpy()
        numpy.testing.assert_allclose(made, (plain - 5) / 2, atol=TOLERANCE)
        padded = Sightline.crop(buffer, size=(64, 64), info=info, maintain_aspect_ratio=numpy.bool_(True), pad_value=numpy.array(7)).numpy()
        self.assertEqual(set(padded[:, 48:].ravel()), {7})
        for dtype in (numpy.uint8, numpy.dtype("uint8"), "uint8"):
            self.assertEqual(Sightline.crop(buffer, size=(8, 8), info=info, dtype=dtype).dtype, "uint8")
        self.assert_raises(Error.CONFIG, "element-type = float64", lambda: Sightline.crop(buffer, size=(8, 8), info=info, dtype=float))

    def test_a_spec_says_everything(self):
        info = info_of("RGB", 64, 48)
        buffer, _ = noise(info)
        spec = Sightline.PreprocessSpec.new("width=5; height=4")
        self.assertEqual(Sightline.crop(buffer, spec=spec, info=info).shape, (3, 4, 5))
        with self.assertRaisesRegex(TypeError, "size and mean and crop_margin beside spec"):
            Sightline.crop(buffer, size=(5, 4), mean=0, crop_margin=0.1, spec=spec, info=info)

    def test_faces_are_turned_upright(self):
        info = info_of("RGB", 64, 48)
        buffer, values = noise(info)
        face = Sightline.Frame.new(64, 48).add_object(box=(0, 0, 64, 48))
        template = [(10, 10), (20, 10), (15, 15), (11, 20), (19, 20)]
        face.landmarks = numpy.array(template) + 0.5
        made = Sightline.crop(buffer, face, (30, 30), info=info, align=template, filter="nearest").numpy()
        self.assertEqual(made.tolist(), values.reshape(48, 64, 3)[:30, :30].transpose(2, 0, 1).astype(float).tolist())
        self.assertEqual(Sightline.crop(buffer, face, (160, 160), info=info, align="arcface-112", mean=127.5, std=128).shape, (3, 160, 160))

    def test_a_wrong_wish_says_why(self):
        info = info_of("RGB", 64, 48)
        buffer, _ = noise(info)
        face = Sightline.Frame.new(64, 48).add_object(box=(0, 0, 9, 9))
        refused = (
            (Error.CONFIG, "colour", {"colour": "red"}), (Error.CONFIG, "element-type", {"dtype": "int64"}),
            (Error.CONFIG, "height", {"size": (8, 0)}), (Error.CONFIG, "std", {"std": 0}), (Error.CONFIG, "offsets", {"mean": (1, 2)}),
            (Error.INPUT, "no landmarks", {"align": "arcface-112"}))
        for code, words, keywords in refused:
            self.assert_raises(code, words, lambda: Sightline.crop(buffer, face, **{"size": (8, 8), "info": info, **keywords}))
        self.assert_raises(Error.INPUT, "objects[1]", lambda: Sightline.crop(
            buffer, [face, Sightline.Frame.new(1, 1).add_object(box=(0, 0, 0, 0))], (8, 8), info=info))
        self.assert_raises(Error.INPUT, "GstVideoMeta", lambda: Sightline.crop(buffer, face, (8, 8)))
        for keywords in ({}, {"size": (8, 8), "objects": [face, None]}, {"size": (8, 8), "info": 3}, {"size": 8}):
            with self.assertRaises(TypeError):
                Sightline.crop(buffer, **keywords)


class Adding(unittest.TestCase, Raises):
    def test_the_frame_is_sealed_at_the_end_of_the_block(self):
        buffer = Gst.Buffer.new()
        with Sightline.edit(buffer) as frame:
            face = frame.add_object("face", box=(0, 0, 1, 1))
        self.assertTrue(frame.sealed)
        for change in (
                lambda: setattr(face, "box", (0, 0, 2, 2)), lambda: setattr(face, "landmarks", [(1, 1)]),
                lambda: setattr(face, "track", 1), lambda: setattr(face, "identity", None), lambda: setattr(face, "corners", None),
                lambda: face.add_tensor("x", numpy.zeros(1)), lambda: face.add_classification("age", "20"),
                lambda: face.user_data.update(x=1), lambda: frame.add_object(box=(0, 0, 1, 1)), lambda: frame.remove_object(face),
                lambda: frame.edit_object(face), lambda: frame.user_data.update(x=1)):
            self.assert_raises(Error.READ_ONLY, "", change)

    def test_editing_again_leaves_what_others_have(self):
        buffer = with_face(Gst.Buffer.new())
        snapshot = Sightline.frame(buffer)
        with Sightline.edit(buffer) as frame:
            frame.edit_object(frame.objects[0]).track = 10
        self.assertEqual((snapshot.objects[0].track, Sightline.frame(buffer).objects[0].track), (9, 10))

    def test_the_values_are_checked_as_in_c(self):
        frame = Sightline.Frame.new(64, 48)
        face = frame.add_object("face", box=(0, 0, 1, 1))
        nan = float("nan")
        for code, change in (
                (Error.INPUT, lambda: frame.add_object(box=(0, nan, 1, 1))), (Error.INPUT, lambda: frame.add_object(box=(0, 0, -1, 1))),
                (Error.INPUT, lambda: frame.add_object(box=(0, 0, 1, 1), confidence=nan)),
                (Error.NOT_FOUND, lambda: frame.add_object(box=(0, 0, 1, 1), parent=12345678)),
                (Error.INPUT, lambda: setattr(face, "landmarks", [(0, nan)])), (Error.INPUT, lambda: setattr(face, "box", (nan, 0, 1, 1))),
                (Error.INPUT, lambda: setattr(face, "landmark_confidences", [0.5])), (Error.NOT_FOUND, lambda: frame.edit_object(999999999)),
                (Error.INPUT, lambda: face.user_data.update({"": 1}))):
            self.assert_raises(code, "", change)
        for error, change in (
                (ValueError, lambda: frame.add_object(box=(0, 0, 1))), (TypeError, lambda: frame.add_object("face")),
                (ValueError, lambda: setattr(face, "landmarks", [(1, 2, 3)])), (ValueError, lambda: setattr(face, "corners", [(1, 2)])),
                (TypeError, lambda: face.user_data.update(x=object())), (TypeError, lambda: face.user_data.update(x=[1, "a"])),
                (TypeError, lambda: face.user_data.update(x=[2**40])), (OverflowError, lambda: face.user_data.update(x=2**64)),
                (TypeError, lambda: face.user_data.update(x=numpy.zeros(3))), (TypeError, lambda: face.user_data.update(x=None)),
                (KeyError, lambda: face.user_data.pop("nothing")), (TypeError, lambda: setattr(face, "identity", "Ada"))):
            with self.assertRaises(error):
                change()

    def test_what_an_object_does_not_have_is_not_set(self):
        frame = Sightline.Frame.new(64, 48)
        face = frame.add_object("face", box=(0, 0, 1, 1))
        for changed, name in ((face, "lanmarks"), (face, "label"), (frame, "heigth"), (face.box, "left"), (Sightline.Point(), "z")):
            with self.assertRaisesRegex(AttributeError, name):
                setattr(changed, name, 1)

    def test_numbers_of_identities_and_classifications_are_finite(self):
        face = Sightline.Frame.new(64, 48).add_object("face", box=(0, 0, 1, 1))
        for number in (float("nan"), float("inf")):
            for make in (lambda: Sightline.Identity(similarity=number), lambda: Sightline.Candidate("p1", similarity=number),
                         lambda: Sightline.Classification("age", "20", number), lambda: face.add_classification("age", "20", number)):
                with self.assertRaisesRegex(ValueError, "expected a finite number"):
                    make()

    def test_an_id_that_is_not_there_is_named(self):
        frame = Sightline.Frame.new(64, 48)
        frame.add_object("face", box=(0, 0, 1, 1))
        for change in (frame.edit_object, frame.remove_object):
            self.assert_raises(Error.NOT_FOUND, "no object with id 999999999 among its 1", lambda: change(999999999))

    def test_user_data_of_every_kind_is_read_back(self):
        frame = Sightline.Frame.new(1, 1)
        frame.user_data.update(number=3, share=0.5, yes=True, text="door", scalar=numpy.float32(2.5), zone={"name": "door", "n": 2})
        self.assertEqual({name: frame.user_data[name] for name in ("number", "share", "yes", "text", "scalar")},
                         {"number": 3, "share": 0.5, "yes": True, "text": "door", "scalar": 2.5})
        self.assertEqual(frame.user_data["zone"].get_int("n").value, 2)
        frame.user_data.update(largest=2**64 - 1, smallest=-2**63, pts=2**40, clock={"pts": 2**40}, shape={"points": [0, 0.5, 1]}, names=["a", "b"])
        self.assertEqual([frame.user_data[name] for name in ("largest", "smallest", "pts")], [2**64 - 1, -2**63, 2**40])
        self.assertEqual((frame.user_data["clock"]["pts"], frame.user_data["shape"].to_string()),
                         (2**40, "shape, points=(double)< 0, 0.5, 1 >;"))
        self.assertEqual(list(frame.user_data["names"]), ["a", "b"])
        clock = frame.user_data["clock"]
        frame.user_data.update(again=clock, both=[clock, {"pts": 1}], within={"clock": clock})
        self.assertEqual([each["pts"] for each in frame.user_data["both"]], [2**40, 1])
        self.assertEqual((frame.user_data["again"]["pts"], frame.user_data["within"]["clock"]["pts"]), (2**40, 2**40))
        del frame.user_data["number"]
        self.assertNotIn("number", frame.user_data)
        self.assertEqual(len(frame.user_data), 14)

    def test_objects_have_parents_corners_and_confidences(self):
        frame = Sightline.Frame.new(64, 48)
        car = frame.add_object("car", box=Sightline.Box(0, 0, 30, 20))
        plate = frame.add_object("plate", box=(5, 5, 9, 3), parent=car)
        plate.corners = [(5, 5), (14, 5), (14, 8), (5, 8)]
        plate.landmarks = numpy.array([[1, 2], [3, 4]], numpy.float16)
        plate.landmark_confidences = [0.5, 1]
        self.assertEqual((plate.parent, plate.landmark_confidences), (car.id, [0.5, 1]))
        self.assertEqual([tuple(corner) for corner in plate.corners], [(5, 5), (14, 5), (14, 8), (5, 8)])
        self.assertAlmostEqual(plate.rotation, 0)
        plate.landmark_confidences = numpy.array([0.25, 0.75])
        self.assertEqual(plate.landmark_confidences, [0.25, 0.75])
        plate.corners, plate.landmark_confidences = None, None
        self.assertEqual((plate.corners, plate.landmark_confidences, len(plate.landmarks)), (None, [], 2))
        for nothing in ([], None):
            plate.landmarks = [(1, 2)]
            plate.landmarks = nothing
            self.assertEqual(len(plate.landmarks), 0)
        self.assertEqual((car.mask, car.rotation), (None, None))
        car.mask = numpy.array([[0, 1, 0.5]], numpy.float32), (0, 0, 30, 20)
        mask, area = car.mask
        self.assertEqual((mask.numpy().tolist(), tuple(area)), ([[0, 1, 0.5]], (0, 0, 30, 20)))
        self.assert_raises(Error.INPUT, "float32", lambda: setattr(car, "mask", (numpy.zeros((2, 2)), (0, 0, 1, 1))))
        car.mask = None
        self.assertIsNone(car.mask)
        frame.remove_object(plate)
        self.assertEqual([each.id for each in frame.objects], [car.id])

    def test_a_buffer_that_is_not_writable_raises(self):
        buffer = Gst.Buffer.new()
        other = Gst.Buffer.new()
        holder = Gst.Sample.new(buffer, None, None, None)
        self.assert_raises(Error.READ_ONLY, "owners", lambda: Sightline.edit(holder.get_buffer()))
        for wrong in (None, 3, other.pts):
            with self.assertRaises(TypeError):
                Sightline.edit(wrong)

    def test_many_threads_read_what_one_has_written(self):
        frame = Sightline.frame(with_face(Gst.Buffer.new()))
        failures = []

        def read():
            try:
                for _ in range(300):
                    (face,) = frame.objects
                    if face.tensors["embedding"].numpy().sum() != 0.75 or tuple(face.box) != (1, 2, 30, 40):
                        failures.append("other values")
            except Exception as error:  # of a thread, for this one
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_no_reference_is_left(self):
        buffer = with_face(Gst.Buffer.new())
        with_face(buffer)
        face = Sightline.frame(buffer).objects[0]
        before = sys.getrefcount(None)
        for _ in range(1000):
            face.tensors["embedding"].numpy(), face.landmarks, face.box, face.identity, face.user_data["zone"], face.track
        self.assertLess(abs(sys.getrefcount(None) - before), 100)


def resident():
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as numbers:
        return int(numbers.read().split()[1]) * 4096


if __name__ == "__main__":
    Gst.init(None)
    unittest.main()
