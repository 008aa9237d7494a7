"""Memory that nobody uses any more, back to the system: allocators keep what a pull's largest moments took."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache

import pyarrow as pa


def give_back() -> None:
    """A few milliseconds; worth it where much was let go, as after a flush."""
    pa.default_memory_pool().release_unused()
    _trim()(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], object]:
    """glibc's malloc_trim; elsewhere nothing."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda _keep: None
    return trim
