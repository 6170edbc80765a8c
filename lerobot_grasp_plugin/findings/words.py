"""Numbers, episodes and values in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_SHOWN_RANGES = 8


def count(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def agree(number: int, one: str, more: str) -> str:
    """The verb that goes with a number: ``one`` with 1, else ``more``."""
    return one if number == 1 else more


def episodes_text(episodes: Iterable[int]) -> str:
    """``episode 7``, or ``episodes 0-3, 7``; many ranges are cut short. -1 stands for an unknown one."""
    numbers = sorted({int(episode) for episode in episodes})
    if numbers[:1] == [-1]:
        return "an unknown episode" + (f" and {episodes_text(numbers[1:])}" if numbers[1:] else "")
    return ("episode " if len(numbers) == 1 else "episodes ") + ranges_text(numbers)


def ranges_text(numbers: Iterable[int]) -> str:
    """``0-3, 7``; many ranges are cut short."""
    ranges = list(_ranges(numbers))
    left = len(ranges) - _SHOWN_RANGES
    shown = ", ".join(ranges[:_SHOWN_RANGES])
    return shown if left <= 0 else f"{shown} and {left} more ranges"


def all_but(episodes: Iterable[int]) -> str:
    """The selection of all other episodes, as ``episodes`` of a source takes it: ``!0-3,7``."""
    return "!" + ",".join(_ranges(episodes))


def all_ranges(numbers: Iterable[int]) -> str:
    """``0-3, 7``, however many ranges there are."""
    return ", ".join(_ranges(numbers))


def some(items: Iterable[object], most: int = 6) -> str:
    """``a, b, c``; many are cut short: ``a, b, ...``."""
    texts = [*map(str, items)]
    return ", ".join(texts[:most]) + ", ..." * (len(texts) > most)


def several(numbers: Sequence[int], noun: str) -> str:
    """``episode 3`` or ``5 episodes (0, 1, 2, 3, 4)``; many are cut short."""
    return (
        f"{noun} {numbers[0]}" if len(numbers) == 1 else f"{count(len(numbers), noun)} ({some(numbers, 8)})"
    )


def short(text: str, most: int = 80) -> str:
    """A text as it can stand in a message, cut short where it is long."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _ranges(numbers: Iterable[int]) -> Iterator[str]:
    first = last = None
    for number in [*sorted({int(number) for number in numbers}), None]:
        if first is not None and last is not None and number != last + 1:
            yield str(first) if first == last else f"{first}-{last}"
            first = None
        first, last = (number if first is None else first), number
