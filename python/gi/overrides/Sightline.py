# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes `from gi.repository import Sightline` Python: properties, mappings, numpy arrays without a copy, one-pass crops.

    for face in Sightline.frame(buffer).objects:
        print(face.label, face.box, face.landmarks, face.identity, face.tensors["embedding"].numpy())

Everything that the C API has is there as before; docs/python.md describes what is added.
"""
import collections.abc
import functools
import math
import numbers
import sys
import traceback
import typing

import gi
from gi.overrides import override
from gi.module import get_introspection_module

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, GObject, Gst, GstVideo  # noqa: E402

from gi.overrides import _gi_sightline  # noqa: E402

Sightline = get_introspection_module("Sightline")
__all__ = []


def _public(item):
    __all__.append(item.__name__)
    return item


def _class(replacement):
    return _public(override(replacement))


def _set_known(self, name, value):
    """As __setattr__: what is misspelt would be lost with the wrapper, and nobody told."""
    if not name.startswith("_") and not hasattr(type(self), name):
        raise AttributeError(f"a Sightline.{type(self).__name__} has no {name}; what is yours belongs into the user_data of a frame or an object")
    object.__setattr__(self, name, value)


# --- places ---------------------------------------------------------------------------------------


@_class
class Point(Sightline.Point):
    """A point in pixels of the frame; `x, y = point`."""

    def __init__(self, x=0.0, y=0.0):
        Sightline.Point.__init__(self)
        self.x, self.y = x, y

    __setattr__ = _set_known

    def __iter__(self):
        return iter((self.x, self.y))

    def __eq__(self, other):
        return tuple(self) == tuple(other) if isinstance(other, (Sightline.Point, tuple)) else NotImplemented

    __hash__ = None

    def __repr__(self):
        return "Sightline.Point(%g, %g)" % tuple(self)


@_class
class Box(Sightline.Box):
    """A box in pixels of the frame; `left, top, width, height = box`."""

    def __init__(self, x=0.0, y=0.0, width=0.0, height=0.0):
        Sightline.Box.__init__(self)
        self.x, self.y, self.width, self.height = x, y, width, height

    __setattr__ = _set_known

    def __iter__(self):
        return iter((self.x, self.y, self.width, self.height))

    def __eq__(self, other):
        return tuple(self) == tuple(other) if isinstance(other, (Sightline.Box, tuple)) else NotImplemented

    __hash__ = None

    def __repr__(self):
        return "Sightline.Box(%g, %g, %g, %g)" % tuple(self)


def _box(value):
    return value if isinstance(value, Sightline.Box) else _gi_sightline.new_box(value)


def _points(values):
    points = []
    for value in values:
        if isinstance(value, Sightline.Point):
            points.append(value)
            continue
        numbers = [float(number) for number in value]
        if len(numbers) != 2:
            raise ValueError(f"a point is x and y, not {len(numbers)} numbers: landmarks are an array [n, 2], or a list of such")
        points.append(Point(*numbers))
    return points


# --- tensors --------------------------------------------------------------------------------------

_CPU, _CUDA = 1, 2  # DLPack's device types


@_class
class Tensor(Sightline.Tensor):
    """A named, immutable array. `Tensor("name", array)` copies a numpy array, or what else has the buffer protocol."""

    def __new__(cls, name, array):
        return _gi_sightline.tensor_from_array(name, _exporter(array))

    def __init__(self, name, array):
        pass  # made by __new__()

    name = property(Sightline.Tensor.get_name)
    shape = property(lambda self: tuple(self.get_shape()))
    stage = property(Sightline.Tensor.get_stage)
    stage_id = property(Sightline.Tensor.get_stage_id)
    row = property(Sightline.Tensor.get_row)
    gpu = property(lambda self: None if self.get_gpu() < 0 else self.get_gpu(), doc="The number of the GPU that holds it, None: the host.")
    dtype = property(lambda self: self.get_element_type().value_nick, doc="The name of the elements' type, as numpy has it.")

    def numpy(self):
        """A read-only array of the tensor's own memory, which it keeps alive. Of a tensor on a GPU: of its one copy on the host."""
        return _numpy().asarray(_gi_sightline.tensor_view(self))

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"tensor \"{self.name}\" is {array.dtype}: as {dtype} it has to be copied")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        # What writes the elements is done before anybody has the tensor, so that there is no stream to wait for.
        if dl_device is not None and tuple(map(int, dl_device)) != self.__dlpack_device__():
            raise BufferError(f"tensor \"{self.name}\" is on device {self.__dlpack_device__()} of DLPack, not on {tuple(dl_device)}: "
                              "numpy() brings it to the host")
        if copy:
            raise BufferError("a tensor is handed over as it is: copy what from_dlpack() gives")
        return _gi_sightline.tensor_dlpack(self, max_version is not None and max_version[0] >= 1)

    def to_dlpack(self):
        """A capsule, as __dlpack__() gives it: the bare address that C has would be nobody's to free."""
        return self.__dlpack__()

    def __dlpack_device__(self):
        gpu = self.get_gpu()
        return (_CPU, 0) if gpu < 0 else (_CUDA, gpu)

    def __repr__(self):
        place = "" if self.gpu is None else f" on GPU {self.gpu}"
        return f"<Sightline.Tensor \"{self.name}\" {self.dtype} {list(self.shape)}{place}>"


