"""Sets of frames as half-open intervals, and their algebra.

Frames are 0-based, as LeRobot's ``frame_index`` counts them, and an interval holds ``start`` but
not ``stop``. A person's inclusive numbers never reach this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class FrameInterval:
    """Frames ``start, start + 1, ..., stop - 1``.

    Attributes:
        start: First frame, 0-based.
        stop: The frame after the last one. None leaves the end open: to the end of the episode,
            however long that is.

    Raises:
        ValueError: ``start`` is negative, or the interval holds no frame.
    """

    start: int
    stop: int | None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise ValueError(f"start must be 0 or more, got {self.start}")
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop must be larger than start, got [{self.start}, {self.stop})")

    def __contains__(self, frame: int) -> bool:
        return self.start <= frame and (self.stop is None or frame < self.stop)


@dataclass(frozen=True, slots=True, init=False)
class IntervalSet:
    """A set of frames, as the fewest intervals that make it up.

    Two sets are equal exactly when they hold the same frames: whatever is given is sorted, and
    what overlaps or touches is joined.

    Attributes:
        intervals: Sorted, disjoint, with a gap of at least one frame between any two. Only the
            last one may be open.
    """

    intervals: tuple[FrameInterval, ...]

    def __init__(self, intervals: Iterable[FrameInterval] = ()) -> None:
        object.__setattr__(self, "intervals", tuple(_joined(intervals)))

    @classmethod
    def everything(cls) -> IntervalSet:
        """The set of all frames of an episode of any length."""
        return cls((FrameInterval(0, None),))

    @classmethod
    def from_mask(cls, mask: npt.NDArray[np.bool_]) -> IntervalSet:
        """The frames where ``mask``, bool of shape (length,), is true. Every end is closed.

        Raises:
            ValueError: ``mask`` is not one-dimensional, or not bool.
        """
        if mask.ndim != 1 or mask.dtype != np.bool_:
            raise ValueError(f"mask must be bool of shape (length,), got {mask.dtype} {mask.shape}")
        framed = np.zeros(len(mask) + 2, dtype=np.bool_)
        framed[1:-1] = mask
        edges = np.flatnonzero(framed[1:] != framed[:-1]).tolist()  # start, stop, start, ...
        return cls(FrameInterval(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True))

    @classmethod
    def of_pairs(cls, pairs: Iterable[object]) -> IntervalSet:
        """The set that ``pairs`` gives back: half-open ranges of JSON.

        Raises:
            ValueError: One is not a pair of integers, the second one larger than the first or null.
        """
        return cls(_interval(pair) for pair in pairs)

    def pairs(self) -> list[list[int | None]]:
        """The ranges for JSON: ``[start, stop]`` with stop exclusive, null where the end is open."""
        return [[interval.start, interval.stop] for interval in self.intervals]

    def __iter__(self) -> Iterator[FrameInterval]:
        return iter(self.intervals)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, frame: int) -> bool:
        return any(frame in interval for interval in self.intervals)

    def union(self, other: IntervalSet) -> IntervalSet:
        """The frames in either set."""
        return IntervalSet((*self.intervals, *other.intervals))

    def difference(self, other: IntervalSet) -> IntervalSet:
        """The frames in this set that are not in ``other``."""
        left: list[FrameInterval] = []
        cuts = other.intervals
        first = 0
        for interval in self.intervals:
            start: int | None = interval.start
            while first < len(cuts) and _ends_by(cuts[first], interval.start):
                first += 1
            for i in range(first, len(cuts)):
                cut = cuts[i]
                if start is None or (interval.stop is not None and cut.start >= interval.stop):
                    break
                if cut.start > start:
                    left.append(FrameInterval(start, cut.start))
                start = cut.stop
            if start is not None and (interval.stop is None or start < interval.stop):
                left.append(FrameInterval(start, interval.stop))
        return IntervalSet(left)

    def clip(self, length: int) -> IntervalSet:
        """The frames below ``length``; open ends become closed ones.

        Raises:
            ValueError: ``length`` is negative.
        """
        if length < 0:
            raise ValueError(f"length must be 0 or more, got {length}")
        return IntervalSet(
            FrameInterval(interval.start, length if interval.stop is None else min(interval.stop, length))
            for interval in self.intervals
            if interval.start < length
        )

    def open_at(self, length: int) -> tuple[FrameInterval, ...]:
        """The frames of an episode of ``length`` frames; what reaches its last frame has an open end."""
        return tuple(
            FrameInterval(item.start, None) if item.stop == length else item for item in self.clip(length)
        )

    def within(self, start: int, stop: int) -> IntervalSet:
        """The frames from ``start`` up to but not including ``stop``, counted from ``start``.

        Raises:
            ValueError: ``start`` is negative, or ``stop`` is below it.
        """
        if not 0 <= start <= stop:
            raise ValueError(f"start and stop must be 0 <= start <= stop, got {start} and {stop}")
        return IntervalSet(
            FrameInterval(
                max(interval.start, start) - start, None if interval.stop is None else interval.stop - start
            )
            for interval in self.intervals
            if interval.stop is None or interval.stop > start
        ).clip(stop - start)

    def count(self, length: int) -> int:
        """How many frames of an episode of ``length`` frames are in the set."""
        return sum(
            (length if interval.stop is None else min(interval.stop, length)) - interval.start
            for interval in self.intervals
            if interval.start < length
        )

    def mask(self, length: int) -> npt.NDArray[np.bool_]:
        """Membership of every frame of an episode: bool, shape (length,)."""
        mask = np.zeros(length, dtype=np.bool_)
        for interval in self.clip(length):
            mask[interval.start : interval.stop] = True
        return mask


def _interval(pair: object) -> FrameInterval:
    match pair:
        case [int(start), int() | None as stop] if bool not in (type(start), type(stop)):
            return FrameInterval(start, stop)
        case _:
            raise ValueError(f"{pair!r} is not a range [start, stop]")


def _joined(intervals: Iterable[FrameInterval]) -> Iterator[FrameInterval]:
    current: FrameInterval | None = None
    for interval in sorted(intervals, key=lambda item: item.start):
        if current is None:
            current = interval
        elif current.stop is not None and interval.start > current.stop:
            yield current
            current = interval
        elif current.stop is not None and (interval.stop is None or interval.stop > current.stop):
            current = FrameInterval(current.start, interval.stop)
    if current is not None:
        yield current


def _ends_by(interval: FrameInterval, frame: int) -> bool:
    return interval.stop is not None and interval.stop <= frame


def ends_late(interval: FrameInterval, length: int) -> bool:
    """Whether an interval has a frame past the end of an episode of ``length`` frames, or none in it."""
    return interval.start >= length or (interval.stop is not None and interval.stop > length)
