"""Random edits of a dataset: a comparison names each of them as what it is."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.differing import Rows, brief, compared, write_rows

KINDS = ("keep", "keep", "relabel", "retask", "cut", "change", "drop")
TASKS = ("pick", "place")


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[Rows], list[Rows], list[tuple]]:
    """Episodes, what becomes of them, and what a comparison must say of those that are left."""
    lengths = draw(st.lists(st.integers(4, 12), min_size=1, max_size=6))
    before = [Rows.made(seed, length, draw(st.sampled_from(TASKS))) for seed, length in enumerate(lengths)]
    left: list[tuple[Rows, tuple | None]] = []
    for number, rows in enumerate(before):
        match draw(st.sampled_from(KINDS)):
            case "keep":
                left.append((rows, ("same", number, None, {}, None, {})))
            case "relabel":
                frames = draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
                reward = rows.reward.copy()
                reward[list(frames)] += 1
                mask = np.isin(np.arange(len(rows)), list(frames))
                edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
                ranges = [list(pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
                labels = {"next.reward": ranges}
                new = replace(rows, reward=reward)
                left.append((new, ("relabelled", number, None, labels, None, {})))
            case "retask":
                task = draw(st.sampled_from(("push", "stack")))
                tasks = ([rows.task], [task])
                left.append((replace(rows, task=task), ("retasked", number, None, {}, tasks, {})))
            case "cut":
                start = draw(st.integers(0, len(rows) - 2))
                stop = draw(st.integers(start + 1, len(rows) - (start == 0)))
                left.append((rows.cut(start, stop), ("cut", number, (start, stop), {}, None, {})))
            case "change":
                changed = sorted(draw(st.sets(st.integers(0, len(rows) - 1), min_size=1)))
                column = draw(st.sampled_from(("state", "action")))
                values = getattr(rows, column).copy()
                values[changed, draw(st.integers(0, 1))] += 1
                name = "observation.state" if column == "state" else "action"
                features = {name: (len(changed), changed[0])}
                left.append(
                    (replace(rows, **{column: values}), ("changed", number, None, {}, None, features))
                )
            case "drop":
                pass
    if draw(st.booleans()) or not left:
        left.append((Rows.made(100, draw(st.integers(4, 12))), None))
    left = draw(st.permutations(left))
    wanted: list[tuple] = []
    for b, (_, entry) in enumerate(left):
        if entry is None:
            wanted.append(("only in B", None, b, None, {}, None, {}))
            continue
        kind, a, *rest = entry
        wanted.append(("moved" if kind == "same" and a != b else kind, a, b, *rest))
    known = {entry[1] for _, entry in left if entry is not None}
    wanted += [("only in A", a, None, None, {}, None, {}) for a in range(len(before)) if a not in known]
    return before, [rows for rows, _ in left], wanted


@settings(max_examples=60)
@given(edits())
def test_edits_are_found(case: tuple[list[Rows], list[Rows], list[tuple]]) -> None:
    before, after, wanted = case
    with tempfile.TemporaryDirectory() as folder:
        a, b = write_rows(Path(folder) / "a", before), write_rows(Path(folder) / "b", after)
        report = compared(a, b)
        found = [brief(each) for each in report.episodes]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    tasks = [{each.task for each in episodes} for episodes in (before, after)]
    plain = all(each[0] == "same" for each in wanted) and tasks[0] == tasks[1]
    assert report.equal == plain