@functools.lru_cache(maxsize=None)
def _numpy():
    try:
        import numpy
    except ImportError as error:
        raise ImportError("arrays need numpy: apt-get install python3-numpy") from error
    return numpy


def _exporter(array):
    """What has the buffer protocol: `array` itself, or the numpy array that it knows how to make (torch's tensors)."""
    if not hasattr(array, "__array_interface__") and hasattr(array, "__array__"):
        return _numpy().asarray(array)
    try:
        memoryview(array)
    except TypeError:
        raise TypeError(f"a {type(array).__name__} has no elements that could be read: pass a numpy array, "
                        "numpy.asarray(values, numpy.float32)") from None
    return array


def _tensor(tensor, array):
    if isinstance(tensor, Sightline.Tensor):
        if array is not None:
            raise TypeError("either a tensor, or a name and an array")
        return tensor
    if array is None:
        raise TypeError(f"expected a Sightline.Tensor, or a name and an array; got a {type(tensor).__name__} alone")
    return Tensor(tensor, array)


class _Tensors(collections.abc.Mapping):
    """The tensors of a frame or object by their names; of several with one name the newest. `all` is the list of all of them."""

    def __init__(self, owner):
        self._owner = owner

    @property
    def all(self):
        return [self._owner.get_tensor(i) for i in range(self._owner.get_n_tensors())]

    def __getitem__(self, name):
        tensor = self._owner.find_tensor(name)
        if tensor is None:
            raise KeyError(f"no tensor \"{name}\"; there are: {', '.join(self) or 'none'}")
        return tensor

    def get(self, name, default=None):
        tensor = self._owner.find_tensor(name)
        return default if tensor is None else tensor

    def __iter__(self):
        return iter(dict.fromkeys(tensor.get_name() for tensor in self.all))

    def __len__(self):
        return len(dict.fromkeys(self))

    def __repr__(self):
        return repr(dict(self))


# --- what frames and objects have in common -------------------------------------------------------


def _integer(name, value):
    """PyGObject takes integers for 32 bits, and raises if they have more."""
    if -2**31 <= value < 2**31:
        return value
    for gtype, first, last in ((GObject.TYPE_INT64, -2**63, 2**63 - 1), (GObject.TYPE_UINT64, 0, 2**64 - 1)):
        if first <= value <= last:
            return GObject.Value(gtype, value)
    raise OverflowError(f"user data \"{name}\" is {value}: an integer has 64 bits at most")


