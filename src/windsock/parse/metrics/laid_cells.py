"""Minutes of series that memory has no room for, on disk by minute: a line that comes late finds the minute it belongs to."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterator

from windsock.parse.metrics.points import Shelf


class LaidCells:
    """A cell is count, total, least, most, last, from, until; that of one series and minute may come in several parts."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._places: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._places)

    def put(self, minute: int, cells: list[tuple[int, list[float]]]) -> None:
        """Cells with the numbers of their series."""
        place = self._shelf.put(pickle.dumps(cells, protocol=pickle.HIGHEST_PROTOCOL))
        self._places[minute].append(place)

    def minutes(self) -> Iterator[dict[int, list[float]]]:
        """Of each minute the cells by the number of their series, as often as wanted."""
        for minute in sorted(self._places):
            cells: dict[int, list[float]] = {}
            for place in self._places[minute]:
                for number, cell in pickle.loads(self._shelf.get(place)):
                    if known := cells.get(number):
                        cells[number] = _both(known, cell)
                    else:
                        cells[number] = cell
            yield cells


def _both(first: list[float], then: list[float]) -> list[float]:
    """One minute's cell out of two, in the order in which they came."""
    return [
        first[0] + then[0],
        first[1] + then[1],
        min(first[2], then[2]),
        max(first[3], then[3]),
        then[4],
        first[5],
        then[6],
    ]
