# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX Runtime for Python through its C interface, since Debian 12 has no package of it.

    session = Session("face-detect.onnx", threads=1)
    scores, boxes = session.run(images)          # numpy arrays, float32

The interface is a table of functions, to which newer versions only add at the end (onnxruntime_c_api.h, struct OrtApi); the
numbers below are places in that table.
"""
import ctypes
import ctypes.util
import pathlib
import re

import numpy

API_VERSION = 16  # the least that is asked for; all functions below are older
LOG_ERRORS = 3
FLOAT = 1  # ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
DEVICE_ALLOCATOR, DEFAULT_MEMORY = 0, 0

BUNDLED = pathlib.Path(__file__).resolve().parents[2] / "deps/onnxruntime/node_modules/onnxruntime-node/bin/napi-v6/linux"

_pointer, _text, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_FUNCTIONS = {  # name: (place, types of the arguments); all give a status, which is null if all went well
    "CreateEnv": (3, (ctypes.c_int, _text, _pointer)),
    "CreateSession": (7, (_pointer, _text, _pointer, _pointer)),
    "Run": (9, (_pointer, _pointer, _pointer, _pointer, _size, _pointer, _size, _pointer)),
    "CreateSessionOptions": (10, (_pointer,)),
    "SetIntraOpNumThreads": (24, (_pointer, ctypes.c_int)),
    "SessionGetOutputCount": (31, (_pointer, _pointer)),
    "SessionGetInputTypeInfo": (33, (_pointer, _size, _pointer)),
    "SessionGetInputName": (36, (_pointer, _size, _pointer, _pointer)),
    "SessionGetOutputName": (37, (_pointer, _size, _pointer, _pointer)),
    "CreateTensorWithDataAsOrtValue": (49, (_pointer, _pointer, _size, _pointer, _size, ctypes.c_int, _pointer)),
    "GetTensorMutableData": (51, (_pointer, _pointer)),
    "CastTypeInfoToTensorInfo": (55, (_pointer, _pointer)),
    "GetDimensionsCount": (61, (_pointer, _pointer)),
    "GetDimensions": (62, (_pointer, _pointer, _size)),
    "GetTensorTypeAndShape": (65, (_pointer, _pointer)),
    "CreateCpuMemoryInfo": (69, (ctypes.c_int, ctypes.c_int, _pointer)),
    "AllocatorFree": (76, (_pointer, _pointer)),
    "GetAllocatorWithDefaultOptions": (78, (_pointer,)),
}
_GET_ERROR_MESSAGE = 2
_RELEASES = {"Status": 93, "Session": 95, "Value": 96, "TypeInfo": 98, "TensorTypeAndShapeInfo": 99, "SessionOptions": 100}


class _ApiBase(ctypes.Structure):
    _fields_ = [("GetApi", ctypes.CFUNCTYPE(_pointer, ctypes.c_uint32)), ("GetVersionString", ctypes.CFUNCTYPE(_text))]


class Runtime:
    """The library and its table of functions, each of which raises RuntimeError where the C function returns a status."""

    def __init__(self, library=None):
        loaded = ctypes.CDLL(str(library or self.find()))
        loaded.OrtGetApiBase.restype = ctypes.POINTER(_ApiBase)
        base = loaded.OrtGetApiBase().contents
        table = base.GetApi(API_VERSION)
        if not table:
            raise RuntimeError(f"ONNX Runtime {base.GetVersionString().decode()} is too old, 1.{API_VERSION} or newer is needed")
        places = ctypes.cast(table, ctypes.POINTER(_pointer))
        self._message = ctypes.CFUNCTYPE(_text, _pointer)(places[_GET_ERROR_MESSAGE])
        for name, (place, arguments) in _FUNCTIONS.items():
            setattr(self, name, self._checked(ctypes.CFUNCTYPE(_pointer, *arguments)(places[place])))
        for name, place in _RELEASES.items():
            setattr(self, "Release" + name, ctypes.CFUNCTYPE(None, _pointer)(places[place]))
        self.environment = self.make(self.CreateEnv, LOG_ERRORS, b"python")
        self.allocator = self.make(self.GetAllocatorWithDefaultOptions)
        self.memory = self.make(self.CreateCpuMemoryInfo, DEVICE_ALLOCATOR, DEFAULT_MEMORY)

    @staticmethod
    def find():
        """The one that is in this process already, with Sightline say; else the pinned one; else the system's."""
        loaded = re.search(r"/.*/libonnxruntime\.so.*", pathlib.Path("/proc/self/maps").read_text(encoding="utf-8"))
        library = loaded[0] if loaded else next(BUNDLED.glob("*/libonnxruntime.so.1"), None) or ctypes.util.find_library("onnxruntime")
        if library is None:
            raise RuntimeError("there is no ONNX Runtime: `make deps` fetches one, libonnxruntime-dev is Debian's")
        return library

    def _checked(self, function):
        def call(*arguments):
            if status := function(*arguments):
                message = self._message(status).decode()
                self.ReleaseStatus(status)
                raise RuntimeError(f"ONNX Runtime: {message}")
        return call

    @staticmethod
    def make(function, *arguments):
        """What a function gives through its last argument."""
        result = _pointer()
        function(*arguments, ctypes.byref(result))
        return result