def _array(name, values):
    """A GstValueArray, whose entries are of one type."""
    entries = [_user_value(name, value) for value in values]
    types = {Gst.Structure if isinstance(entry, Gst.Structure) else type(entry) for entry in entries}
    if types == {int, float}:
        entries, types = [float(entry) for entry in entries], {float}
    if len(types) > 1 or GObject.Value in types:
        raise TypeError(f"user data \"{name}\" is a list of several types, or of integers beyond 32 bits, which a Gst.ValueArray cannot hold: "
                        "expected numbers, strings or dicts alone")
    return Gst.ValueArray(entries)


def _plain(value):
    """A number of numpy as one of Python; all else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def _user_value(name, value):
    """What C elements can read, too."""
    value = _plain(value)
    if isinstance(value, dict):
        structure = Gst.Structure.new_empty(name if name.isidentifier() else "python")
        for key, each in value.items():
            structure.set_value(key, _user_value(key, each))
        return structure
    if isinstance(value, (list, tuple)):
        return _array(name, value)
    if isinstance(value, int) and not isinstance(value, bool) and not hasattr(value, "__gtype__"):
        return _integer(name, value)
    if isinstance(value, (bool, int, float, str)) or hasattr(value, "__gtype__"):
        return value
    raise TypeError(f"user data \"{name}\" is a {type(value).__name__}, which other elements could not read: expected a number, a string, "
                    "a Gst.Structure, a dict or list of such, or another boxed value; an array belongs into a tensor")


class _Structure(Gst.Structure):
    """A structure that was read. Values in it point into it, and so hold it."""

    def get_value(self, name):
        return _holding(self, super().get_value(name))


def _holding(owner, value):
    if isinstance(value, Gst.Structure):
        value.__class__ = _Structure
    if owner is not None and isinstance(value, GObject.GBoxed):
        if not hasattr(value, "__dict__"):  # of a type that introspection does not know
            return value.copy()
        value._sightline_owner = owner
    return value


def _shown(value):
    """repr(), which PyGObject lacks for boxed types that introspection does not know."""
    return "<a value of a C type>" if type(value) is GObject.GBoxed else repr(value)


def _get_user_data(self, name):
    """A copy of the value under `name`; None if there is none."""
    return _holding(None, _gi_sightline.user_value(self, name))


class _UserData(collections.abc.MutableMapping):
    """User data by name. What is not being edited raises."""

    def __init__(self, owner):
        self._owner = owner

    def __getitem__(self, name):
        value = _get_user_data(self._owner, name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name, value):
        if value is None:
            raise TypeError(f"user data \"{name}\" cannot be None: `del` takes it away")
        self._owner.set_user_data(name, _user_value(name, value))

    def __delitem__(self, name):
        if name not in self._owner.get_user_data_names():
            raise KeyError(name)
        self._owner.set_user_data(name, None)

    def __iter__(self):
        return iter(self._owner.get_user_data_names())

    def __len__(self):
        return len(self._owner.get_user_data_names())

    def __repr__(self):
        return "{" + ", ".join(f"{name!r}: {_shown(value)}" for name, value in self.items()) + "}"


def _add_tensor(raw):
    def add_tensor(self, tensor, array=None):
        """add_tensor(tensor), or add_tensor(name, array): a copy of a numpy array."""
        raw(self, _tensor(tensor, array))
    return add_tensor


def _add_classification(raw):
    def add_classification(self, classification, label=None, confidence=1.0, class_id=-1, stage=None, stage_id=0):
        """add_classification(classification), or add_classification(attribute, label, confidence=…)."""
        if not isinstance(classification, Sightline.Classification):
            classification = Classification(classification, label, confidence, class_id, stage, stage_id)
        raw(self, classification)
    return add_classification


def _classifications(self):
    return [self.get_classification(i) for i in range(self.get_n_classifications())]


# --- results --------------------------------------------------------------------------------------


def _finite(what, number):
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}, expected a finite number")
    return number


def _nan_if_none(number):
    return float("nan") if number is None else number


def _known_number(get, doc):
    """A property of a number that need not be known, then None; `get` says whether it is, and which."""
    def read(self):
        known, number = get(self)
        return number if known else None
    return property(read, doc=doc)


@_class
class Candidate(Sightline.Candidate):
    """One of the persons of a gallery who are nearest to an object."""

    def __new__(cls, person, name=None, gallery=None, similarity=0.0, probability=None):
        return Sightline.Candidate.new(person, name, gallery, _finite("the similarity", similarity), _nan_if_none(probability))

    def __init__(self, *arguments, **keywords):
        pass  # made by __new__()

    person = property(Sightline.Candidate.get_person)
    name = property(Sightline.Candidate.get_name)
    gallery = property(Sightline.Candidate.get_gallery)
    similarity = property(Sightline.Candidate.get_similarity)
    probability = _known_number(Sightline.Candidate.get_probability,
                                "That the object is this person, 0 to 1; None if the gallery is not calibrated.")

    def __repr__(self):
        return f"<Sightline.Candidate {self.name or self.person} {self.similarity:.3f}>"


@_class
class Identity(Sightline.Identity):
    """What a gallery said of an object."""

    def __new__(cls, person=None, name=None, similarity=0.0, nearest_person=None, nearest_name=None, votes=0, gallery=None,
                threshold=None, probability=None, candidates=()):
        return Sightline.Identity.new_full(person, name, _finite("the similarity", similarity), nearest_person, nearest_name, votes, gallery,
                                           _nan_if_none(threshold), _nan_if_none(probability), list(candidates))

    def __init__(self, *arguments, **keywords):
        pass  # made by __new__()

    known = property(Sightline.Identity.is_known)
    person = property(Sightline.Identity.get_person)
    name = property(Sightline.Identity.get_name)
    similarity = property(Sightline.Identity.get_similarity)
    nearest_person = property(Sightline.Identity.get_nearest_person)
    nearest_name = property(Sightline.Identity.get_nearest_name)
    votes = property(Sightline.Identity.get_votes)
    gallery = property(Sightline.Identity.get_gallery)
    threshold = _known_number(Sightline.Identity.get_threshold,
                              "The similarity from which on the nearest person is accepted; None if nobody said.")
    probability = _known_number(Sightline.Identity.get_probability,
                                "That it is the nearest person, 0 to 1; None if the gallery is not calibrated.")

    @property
    def candidates(self):
        """The nearest persons, best first; empty unless sightmatch's top-k asked for them."""
        return [self.get_candidate(index) for index in range(self.get_n_candidates())]

    def __repr__(self):
        return f"<Sightline.Identity {self.name or self.person or 'unknown'} {self.similarity:.3f}>"


