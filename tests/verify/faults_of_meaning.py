"""Statistics and labels that are wrong, and values that will hurt training."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.factories import write_lines
from tests.verify.damage import CAMERA, LENGTHS, Target
from tests.verify.faults import (
    AT_5,
    LABELLED,
    add,
    at_frame,
    data_of,
    episodes_of,
    fault,
    info_of,
    stats_of,
)

# -- statistics -----------------------------------------------------------------------------------


def _spoil_stats(target: Target, name: str) -> None:
    stats = json.loads(target.stats.read_text())
    stats[name]["mean"] = [value + 5 for value in stats[name]["mean"]]
    target.stats.write_text(json.dumps(stats))


def _spoil_episode_stats(target: Target, name: str) -> None:
    if target.is_v3:
        table = pq.ParquetFile(target.episodes_file).read()
        entries = table.to_pylist()
        entries[1][f"stats/{name}/mean"] = [value + 5 for value in entries[1][f"stats/{name}/mean"]]
        pq.write_table(pa.Table.from_pylist(entries, table.schema), target.episodes_file)
        return
    path = target.root / "meta/episodes_stats.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entries[1]["stats"][name]["mean"] = [value + 5 for value in entries[1]["stats"][name]["mean"]]
    write_lines(path, entries)


add(
    "statistics",
    "wrong in stats.json",
    lambda t: _spoil_stats(t, "action"),
    "wrong-statistics",
    "warning",
    where=stats_of,
    formats=("v2.0", "v3.0"),
)
add(
    "statistics",
    "wrong of an episode",
    lambda t: _spoil_episode_stats(t, "action"),
    "wrong-statistics",
    "warning",
    episode=1,
    formats=("v2.1", "v3.0"),
)
add(
    "statistics",
    "of labels are stale",
    lambda t: _spoil_stats(t, "next.reward"),
    "stale-label-statistics",
    "warning",
    where=stats_of,
    formats=("v2.0", "v3.0"),
)
add(
    "statistics",
    "of an episode's labels are stale",
    lambda t: _spoil_episode_stats(t, "next.reward"),
    "stale-label-statistics",
    "warning",
    episode=1,
    formats=("v2.1", "v3.0"),
)
add(
    "statistics",
    "stats.json missing",
    lambda t: t.stats.unlink(),
    "missing-stats",
    "warning",
    formats=("v2.0", "v3.0"),
)


def _two_rewards(target: Target) -> None:
    def change(table: pa.Table) -> pa.Table:
        pairs = pa.array([[x, x] for x in table["next.reward"].to_pylist()], pa.list_(pa.float32(), 2))
        return table.set_column(table.column_names.index("next.reward"), "next.reward", pairs)

    target.change_tables(change)
    target.set_feature("next.reward", shape=[2])


# -- labels ---------------------------------------------------------------------------------------

add(
    "labels",
    "rewards are all zero",
    lambda t: t.change_column_everywhere("next.reward", lambda v: [0.0] * len(v)),
    "reward-all-zero",
    "warning",
)
add(
    "labels",
    "a reward that is no label",
    lambda t: t.change_column("next.reward", at_frame(5, 7.0)),
    "dense-rewards",
    "note",
)
add(
    "labels",
    "reward without done",
    lambda t: t.change_column("next.done", lambda v: [False] * len(v)),
    "reward-without-done",
    "warning",
    episode=1,
    frame=10,
)
add(
    "labels",
    "done is never true",
    lambda t: t.change_column_everywhere("next.done", lambda v: [False] * len(v)),
    "done-all-false",
    "warning",
)
add(
    "labels",
    "done in the middle",
    lambda t: t.change_column("next.done", at_frame(5, True)),
    "done-before-end",
    "note",
    episode=1,
    frame=5,
)
add(
    "labels",
    "done in every row",
    lambda t: t.change_column_everywhere("next.done", lambda v: [True] * len(v)),
    "done-all-true",
    "warning",
)
add(
    "labels",
    "rewards of -1 and 0",
    lambda t: t.change_column_everywhere("next.reward", lambda v: [x - 1 for x in v]),
    "reward-values",
    "note",
)
add(
    "labels",
    "a reward of two values in a row",
    lambda t: _two_rewards(t),
    "label-shape",
    "warning",
)
add(
    "labels",
    "an episode without success",
    lambda t: t.change_column("next.reward", lambda v: [0.0] * len(v)),
    "no-success",
    "note",
    episode=1,
)
add(
    "labels",
    "reward other than the sidecar says",
    lambda t: t.change_column("next.reward", at_frame(2, 1.0)),
    "reward-differs-from-sidecar",
    "warning",
    episode=1,
    frame=2,
    formats=LABELLED,
)
add(
    "labels",
    "done other than the sidecar says",
    lambda t: t.change_column("next.done", at_frame(5, True)),
    "done-differs-from-sidecar",
    "warning",
    episode=1,
    frame=5,
    formats=LABELLED,
)

# -- attempts saved as one episode -------------------------------------------------------------------


@fault("hazards", "two attempts in one episode", "state-jump", "warning", where=data_of, episode=1, frame=10)
def two_attempts(target: Target) -> None:
    attempt = [[0.1 * step, -0.2 * step] for step in range(10)]
    target.change_column("observation.state", lambda values: (attempt + attempt)[: len(values)])


@fault("info", "info of a camera is a text", "bad-info", where=info_of)
def camera_info(target: Target) -> None:
    target.set_feature(CAMERA, info="av1")


# -- hazards --------------------------------------------------------------------------------------


def _vectors(change: Callable[[int, list[float]], list[float]]) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [change(at, value) for at, value in enumerate(values)]


add(
    "hazards",
    "an action dimension is constant",
    lambda t: t.change_column_everywhere("action", _vectors(lambda n, v: [v[0], 4.0])),
    "constant-action",
    "warning",
)
add(
    "hazards",
    "actions of an episode are all zero",
    lambda t: t.change_column("action", _vectors(lambda n, v: [0.0, 0.0])),
    "zero-action",
    "warning",
    episode=1,
)
add(
    "hazards",
    "the state stands still in an episode",
    lambda t: t.change_column("observation.state", lambda v: [v[0]] * len(v)),
    "still-episode",
    "warning",
    episode=1,
)
add(
    "hazards",
    "the action stands still in an episode",
    lambda t: t.change_column("action", lambda v: [v[0]] * len(v)),
    "still-episode",
    "warning",
    episode=1,
)
add(
    "hazards",
    "NaN in the state",
    lambda t: t.change_column(
        "observation.state", _vectors(lambda n, v: [float("nan"), v[1]] if n == 5 else v)
    ),
    "not-finite",
    "warning",
    **AT_5,
)
add(
    "hazards",
    "infinity in the action",
    lambda t: t.change_column("action", _vectors(lambda n, v: [float("inf"), v[1]] if n == 5 else v)),
    "not-finite",
    "warning",
    **AT_5,
)
add(
    "hazards",
    "episode below a second",
    lambda t: (t.change_rows(lambda table: table.slice(0, 9)), t.change_episode(1, length=9)),
    "short-episode",
    "warning",
    episode=1,
)
add(
    "hazards",
    "episode of one frame",
    lambda t: (t.change_rows(lambda table: table.slice(0, 1)), t.change_episode(1, length=1)),
    "short-episode",
    "warning",
    where=episodes_of,
    episode=1,
    level="meta",
)
add(
    "hazards",
    "radians among degrees",
    lambda t: t.change_column("observation.state", _vectors(lambda n, v: [x * 0.01745 for x in v])),
    "mixed-units",
    "warning",
    episode=1,
)


@fault("hazards", "an episode twice", "duplicate-episode", "warning", episode=2)
def twice(target: Target) -> None:
    path = target.data(1)
    table = pq.ParquetFile(path).read()
    first = table.slice(sum(LENGTHS[:1]) if target.is_v3 else 0, LENGTHS[1])

    def change(rows: pa.Table) -> pa.Table:
        kept = rows.slice(0, LENGTHS[1])
        for name in ("action", "observation.state"):
            kept = kept.set_column(
                kept.column_names.index(name), kept.schema.field(name), first[name].combine_chunks()
            )
        return kept

    target.change_rows(change, 2)
    target.change_episode(2, length=LENGTHS[1])
