"""Reads other columns of the list of episodes, such as those of SARM or of a lab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

_OWN: Final = frozenset({"episode_index", "tasks", "length", "dataset_from_index", "dataset_to_index"})
_LEGACY_OWN: Final = frozenset({"episode_index", "tasks", "length"})
_OWN_PLACES: Final = frozenset({"chunk_index", "file_index", "from_timestamp", "to_timestamp"})
_OWN_STATISTICS: Final = frozenset({"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"})


def is_known(name: str, features: Iterable[str]) -> bool:
    """Whether a column of ``meta/episodes`` is one that LeRobot writes for a dataset with these features."""
    if name in _OWN:
        return True
    group, _, rest = name.partition("/")
    if group in ("data", "meta"):
        return name.rpartition("/")[2] in _OWN_PLACES
    feature, _, last = rest.rpartition("/")
    if group == "stats":
        return last in _OWN_STATISTICS and feature in features
    return group == "videos" and last in _OWN_PLACES and feature in features


def split_columns(names: Iterable[str], features: Iterable[str]) -> tuple[list[str], list[str]]:
    """Other columns: those that can be carried over, and those that would mislead LeRobot.

    Statistics and places of files (``stats/...``, ``videos/...``) are LeRobot's, whatever feature they
    belong to.
    """
    unknown = [name for name in names if not is_known(name, features)]
    groups = ("stats", "videos", "data", "meta")
    misleading = [name for name in unknown if name.partition("/")[0] in groups and "/" in name]
    return [name for name in unknown if name not in misleading], misleading


def selected(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """Rows of a table, in the given order."""
    if list(rows) == list(range(table.num_rows)):
        return table
    return table.take(pa.array(rows, pa.int64()))


def unknown_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The unknown keys of an entry of ``episodes.jsonl``."""
    return {key: value for key, value in entry.items() if key not in _LEGACY_OWN}


def split_keys(keys: Iterable[str]) -> tuple[list[str], list[str]]:
    """Unknown keys of ``episodes.jsonl``: those that can be columns of ``meta/episodes``, and those that
    are LeRobot's own columns there, such as ``dataset_from_index`` and ``data/file_index``.
    """
    names = list(keys)
    carried, _ = split_columns(names, ())
    return carried, [name for name in names if name not in carried]
