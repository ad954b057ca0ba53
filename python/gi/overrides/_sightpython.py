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
