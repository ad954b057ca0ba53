# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the element sightpython finds the function that it calls."""
import functools
import importlib
import importlib.util
import pathlib
import sys


def load(module, name):
    """What is called `name` in `module`, the name of a module or a file *.py; of a class, an instance."""
    loaded = _from_file(pathlib.Path(module)) if module.endswith(".py") else importlib.import_module(module)
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


def _from_file(path):
    """A module of its own, whoever else has loaded the file; it may import what lies beside it."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def load_family(name):
    """Of "module.function" or "file.py:function": a function from outputs and size to lists, and the role that it plays."""
    module, _, function = name.rpartition(":" if ".py:" in name else ".")
    if not module or not function:
        raise ValueError(f"\"{name}\" names no function: expected python:module.function, or python:file.py:function")
    decode = load(module, function)
    return functools.partial(_decode, decode), str(getattr(decode, "role", "detector"))


_KINDS = {"box": "a detection", "landmarks": "landmarks of the region", "attribute": "a classification", "tensor": "a tensor"}


def _decode(decode, outputs, size):
    """What `decode` says, as lists of tuples of plain numbers and texts: detections, landmarks, classifications, tensors."""
    detections, landmarks, classifications, tensors = [], [], [], []
    for each in decode(outputs, size) or ():
        if "box" in each:
            _refuse_others(each, "box", "confidence", "class_id", "label", "landmarks")
            detections.append((*_numbers(each["box"], 4, "a box"), float(each.get("confidence", 1)), int(each.get("class_id", 0)),
                               str(each.get("label", "")), _flat(each.get("landmarks", ()))))
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