@_class
class Classification(Sightline.Classification):
    """A label with a confidence."""

    def __new__(cls, attribute, label, confidence=1.0, class_id=-1, stage=None, stage_id=0):
        return Sightline.Classification.new(attribute, label, class_id, _finite("the confidence", confidence), stage, stage_id)

    def __init__(self, *arguments, **keywords):
        pass  # made by __new__()

    attribute = property(Sightline.Classification.get_attribute)
    label = property(Sightline.Classification.get_label)
    confidence = property(Sightline.Classification.get_confidence)
    class_id = property(Sightline.Classification.get_class_id)
    stage = property(Sightline.Classification.get_stage)
    stage_id = property(Sightline.Classification.get_stage_id)

    def __repr__(self):
        return f"<Sightline.Classification {self.attribute}: {self.label} {self.confidence:.2f}>"


@_class
class Object(Sightline.Object):
    """Something found in a frame. Its properties can be set while it is edited: as add_object() and edit_object() give it."""

    __setattr__ = _set_known

    id = property(Sightline.Object.get_id)
    parent = property(Sightline.Object.get_parent, doc="The id of the object that it is part of, 0: of none.")
    class_id = property(Sightline.Object.get_class_id)
    label = property(Sightline.Object.get_label)
    confidence = property(Sightline.Object.get_confidence)
    tensors = property(_Tensors)
    user_data = property(_UserData)
    get_user_data = _get_user_data
    classifications = property(_classifications)
    direction = property(Sightline.Object.get_direction)
    add_tensor = _add_tensor(Sightline.Object.add_tensor)
    add_classification = _add_classification(Sightline.Object.add_classification)

    @property
    def box(self):
        return _gi_sightline.object_box(self)

    @box.setter
    def box(self, value):
        self.set_box(_box(value))

    @property
    def landmarks(self):
        """A read-only float32 array [n, 2]."""
        return _numpy().asarray(_gi_sightline.landmarks_view(self))

    @landmarks.setter
    def landmarks(self, values):
        self.set_landmarks(_points(values if values is not None else ()))

    @property
    def landmark_confidences(self):
        """A list, a number a landmark; empty if the network does not say."""
        return self.get_landmark_confidences()

    @landmark_confidences.setter
    def landmark_confidences(self, values):
        self.set_landmark_confidences([float(value) for value in (values if values is not None else ())])

    @property
    def corners(self):
        """The four corners of its oriented box; None if it has none."""
        corners = [self.get_corner(i) for i in range(Sightline.N_CORNERS)]
        return [corner.corner for corner in corners] if corners[0][0] else None

    @corners.setter
    def corners(self, values):
        points = None if values is None else _points(values)
        if points is not None and len(points) != Sightline.N_CORNERS:
            raise ValueError(f"an oriented box has {Sightline.N_CORNERS} corners, not {len(points)}")
        self.set_corners(points)

    @property
    def rotation(self):
        """How far its oriented box is turned, in radians, clockwise as it is seen; None if it has none."""
        found, radians = self.get_rotation()
        return radians if found else None

    @property
    def mask(self):
        """A float32 tensor [height, width], and the box that it covers; None if there is none."""
        mask, area = self.get_mask()
        return None if mask is None else (mask, area)

    @mask.setter
    def mask(self, value):
        if value is None:
            self.set_mask(None, None)
            return
        mask, area = value
        self.set_mask(mask if isinstance(mask, Sightline.Tensor) else Tensor("mask", mask), _box(area))

    @property
    def track(self):
        """The number that it keeps over time; None if it is not tracked."""
        found = self.get_track()
        return found.track if found[0] else None

    @track.setter
    def track(self, value):
        self.set_track(value)

    @property
    def stage_id(self):
        return self.get_stage_id()

    @stage_id.setter
    def stage_id(self, value):
        self.set_stage_id(value)

    @property
    def identity(self):
        """What a gallery said of it; None if none was asked."""
        return self.get_identity()

    @identity.setter
    def identity(self, value):
        self.set_identity(value)

    def __repr__(self):
        return f"<Sightline.Object {self.id} \"{self.label}\" {self.confidence:.2f} {tuple(self.box)}>"


