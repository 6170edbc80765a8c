"""Runs a command in the process of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest


def ended_by(
    command: Callable[..., int], args: Sequence[object], capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    capsys.readouterr()  # what LeRobot printed while it recorded
    try:
        code = command([str(arg) for arg in args])
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err
