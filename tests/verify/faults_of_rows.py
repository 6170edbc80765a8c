"""Damage to indices and timestamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tests.verify.damage import Target
from tests.verify.faults import (
    AT_5,
    V3,
    add,
    at_frame,
    data_of,
    episodes_of,
    fault,
)

# -- values that are not there -----------------------------------------------------------------------

for _name in ("next.reward", "action", "task_index", "episode_index", "timestamp"):
    add(
        "values",
        f"null in {_name}",
        lambda t, name=_name: t.change_column(name, at_frame(5, None)),
        "null-values",
        **AT_5,
    )
add(
    "values",
    "a number too many",
    lambda t: _plain_lists(t, lambda v: at_frame(5, [1.0, 2.0, 3.0])(v)),
    "uneven-lists",
    **AT_5,
)


def _plain_lists(target: Target, change: Callable[[list[Any]], list[Any]]) -> None:
    def changed(table: pa.Table) -> pa.Table:
        at, kind = table.column_names.index("action"), pa.list_(pa.float32())
        return table.set_column(at, "action", pa.array(change(table["action"].to_pylist()), kind))

    target.change_rows(changed)


# -- indices --------------------------------------------------------------------------------------

add(
    "indices",
    "hole in index",
    lambda t: t.change_column("index", lambda v: [n + (at >= 5) for at, n in enumerate(v)]),
    "index-wrong",
    **AT_5,
)
add("indices", "index twice", lambda t: t.change_column("index", at_frame(5, 16)), "index-wrong", **AT_5)
add(
    "indices",
    "index starts again",
    lambda t: t.change_column("index", lambda v: list(range(len(v)))),
    "index-wrong",
    where=data_of,
    episode=1,
    frame=0,
)
add(
    "indices",
    "frame_index twice",
    lambda t: t.change_column("frame_index", at_frame(5, 4)),
    "frame-wrong",
    **AT_5,
)
add(
    "indices",
    "frame_index does not restart",
    lambda t: t.change_column("frame_index", lambda v: [n + 12 for n in v]),
    "frame-wrong",
    where=data_of,
    episode=1,
    frame=0,
)
add(
    "indices",
    "row of another episode",
    lambda t: t.change_column("episode_index", at_frame(5, 0)),
    "scattered-episode",
    where=data_of,
)
add(
    "indices",
    "task_index without task",
    lambda t: t.change_column("task_index", at_frame(5, 7)),
    "unknown-task",
    **AT_5,
)
add(
    "indices",
    "episodes list longer than the data",
    lambda t: t.change_episode(1, length=12),
    "wrong-length",
    episode=1,
)
add(
    "indices",
    "episode numbered twice",
    lambda t: t.change_episode(1, episode_index=2),
    "episode-numbering",
    where=episodes_of,
)
add(
    "indices",
    "data range of an episode",
    lambda t: t.change_episode(1, dataset_from_index=13),
    "wrong-range",
    episode=1,
    formats=V3,
)


add(
    "indices",
    "data file of an episode",
    lambda t: t.change_episode(1, **{"data/file_index": 4}),
    "wrong-file",
    "warning",
    where=data_of,
    episode=1,
    formats=V3,
)


@fault("indices", "index columns are floats", "index-dtype", "warning")
def float_index(target: Target) -> None:
    def changed(table: pa.Table) -> pa.Table:
        at = table.column_names.index("index")
        return table.set_column(at, "index", pc.cast(table["index"], pa.float64()))

    target.change_tables(changed)


@fault("indices", "episode cut short in the data", "wrong-length", episode=1)
def fewer_rows(target: Target) -> None:
    target.change_rows(lambda table: table.slice(0, 9))


# -- timestamps -----------------------------------------------------------------------------------

add(
    "timestamps",
    "one off the grid",
    lambda t: t.change_column("timestamp", at_frame(5, 0.53)),
    "timestamp-off-grid",
    **AT_5,
)
add(
    "timestamps",
    "not in order",
    lambda t: t.change_column("timestamp", at_frame(5, 0.35)),
    "timestamp-order",
    **AT_5,
)
add(
    "timestamps",
    "jitter",
    lambda t: t.change_column("timestamp", lambda v: [s + 0.004 * (at % 3) for at, s in enumerate(v)]),
    "timestamp-off-grid",
    where=data_of,
    episode=1,
    frame=1,
)
add(
    "timestamps",
    "one frame late",
    lambda t: t.change_column("timestamp", lambda v: [s + 0.1 for s in v]),
    "timestamp-off-grid",
    where=data_of,
    episode=1,
    frame=0,
)
add(
    "timestamps",
    "go on from the episode before",
    lambda t: t.change_column("timestamp", lambda v: [s + 1.2 for s in v]),
    "timestamp-off-grid",
    where=data_of,
    episode=1,
    frame=0,
)
