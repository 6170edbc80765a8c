"""Which tests share a worker, and which of them start first.

The tests of a file go to one worker, so that its fixtures are made once.

Tests marked ``in_turn`` start first and go to one worker: learners, emulated arms, recordings, browsers. Each
of them starts several processes, so never two of them run at a time. They wait for what those processes print
or write, not for the clock, so another worker may be busy meanwhile.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts marked tests first and into one group, and those of each other file into a group of its own."""
    marked = [item for item in items if item.get_closest_marker("in_turn")]
    others = [item for item in items if not item.get_closest_marker("in_turn")]
    for item in marked:
        item.add_marker(pytest.mark.xdist_group("in_turn"))
    for item in others:
        item.add_marker(pytest.mark.xdist_group(str(item.path)))
    items[:] = marked + others