class Session:
    """A network with one float input. Not to be used by several threads at a time."""

    def __init__(self, model, threads=1, runtime=None):
        self._runtime = runtime or Runtime()
        options = self._runtime.make(self._runtime.CreateSessionOptions)
        try:
            self._runtime.SetIntraOpNumThreads(options, threads)
            self._session = self._runtime.make(self._runtime.CreateSession, self._runtime.environment, str(model).encode(), options)
        finally:
            self._runtime.ReleaseSessionOptions(options)
        count = self._runtime.make(self._runtime.SessionGetOutputCount, self._session).value or 0
        outputs = [self._name(self._runtime.SessionGetOutputName, i) for i in range(count)]
        self._outputs = (_text * count)(*outputs)
        self._input = (_text * 1)(self._name(self._runtime.SessionGetInputName, 0))
        self.input_shape = self._input_shape()  # -1 where the model leaves it open

    def run(self, images):
        """The outputs, in the model's order, for a C-contiguous float32 array of the input's shape."""
        api = self._runtime
        shape = (ctypes.c_int64 * images.ndim)(*images.shape)
        value = api.make(api.CreateTensorWithDataAsOrtValue, api.memory, images.ctypes.data, images.nbytes, shape, images.ndim, FLOAT)
        inputs, outputs = (_pointer * 1)(value), (_pointer * len(self._outputs))()
        try:
            api.Run(self._session, None, self._input, inputs, 1, self._outputs, len(self._outputs), outputs)
            return [self._array(output) for output in outputs]
        finally:
            for made in (value, *filter(None, outputs)):
                api.ReleaseValue(made)

    def close(self):
        self._runtime.ReleaseSession(self._session)

    def _name(self, function, index):
        text = self._runtime.make(function, self._session, index, self._runtime.allocator)
        name = ctypes.string_at(text)
        self._runtime.AllocatorFree(self._runtime.allocator, text)
        return name

    def _input_shape(self):
        info = self._runtime.make(self._runtime.SessionGetInputTypeInfo, self._session, 0)
        shape = self._dimensions(self._runtime.make(self._runtime.CastTypeInfoToTensorInfo, info))  # belongs to info
        self._runtime.ReleaseTypeInfo(info)
        return shape

    def _dimensions(self, info):
        count = self._runtime.make(self._runtime.GetDimensionsCount, info).value or 0
        dimensions = (ctypes.c_int64 * count)()
        self._runtime.GetDimensions(info, dimensions, count)
        return tuple(dimensions)

    def _array(self, value):
        info = self._runtime.make(self._runtime.GetTensorTypeAndShape, value)
        shape = self._dimensions(info)
        self._runtime.ReleaseTensorTypeAndShapeInfo(info)
        data = ctypes.cast(self._runtime.make(self._runtime.GetTensorMutableData, value), ctypes.POINTER(ctypes.c_float))
        return numpy.ctypeslib.as_array(data, shape).copy()