@_class
class Frame(Sightline.Frame):
    """The results of one frame. As a context manager it is sealed at the end, after which it does not change."""

    __setattr__ = _set_known

    width = property(Sightline.Frame.get_width)
    height = property(Sightline.Frame.get_height)
    stream = property(Sightline.Frame.get_stream)
    number = property(Sightline.Frame.get_number)
    sealed = property(Sightline.Frame.is_sealed)
    tensors = property(_Tensors)
    user_data = property(_UserData)
    get_user_data = _get_user_data
    classifications = property(_classifications)
    add_tensor = _add_tensor(Sightline.Frame.add_tensor)
    add_classification = _add_classification(Sightline.Frame.add_classification)

    @property
    def objects(self):
        """The list of its objects, for reading."""
        return [self.get_object(i) for i in range(self.get_n_objects())]

    def add_object(self, label=None, class_id=-1, confidence=1.0, box=None, parent=0):
        """A new object, for changing until the frame is sealed. `box`: left, top, width, height; `parent`: an object or its id."""
        if box is None:
            raise TypeError("an object needs a box: add_object(\"face\", box=(left, top, width, height))")
        return Sightline.Frame.add_object(self, label, class_id, confidence, _box(box), _id(parent))

    def edit_object(self, which):
        """An object, or the one with an id, for changing until the frame is sealed."""
        return Sightline.Frame.edit_object(self, _object(self, which))

    def remove_object(self, which):
        """Takes an object, or the one with an id, out of the frame."""
        return Sightline.Frame.remove_object(self, _object(self, which))

    def to_json(self, pts=Gst.CLOCK_TIME_NONE):
        return Sightline.Frame.to_json(self, pts)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.seal()

    def __repr__(self):
        return f"<Sightline.Frame {self.width}x{self.height} {self.objects}>"


