"""Listings of many folders at once, in a few threads and bounded memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from windsock.errors import SourceError
from windsock.model import SourceObject

THREADS = 16
BATCH = 1_000


class Parallel:
    """Listings in a few threads, merged as they come; one that fails does not stop the others."""

    def __init__(self, tasks: Sequence[Callable[[], Iterator[SourceObject]]]) -> None:
        self._todo: queue.SimpleQueue[tuple[int, Callable[[], Iterator[SourceObject]]]] = queue.SimpleQueue()
        for numbered in enumerate(tasks):
            self._todo.put(numbered)
        self._threads = min(THREADS, len(tasks))
        self._done: queue.Queue[list[SourceObject] | BaseException | None] = queue.Queue(maxsize=THREADS * 2)
        self._stop = threading.Event()
        self.failed: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[SourceObject]:
        for _ in range(self._threads):
            threading.Thread(target=self._work, daemon=True, name="list").start()
        running = self._threads
        try:
            while running:
                batch = self._done.get()
                if batch is None:
                    running -= 1
                elif isinstance(batch, BaseException):
                    raise batch
                else:
                    yield from batch
        finally:
            self._stop.set()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    number, task = self._todo.get_nowait()
                except queue.Empty:
                    break
                try:
                    self._list(task)
                except SourceError as error:
                    self.failed.append((number, str(error)))
            self._hand_over(None)
        except Exception as error:  # a bug of ours: raised where the listing is read, not lost in a thread
            self._hand_over(error)

    def _list(self, task: Callable[[], Iterator[SourceObject]]) -> None:
        batch: list[SourceObject] = []
        for obj in task():
            batch.append(obj)
            if len(batch) >= BATCH:
                self._hand_over(batch)
                batch = []
        self._hand_over(batch)

    def _hand_over(self, batch: list[SourceObject] | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._done.put(batch, timeout=0.5)
            except queue.Full:
                continue
            return
