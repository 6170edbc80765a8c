"""Decides which episode of B stands for which episode of A."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.diff.contents import Contents
from lerobot_grasp_plugin.diff.row_index import RowIndex

_FEW = 8
"""Episodes that may share a column's content for it to tell them apart."""

_SHARE = 10
"""One row of so many must be shared for two episodes to be versions of one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An episode of A and the episode of B that stands for it.

    Attributes:
        a: ``episode_index`` in A.
        b: ``episode_index`` in B.
        from_a: First frame of A that B has, 0-based.
        from_b: First frame of B that A has, 0-based.
        frames: Frames that both have.
    """

    a: int
    b: int
    from_a: int
    from_b: int
    frames: int


class Pairing:
    """Pairs the episodes of two datasets.

    Args:
        a: Contents of A.
        b: Contents of B.
        content: Columns and cameras that tell one episode from another.
        others: Labels and tasks, which decide between episodes with equal content.

    Attributes:
        pairs: The pairs found so far.
        free_a: Episodes of A that stand for nothing in B so far.
        free_b: Episodes of B that stand for nothing in A so far.
    """

    def __init__(self, a: Contents, b: Contents, content: Sequence[str], others: Sequence[str]) -> None:
        self._a, self._b = a, b
        self._content = content
        self._others = others
        self.pairs: list[Pair] = []
        self.free_a = dict.fromkeys(range(len(a.lengths)))
        self.free_b = dict.fromkeys(range(len(b.lengths)))

    def run(self) -> list[Pair]:
        """All pairs, by the episodes of B, then of A."""
        whole = [*self._content, *self._others]
        for names in (whole, self._content):
            self._equal(names, same_number=True)
            self._equal(names, same_number=False)
        for names in (whole, self._content):
            self._copies(names)
        if self.free_b:
            self._parts(self._a, self._b, self.free_b, range(len(self._a.lengths)), swapped=False)
        if self.free_a and self.free_b:
            self._parts(self._b, self._a, self.free_a, self.free_b, swapped=True)
        if self.free_a and self.free_b:
            self._versions()
        lengths = self._a.lengths
        if not self.pairs and len(lengths) > 1 and np.array_equal(lengths, self._b.lengths):
            for number in list(self.free_b):  # as where degrees became radians
                self._take(number, number)
        return sorted(self.pairs, key=lambda pair: (pair.b, pair.a))

    def _take(self, a: int, b: int) -> None:
        self._add(Pair(a, b, 0, 0, int(min(self._a.lengths[a], self._b.lengths[b]))))

    def _add(self, pair: Pair) -> None:
        self.pairs.append(pair)
        self.free_a.pop(pair.a, None)
        self.free_b.pop(pair.b, None)

    def _equal(self, names: Sequence[str], *, same_number: bool) -> None:
        """Pairs free episodes whose columns of these names are equal.

        Of several equal episodes of A, it takes the one that follows the partner of the episode before.
        """
        known: dict[tuple[object, ...], list[int]] = defaultdict(list)

        def key(contents: Contents, episode: int) -> tuple[object, ...]:
            return (*contents.key(episode, names), episode if same_number else None)

        for episode in self.free_a:
            known[key(self._a, episode)].append(episode)
        partners = {pair.b: pair.a for pair in self.pairs}
        for episode in list(self.free_b):
            if found := known.get(key(self._b, episode)):
                place = bisect_left(found, partners.get(episode - 1, -1) + 1)
                partners[episode] = found.pop(place if place < len(found) else 0)
                self._take(partners[episode], episode)

    def _copies(self, names: Sequence[str]) -> None:
        """Pairs free episodes of B with episodes of A that have a pair already."""
        known: dict[tuple[bytes, ...], int] = {}
        for episode in range(len(self._a.lengths)):
            known.setdefault(self._a.key(episode, names), episode)
        for episode in list(self.free_b):
            found = known.get(self._b.key(episode, names))
            if found is not None:
                self._take(found, episode)

    def _parts(
        self, whole: Contents, part: Contents, free: Iterable[int], among: Iterable[int], *, swapped: bool
    ) -> None:
        """Pairs free episodes with longer episodes of the other dataset that have their rows.

        Args:
            whole: Contents of the other dataset.
            part: Contents of theirs.
            free: The episodes.
            among: The episodes of the other dataset that may have them.
            swapped: Whether they are A's.
        """
        allowed, left = set(among), list(free)
        kinds: list[_Rows] = [_rows_with_images]
        if whole.images:
            kinds.append(_rows)  # where images were encoded again
        for rows_of in kinds:
            index, rows, missed = RowIndex(rows_of(whole), whole.starts), rows_of(part), []
            for episode in left:
                start, stop = part.starts[episode : episode + 2].tolist()
                own = rows[start:stop]
                if rows_of is _rows and (own == own[0]).all():
                    missed.append(episode)  # rows at rest are everywhere
                    continue
                found = next((place for place in index.places(own) if place[0] in allowed), None)
                if found is None:
                    missed.append(episode)
                elif swapped:
                    self._add(Pair(episode, found[0], 0, found[1], len(own)))
                else:
                    self._add(Pair(found[0], episode, found[1], 0, len(own)))
            left = missed

    def _versions(self) -> None:
        """Pairs free episodes that have rows or whole columns in common, those with most first."""
        likely = sorted(self._likely(), key=lambda each: (*each[1], -each[0][0], -each[0][1]), reverse=True)
        for (a, b), _ in likely:
            if a in self.free_a and b in self.free_b:
                self._take(a, b)

    def _likely(self) -> Iterator[tuple[tuple[int, int], tuple[int, int, bool]]]:
        """Pairs that have any in common: number of equal columns, of shared rows, whether numbers agree."""
        columns: dict[tuple[int, int], int] = defaultdict(int)
        for name in self._content:
            owners: dict[bytes, list[int]] = defaultdict(list)
            for episode in self.free_a:
                if not self._is_steady(self._a, name, episode):
                    owners[self._a.hashes[name][episode]].append(episode)
            for episode in self.free_b:
                found = owners.get(self._b.hashes[name][episode], [])
                for own in found if len(found) <= _FEW else ():
                    columns[own, episode] += 1
        index = RowIndex(self._a.rows, self._a.starts)
        rows: dict[tuple[int, int], int] = {}
        for episode in self.free_b:
            start, stop = self._b.starts[episode : episode + 2]
            for own, number in index.shared(self._b.rows[start:stop]).items():
                shorter = min(int(stop - start), int(self._a.lengths[own]))
                if own in self.free_a and number * _SHARE >= shorter:
                    rows[own, episode] = number
        for pair in columns.keys() | rows.keys():
            yield pair, (columns.get(pair, 0), rows.get(pair, 0), pair[0] == pair[1])

    def _is_steady(self, contents: Contents, name: str, episode: int) -> bool:
        return name in contents.steady and contents.steady[name][episode]


type _Rows = Callable[[Contents], NDArray[np.int64]]


def _rows(contents: Contents) -> NDArray[np.int64]:
    return contents.rows


def _rows_with_images(contents: Contents) -> NDArray[np.int64]:
    """Hashes of the rows and of their images."""
    rows = contents.rows.view(np.uint64).copy()
    for images in contents.images.values():
        rows *= np.uint64(0x9E3779B97F4A7C15)
        rows ^= np.ascontiguousarray(images).view(np.uint64)[:, 0]
    return rows.view(np.int64)
