"""Commands whose reader has gone: ``lerobot-grasp-verify ... | head -1``."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.support.deadline import wait_until

BIN = Path(sys.executable).parent
COMMANDS = [
    each for each in entry_points(group="console_scripts") if each.value.startswith("lerobot_grasp_plugin")
]


def ended(args: list[object], *, unbuffered: bool = False, both: bool = False) -> tuple[int, str]:
    """Exit code, and what a command says on stderr when nobody reads its stdout (or ``both``)."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if unbuffered:
        environment["PYTHONUNBUFFERED"] = "1"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [str(arg) for arg in args],
        stdout=writer,
        stderr=writer if both else subprocess.PIPE,
        env=environment,
        check=False,
        text=True,
    )
    os.close(writer)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("unbuffered", [False, True])
def test_the_command_ends_as_it_would(recorded, copied, unbuffered):
    program = BIN / "lerobot-grasp-verify"
    unsound = copied("av1")
    next((unsound / "data").rglob("*.parquet")).write_bytes(b"")
    assert ended([program, "--help"], unbuffered=unbuffered) == (0, "")
    assert ended([program, "--roots", f"[{recorded('av1')}, {unsound}]"], unbuffered=unbuffered) == (1, "")
    assert ended([program, "--root", recorded("av1")], unbuffered=unbuffered, both=True) == (0, "")
    assert ended([program, "--rot"], unbuffered=unbuffered, both=True) == (2, "")


SAYS = """
import sys
from lerobot_grasp_plugin.commands.streams import outlive_readers
outlive_readers()
print("first", file=sys.stderr)
sys.stdin.read()
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_word_is_there_when_it_is_printed(unbuffered):
    """A container often sets PYTHONUNBUFFERED; the first word then came half a minute late."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command, pipe = [sys.executable, "-c", SAYS], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, env=environment) as process:
        os.set_blocking(process.stderr.fileno(), False)
        said = b""

        def is_there():
            nonlocal said
            assert process.poll() is None
            said += process.stderr.read() or b""
            return said == b"first\n"

        try:
            wait_until(is_there, "the word is not written before the program ends")
        finally:
            process.stdin.close()


def test_what_is_written_is_written(recorded, tmp_path):
    (tmp_path / "labels.txt").write_text("0: 3-\n")
    args = ["--root", recorded("av1"), "--annotations", tmp_path / "labels.txt", "--unlisted", "fail"]
    assert ended([BIN / "lerobot-grasp-relabel", *args, "--new_root", tmp_path / "out"]) == (0, "")
    assert (tmp_path / "out/meta/info.json").is_file()


def test_it_is_so_for_every_command():
    assert len(COMMANDS) == 20
    for each in COMMANDS:
        assert hasattr(import_module(each.module).main, "__wrapped__"), each.name
