"""The bar of a step that takes long."""

from __future__ import annotations

import io
import sys

import pytest

from lerobot_grasp_plugin.commands import run


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("quick", "seen"), [(0.0, True), (1e9, False)])
def test_a_bar_is_there_before_the_first_part_of_a_step_is_done(
    quick: float, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_QUICK_S", quick)
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = run.TerminalProgress()
    progress("reading tables", 0, 9)
    assert ("reading tables" in sys.stderr.getvalue()) == seen
    progress.close()
