"""Tests marked ``in_turn`` come first and run one at a time, whatever file they are in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import environment

CONFTEST = "from tests.support.in_turn import pytest_collection_modifyitems\n"
NOTES = """
import pathlib, time

LOG = pathlib.Path(__file__).with_name("log")

def note(text):
    with LOG.open("a") as file:
        file.write(text + chr(10))

def wait_for(text):
    until = time.monotonic() + {seconds}
    while text not in LOG.read_text() and time.monotonic() < until:
        time.sleep(0.01)
"""
MARKED = """
import pytest
from notes import note, wait_for

def test_not_marked():
    note("begin other{number}")
    note("end other{number}")

@pytest.mark.in_turn
def test_in_turn():
    note("begin turn{number}")
    wait_for("begin turn{other}")  # it comes in this time if another worker runs it
    note("end turn{number}")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_marked_tests_run_one_at_a_time(workers: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "notes.py").write_text(NOTES.format(seconds=1))
    for number in (0, 1):
        (tmp_path / f"test_{number}.py").write_text(MARKED.format(number=number, other=1 - number))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = in_turn\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers)]
    command += ["--dist", "loadgroup", "--no-loadscope-reorder"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert "4 passed" in done.stdout, done.stdout
    lines = (tmp_path / "log").read_text().splitlines()
    turns = [line for line in lines if "turn" in line]
    assert turns == ["begin turn0", "end turn0", "begin turn1", "end turn1"]
    if not workers:
        assert lines[:4] == turns
