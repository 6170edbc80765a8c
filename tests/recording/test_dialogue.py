"""What the person is told of the labels they give after an episode."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.recording.dialogue import ask_about


@pytest.mark.parametrize(
    ("answer", "said"),
    [("2-", "success 2-"), ("1, 3-4", "success 1, 3-4"), ("all fail",) * 2, ("1-", "all success")],
)
def test_labels_are_repeated_as_they_were_understood(answer: str, said: str) -> None:
    answers, shown = iter([answer, ""]), []
    attempt = SimpleNamespace(success=IntervalSet(), length=5)
    verdict = ask_about(lambda _: next(answers), shown.append, SimpleNamespace(episodes=3), attempt)
    assert verdict.keep
    assert shown == [f"Episode 3: {said}"]
