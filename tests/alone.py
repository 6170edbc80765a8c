"""Which tests share a worker, and which run while the other workers are idle.

The tests of a file go to one worker, so that its fixtures are made once.

Tests marked ``alone`` run after all others, one at a time: an arm that moves by the clock, a recording that
is killed, a browser, a learner with its actor. They need the whole machine. They come last and go to one
worker; a lock keeps them from starting while another worker still runs a test. Tests that start a process and
wait for what it prints or writes need no mark.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LOCK = "GRASP_TESTS_LOCK"
"""Environment variable that names the file of the lock; the main process sets it, its workers inherit it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts marked tests last and into one group, and those of each other file into a group of its own."""
    marked = [item for item in items if item.get_closest_marker("alone")]
    others = [item for item in items if not item.get_closest_marker("alone")]
    for item in marked:
        item.add_marker(pytest.mark.xdist_group("alone"))
    for item in others:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items[:] = others + marked


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Runs a marked test while no other runs, set-up and tear-down of fixtures included."""
    with _held(fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH):
        return (yield)


@contextmanager
def _held(kind: int) -> Iterator[None]:
    with Path(os.environ[LOCK]).open("a") as file:
        fcntl.flock(file, kind)
        yield
