"""Which of many words may occur in which of many texts, in a few passes over the bytes of all of them.

Each word is sought by four of its bytes, the rarest ones: all places of all texts are looked up in one table. What is
found is asked again by the caller; what is not found does not occur.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np

_COMMON = b" etaoinsrhldcumfpgwybvkxjqz"  # the commonest first; what is not among them is rarer still
_RARITY = [_COMMON.find(byte) if byte in _COMMON else len(_COMMON) for byte in range(256)]
_AT_ONCE = 1 << 18  # bytes whose columns stay in the processor's cache
_SLOTS_BITS = 16


class Finder:
    """Made once for a list of words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._always: tuple[str, ...] = ()  # too short to be sought
        by_gram: dict[bytes, list[str]] = {}
        for word in words:
            if (gram := _gram(word.encode())) is None:
                self._always += (word,)
            else:
                by_gram.setdefault(gram, []).append(word)
        self._words = [tuple(found) for found in by_gram.values()]
        self._grams = np.array([int.from_bytes(gram, "little") for gram in by_gram], np.uint32)
        rng = random.Random(0)
        while True:
            self._factor = np.uint32(rng.getrandbits(32) | 1)
            slots = self._slots(self._grams)
            if len(np.unique(slots)) == len(slots):
                break
        self._numbers = np.zeros(1 << _SLOTS_BITS, np.uint16)  # of the grams, by slot, from 1
        self._numbers[slots] = np.arange(1, len(slots) + 1)

    def candidates(self, texts: Sequence[str]) -> list[list[str]]:
        """For each text the words that may occur in it, among them all that do; some more than once."""
        found = [[*self._always] for _ in texts]
        first = 0
        while first < len(texts):
            held, size, stop = [], 0, first
            while stop < len(texts) and (size < _AT_ONCE or stop == first):
                held.append(texts[stop].encode("utf-8", "replace"))
                size += len(held[-1]) + 1
                stop += 1
            self._look(held, found, first)
            first = stop
        return found

    def _look(self, texts: list[bytes], found: list[list[str]], first: int) -> None:
        data = b"\n".join(texts)
        if len(data) < 4:
            return
        places = np.ndarray((len(data) - 3,), "<u4", data, strides=(1,))
        numbers = self._numbers[self._slots(places)]
        hits = np.flatnonzero(numbers)
        grams = numbers[hits].astype(np.int64) - 1
        real = places[hits] == self._grams[grams]
        ends = np.cumsum([len(text) + 1 for text in texts])
        owners = np.searchsorted(ends, hits[real], side="right")
        for owner, gram in zip(owners.tolist(), grams[real].tolist(), strict=True):
            found[first + owner] += self._words[gram]

    def _slots(
        self, grams: np.ndarray[tuple[int], np.dtype[np.uint32]]
    ) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        return (grams * self._factor) >> np.uint32(32 - _SLOTS_BITS)


def _gram(word: bytes) -> bytes | None:
    """The rarest four bytes of a word; None where it has fewer."""
    grams = [word[at : at + 4] for at in range(len(word) - 3)]
    return max(grams, key=lambda gram: sum(_RARITY[byte] for byte in gram), default=None)
