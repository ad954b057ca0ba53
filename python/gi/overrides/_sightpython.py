# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the element sightpython finds the function that it calls."""
import functools
import importlib
import importlib.machinery
import importlib.util
import io
import itertools
import pathlib
import sys
import weakref


def load(module, name):
    """What is called `name` in `module`, the name of a module or a file *.py; of a class, an instance."""
    return _load(module, name)[0]


def _load(module, name):
    """The same, and what it was itself: of a file, what is called also keeps the module in sys.modules."""
    is_file = module.endswith(".py")
    loaded = _from_file(pathlib.Path(module)) if is_file else importlib.import_module(module)
    try:
        made = _find(loaded, module, name)
    except BaseException:
        if is_file:
            _forget(loaded.__name__)
        raise
    if not is_file:
        return made, made
    held = functools.partial(made)
    weakref.finalize(held, _forget, loaded.__name__).atexit = False
    return held, made


def _find(loaded, module, name):
    try:
        found = functools.reduce(getattr, name.split("."), loaded)
    except AttributeError:
        callables = [each for each, value in vars(loaded).items() if callable(value) and not each.startswith("_")]
        raise AttributeError(f"{module} has no {name}. It has: {', '.join(callables) or 'nothing that could be called'}") from None
    made = found() if isinstance(found, type) else found
    if not callable(made):
        raise TypeError(f"{name} of {module} is a {type(made).__name__}, which cannot be called: expected a function, "
                        "or a class with __call__()")
    return made


class _Source(importlib.machinery.SourceFileLoader):
    """Reads the source, never what Python has compiled of it before: that counts as current for a second after a change."""

    def get_code(self, fullname):
        return self.source_to_code(self.get_data(self.path), self.path)


_numbers_of_modules = itertools.count(1)


def _from_file(path):
    """A module of its own, whoever else has loaded the file; it may import what lies beside it. It is in sys.modules, where dataclasses
    and pickle look for it, under a name that nobody can import."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = f"{path.stem}#{next(_numbers_of_modules)}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        _forget(name)
        raise
    return loaded


def _forget(name):
    """Files that the module has open are written out: who has started this Python for the element never ends it, which would do that."""
    module = sys.modules.pop(name, None)
    for each in vars(module).values() if module is not None else ():
        if isinstance(each, io.IOBase) and not each.closed:
            each.flush()


def load_family(name):
    """Of "module.function" or "file.py:function": a function from outputs and size to lists, and the role that it plays."""
    module, _, function = name.rpartition(":" if ".py:" in name else ".")
    if not module or not function:
        raise ValueError(f"\"{name}\" names no function: expected python:module.function, or python:file.py:function")
    decode, made = _load(module, function)
    return functools.partial(_decode, decode), str(getattr(made, "role", "detector"))


_KINDS = {"box": "a detection", "landmarks": "landmarks of the region", "attribute": "a classification", "tensor": "a tensor"}


def _decode(decode, outputs, size):
    """What `decode` says, as lists of tuples of plain numbers and texts: detections, landmarks, classifications, tensors."""
    detections, landmarks, classifications, tensors = [], [], [], []
    for each in _results(decode(outputs, size)):
        if "box" in each:
            _refuse_others(each, "box", "confidence", "class_id", "label", "landmarks")
            detections.append((*_numbers(each["box"], 4, "a box"), float(each.get("confidence", 1)), int(each.get("class_id", 0)),
                               str(each.get("label") or ""), _flat(each.get("landmarks", ()))))
        elif "attribute" in each:
            _refuse_others(each, "attribute", "label", "class_id", "confidence")
            classifications.append((str(each["attribute"]), str(each["label"]), int(each.get("class_id", -1)), float(each.get("confidence", 1))))
        elif "tensor" in each:
            _refuse_others(each, "tensor", "values")
            tensors.append(_tensor(each["tensor"], each["values"]))
        elif "landmarks" in each:
            _refuse_others(each, "landmarks")
            landmarks = _flat(each["landmarks"])
        else:
            raise ValueError(f"a result has the keys {', '.join(each) or 'none'}; expected one of "
                             + ", ".join(f"{key} ({kind})" for key, kind in _KINDS.items()))
    return detections, landmarks, classifications, tensors


def _results(answer):
    """The dicts of an answer, one after the other."""
    if answer is None:
        return
    if isinstance(answer, (dict, str)) or not hasattr(answer, "__iter__"):
        raise TypeError(f"the function returned a {type(answer).__name__}, expected a list of dicts")
    for each in answer:
        if not isinstance(each, dict):
            raise TypeError(f"a result is a {type(each).__name__}, expected a dict such as {{\"box\": (left, top, width, height)}}")
        yield each


def _refuse_others(result, *known):
    for key in result:
        if key not in known:
            raise ValueError(f"{_KINDS[known[0]]} has no {key}; it may have {', '.join(known)}")


def _numbers(values, count, what):
    numbers = [float(value) for value in values]
    if len(numbers) != count:
        raise ValueError(f"{what} has {len(numbers)} numbers, expected {count}")
    return numbers


def _flat(points):
    return [number for point in points for number in _numbers(point, 2, "a landmark")]


def _tensor(name, values):
    from gi.repository import Sightline
    return Sightline.Tensor(name, values)