def _id(which):
    return which.get_id() if isinstance(which, Sightline.Object) else which


def _object(frame, which):
    found = which if isinstance(which, Sightline.Object) else frame.find_object(which)
    if found is None and not frame.sealed:
        raise GLib.Error.new_literal(Sightline.error_quark(), f"the frame has no object with id {which} among its {frame.get_n_objects()}",
                                     Sightline.Error.NOT_FOUND)
    return found


# --- buffers --------------------------------------------------------------------------------------


@_public
def frame(buffer):
    """The results on `buffer`, for reading; empty if there are none (Sightline.buffer_get_frame() says None then)."""
    found = Sightline.buffer_get_frame(buffer)
    if found is None:
        found = Sightline.Frame.new(0, 0)
        found.seal()
    return found


@_public
def edit(buffer):
    """The results on `buffer`, for adding to them: `with Sightline.edit(buffer) as frame:`. Raises GLib.Error with the code
    Sightline.Error.READ_ONLY if `buffer` is not writable, as in a plain pad probe."""
    return Sightline.buffer_edit_frame(buffer)


@_public
class Region(typing.NamedTuple):
    """Of a GstVideoRegionOfInterestMeta. `params`: what is known of it, as a list of Gst.Structure."""

    label: str
    box: Sightline.Box
    id: int
    parent: int
    params: list


@_public
def regions(buffer):
    """The regions of interest that any element has put on `buffer`, as a list of Sightline.Region. All are copies. sightinfer makes
    objects of them; this is for who has none before."""
    return [Region(label, box, number, parent, [_holding(None, each) for each in params])
            for label, box, number, parent, params in _gi_sightline.regions(buffer)]


def _info(info):
    if info is None or isinstance(info, GstVideo.VideoInfo):
        return info
    if isinstance(info, Gst.Caps):
        try:
            return GstVideo.VideoInfo.new_from_caps(info)
        except TypeError:  # what PyGObject makes of a constructor that gives nothing
            raise ValueError(f"these are not caps of raw video: {info.to_string()}") from None
    raise TypeError(f"info is a {type(info).__name__}, expected a GstVideo.VideoInfo or Gst.Caps")


@_public
def planes(buffer, info=None):
    """The planes of a video frame in system memory as read-only arrays, without a copy: `y, uv = Sightline.planes(buffer)` of NV12.
    [height, width], or [height, width, components] where several lie side by side. The memory stays as it is, and mapped, for as
    long as an array lives. `info`, a GstVideo.VideoInfo or caps, is needed for buffers without GstVideoMeta."""
    return tuple(map(_numpy().asarray, _gi_sightline.plane_views(buffer, _info(info))))


# Keys of configuration files that have a shorter name here.
_KEYS = {"align": "alignment", "mean": "offsets", "scale": "net-scale-factor", "color": "model-color-format",
         "layout": "network-input-order", "dtype": "element-type", "filter": "scaling-filter"}


def _text(value):
    value = _plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if not hasattr(value, "__iter__"):
        return repr(float(value)) if not isinstance(value, int) else str(value)
    rows = list(value)
    if rows and hasattr(rows[0], "__iter__"):
        return ";".join(map(_text, rows))
    return ",".join(map(_text, rows))


def _dtype_name(dtype):
    return dtype if isinstance(dtype, str) else _numpy().dtype(dtype).name


@functools.lru_cache(maxsize=256)
def _spec_of_text(text):
    return Sightline.PreprocessSpec.new(text)


def _spec(size, keys):
    if size is None:
        raise TypeError("crop() needs size=(width, height), or a spec")
    width, height = size
    words = [f"width={int(width)}", f"height={int(height)}"]
    for name, value in keys.items():
        if value is None:
            continue
        if name == "dtype":
            value = _dtype_name(value)
        words.append(f"{_KEYS.get(name, name.replace('_', '-'))}={_text(value)}")
    return _spec_of_text("; ".join(words))


