"""Tests marked ``alone`` come last, and while one runs no other does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import os, sys
sys.path.insert(0, {here!r})
os.environ.setdefault("GRASP_TESTS_LOCK", {lock!r})
from alone import pytest_collection_modifyitems, pytest_runtest_protocol
"""
NOTES = """
import pathlib

LOG = pathlib.Path(__file__).with_name("log")

def note(text):
    with LOG.open("a") as file:
        file.write(text + chr(10))
"""
MARKED = """
import pytest
from notes import note

@pytest.fixture(scope="module")
def made():
    note("begin fixture")
    yield
    note("end fixture")

@pytest.mark.alone
@pytest.mark.parametrize("number", range(3))
def test_alone(number, made):
    note(f"begin alone{number}")
    note(f"end alone{number}")
"""
OTHERS = """
import time, pytest
from notes import LOG, note

@pytest.mark.parametrize("number", range({start}, {start} + 3))
def test_other(number):
    note(f"begin other{{number}}")
    until = time.monotonic() + 1  # without a lock, the others would begin in this time
    while number >= 4 and "begin fixture" not in LOG.read_text() and time.monotonic() < until:
        time.sleep(0.01)
    note(f"end other{{number}}")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_runs_meanwhile(workers: int, tmp_path: Path) -> None:
    here, lock = str(Path(__file__).parent), str(tmp_path / "lock")
    (tmp_path / "conftest.py").write_text(CONFTEST.format(here=here, lock=lock))
    (tmp_path / "notes.py").write_text(NOTES)
    (tmp_path / "test_marked.py").write_text(MARKED)
    for start in (0, 3):
        (tmp_path / f"test_others{start}.py").write_text(OTHERS.format(start=start))
    ini = "[pytest]\nmarkers = alone\naddopts = --dist loadgroup --no-loadscope-reorder\n"
    (tmp_path / "pytest.ini").write_text(ini)
    environment = {**os.environ, "GRASP_TESTS_LOCK": lock}  # this test holds the other one
    for name in [name for name in environment if name.startswith(("PYTEST_", "COV_"))]:
        environment.pop(name)
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "-q"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "9 passed" in done.stdout, done.stdout
    running: set[str] = set()
    seen: list[str] = []
    for line in (tmp_path / "log").read_text().splitlines():
        event, name = line.split()
        if event == "end":
            running.remove(name)
            continue
        assert not any(other.startswith("alone") for other in running)
        assert not name.startswith("alone") or running <= {"fixture"}
        running.add(name)
        seen.append(name)
    others = [name for name in seen if name.startswith("other")]
    assert len(others) == 6
    first = 3 if workers else 6  # the other worker may be at its file still
    assert seen[:first] == others[:first]
