# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sightline brings stubs of its own module alone. Without PyGObject's (PyGObject-stubs), the rest of gi is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
