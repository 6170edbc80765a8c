"""LeRobot's warning about a torchcodec that cannot be loaded."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from lerobot_grasp_plugin.commands.run import command

LOGGER = logging.getLogger("lerobot.utils.import_utils")
VERSIONS = {8: 60, 7: 59, 6: 58, 5: 57, 4: 56}
AT_LENGTH = """Could not load libtorchcodec. Likely causes:
          1. FFmpeg is not properly installed in your environment. We support
        The following exceptions were raised as we tried to load libtorchcodec:
[start of libtorchcodec loading traceback]
{causes}
[end of libtorchcodec loading traceback].
'torchcodec' is installed but cannot be loaded (see the error above). \
Falling back to 'pyav' as a default decoder."""
CAUSE = """FFmpeg version {version}:
Traceback (most recent call last):
  File "torch/_ops.py", line 1503, in load_library
    ctypes.CDLL(path)
{error}

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
    raise OSError(f"Could not load this library: {{path}}") from e
OSError: Could not load this library: /venv/torchcodec/libtorchcodec_core{version}.so
"""
MISSING = "OSError: libavutil.so.{number}: cannot open shared object file: No such file or directory"
BROKEN = "OSError: libtorchcodec_core6.so: undefined symbol: _ZN3c1015SmallVectorBaseE"


def at_length(error_of: dict[int, str]) -> str:
    causes = [
        CAUSE.format(version=version, error=error_of.get(version, MISSING.format(number=number)))
        for version, number in VERSIONS.items()
    ]
    return AT_LENGTH.format(causes="\n".join(causes))


@pytest.fixture(autouse=True)
def as_at_the_start():
    before = LOGGER.filters[:]
    LOGGER.filters[:] = []
    yield
    LOGGER.filters[:] = before


def said(message: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    @command
    def main(args: Sequence[str] | None) -> int:
        LOGGER.warning(message)
        LOGGER.warning(message)
        return 0

    assert main(None) == 0
    return caplog.messages


def test_without_ffmpeg_it_is_one_line_said_once(caplog, capsys):
    assert said(at_length({}), caplog) == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: images are decoded with PyAV; torchcodec is installed but finds no ")


@pytest.mark.parametrize(
    "message",
    [
        at_length({6: BROKEN}),  # FFmpeg 6 is there, and something else is wrong
        "'torchcodec' is not available in your platform, falling back to 'pyav' as a default decoder",
        "anything else",
    ],
)
def test_everything_else_stays_as_it_is(message, caplog, capsys):
    assert said(message, caplog) == [message, message]
    assert "PyAV" not in capsys.readouterr().err
