"""Which of the keys that a terminal sends are presses."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from lerobot_grasp_plugin.recording.presses import Presses

GAP = 0.12


class Clock:
    """Timers that run out when a later key comes, or at the end."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, object, Mock]] = []
        self.now = 0.0

    def later(self, seconds, action):
        handle = Mock()
        self.timers.append((self.now + seconds, action, handle))
        return handle

    def pass_to(self, now: float) -> None:
        due = [timer for timer in self.timers if timer[0] <= now]
        self.timers = [timer for timer in self.timers if timer[0] > now]
        for _, action, handle in due:
            if not handle.cancel.called:
                action()
        self.now = now


def pressed(*keys: tuple[str, float]) -> list[tuple[str, float]]:
    clock, presses = Clock(), []
    taken = Presses(lambda key, at: presses.append((key, at)), GAP, clock.later)
    for key, at in keys:
        clock.pass_to(at)
        taken.take(key, at)
    clock.pass_to(1000.0)
    return presses


def held(key: str, at: float, delay: float, period: float, seconds: float) -> list[tuple[str, float]]:
    repeats = range(int((seconds - delay) / period))
    return [(key, at), *((key, at + delay + number * period) for number in repeats)]


@pytest.mark.parametrize(
    ("delay", "period"), [(0.25, 0.033), (0.5, 0.03), (0.66, 0.04), (0.25, 0.092), (0.5, 0.11)]
)
def test_a_key_that_is_held_counts_once(delay: float, period: float) -> None:
    keys = held("s", 1.0, delay, period, 3.0)
    assert pressed(*keys) == [("s", 1.0)]
    again = keys[-1][1] + 0.3
    assert pressed(*keys, ("s", again)) == [("s", 1.0), ("s", again)]


@pytest.mark.parametrize("since", [0.13, 0.2, 0.5, 0.69, 0.71, 5.0])
def test_every_press_counts_at_the_time_it_was_made(since: float) -> None:
    keys = [("s", number * since) for number in range(5)]
    assert pressed(*keys) == keys


def test_presses_keep_their_order() -> None:
    keys = [("s", 0.0), ("s", 0.3), ("f", 0.35), ("u", 0.36), ("u", 0.6)]
    assert pressed(*keys) == keys


def test_a_question_in_between_takes_no_press_away() -> None:
    presses = []
    taken = Presses(lambda key, at: presses.append((key, at)), GAP, Clock().later)
    taken.take("n", 0.0)
    taken.take("n", 0.3)
    taken.clear()
    taken.take("n", 0.35)
    assert presses == [("n", 0.0), ("n", 0.3), ("n", 0.35)]