def _refuse_beside_spec(arguments):
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise TypeError(f"{' and '.join(given)} beside spec, which says all of that: pass one or the other")


def _object_at(box, what):
    """An object of no frame, for functions that look at objects."""
    try:
        return Sightline.Frame.new(0, 0).add_object(box=box)
    except TypeError:
        raise TypeError(f"{what} is a {type(box).__name__}, expected a Sightline.Object, or a box: left, top, width and height") from None


@_public
def crop(buffer, objects=None, size=None, *, info=None, spec=None, align=None, mean=None, std=None, scale=None, color=None, layout=None,
         dtype=None, filter=None, **keys):
    """The input of a network of your own, in one pass from the pixels of `buffer`.

    `objects`: an object, or a box (left, top, width, height): a tensor [channels, height, width]; several: [n, channels, height, width];
    None: the whole frame.
    `size`: (width, height). `align`: "arcface-112", "dlib-150" or five points: turned upright by the object's landmarks.
    (pixel − mean) · scale / std, of pixels 0 to 255; `color`: "rgb", "bgr" or "gray"; `layout`: "nchw" or "nhwc"; `dtype`:
    "float32", "float16", "uint8" or "int8"; `filter`: "bilinear", "area" or "nearest". Other keywords are keys of
    docs/configuration.md with underscores: crop="square", crop_margin=0.1, maintain_aspect_ratio=True, pad_value=114.
    `spec`, a Sightline.PreprocessSpec, instead of all of these. `info` as for planes().
    """
    wishes = {"align": align, "mean": mean, "std": std, "scale": scale, "color": color, "layout": layout, "dtype": dtype, "filter": filter, **keys}
    if spec is None:
        spec = _spec(size, wishes)
    else:
        _refuse_beside_spec({"size": size, **wishes})
    if objects is None or isinstance(objects, Sightline.Object):
        return Sightline.frame_to_tensor(buffer, _info(info), objects, spec)
    if not hasattr(objects, "__iter__"):
        raise TypeError(f"objects is a {type(objects).__name__}, expected an object, a box, or several in a list")
    chosen = list(objects)
    if len(chosen) == 4 and all(isinstance(each, numbers.Real) for each in chosen):
        return Sightline.frame_to_tensor(buffer, _info(info), _object_at(chosen, "the box"), spec)
    seen = [each if isinstance(each, Sightline.Object) else _object_at(each, f"objects[{i}]") for i, each in enumerate(chosen)]
    return Sightline.objects_to_tensor(buffer, _info(info), seen, spec)


# --- pads -----------------------------------------------------------------------------------------


def _utf8(text):
    """`text`, with what C cannot have as escapes: halves of surrogate pairs, which file names may hold, and zeros."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def _post_error(pad, error):
    element = pad.get_parent_element()
    text = _utf8(f"a probe on pad {pad.get_name()}: {type(error).__name__}: {error}")
    details = _utf8("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    if element is None:
        print(details, end="", file=sys.stderr)
        return
    problem = GLib.Error.new_literal(Gst.LibraryError.quark(), text, Gst.LibraryError.FAILED)
    element.post_message(Gst.Message.new_error(element, problem, details))


@_public
def add_probe(pad, function):
    """Calls `function(pad, buffer)` with each buffer that passes `pad`, which is writable: results can be added to it. The function gives
    None or a Gst.PadProbeReturn. What it raises becomes an error of the pad's element on the bus. Returns the id for pad.remove_probe()."""

    if not callable(function):
        raise TypeError(f"function is a {type(function).__name__}, which cannot be called")

    def call(probed, buffer, *_):
        try:
            result = function(probed, buffer)
            return Gst.PadProbeReturn.OK if result is None else Gst.PadProbeReturn(result)
        except BaseException as error:  # SystemExit, too: it would end Python in a thread that Python's end waits for
            _post_error(probed, error)
            return Gst.PadProbeReturn.OK

    return Sightline.pad_add_probe(pad, call)
