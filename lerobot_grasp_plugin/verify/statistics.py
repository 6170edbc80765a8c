"""Compares the stored statistics with those of the rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import (
    MOMENTS,
    QUANTILES,
    Differing,
    combine,
    describe,
    differing,
)
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.verify.episode_quantiles import QuantileCheck
from lerobot_grasp_plugin.verify.overall_quantiles import OverallQuantiles
from lerobot_grasp_plugin.verify.stored_stats import StoredStats
from lerobot_grasp_plugin.verify.summaries import LABELS, Summaries, Summary
from lerobot_grasp_plugin.verify.view import View

NORMALISING = (*MOMENTS, "q01", "q10", "q90", "q99")
"""Statistics that LeRobot's normalisation modes use."""
_OF_POLICIES = ("observation", "action")
MAKE_ANEW = "recompute them with lerobot-grasp-merge or LeRobot's recompute_stats"
_KINDS = {
    "mean": (
        "the mean of the episodes' (LeRobot before 0.6.2 writes this)",
        "pi0, pi05 and other policies that normalise with q01 and q99 get values far outside [-1, 1]",
    ),
    "bounds": (
        "the least and the greatest of the episodes' (LeRobot from 0.6.2 on writes this)",
        "pi0, pi05 and other policies that normalise with q01 and q99 use only a part of [-1, 1]",
    ),
    "unknown": (
        "of an unknown kind, because those of each episode are wrong",
        "pi0, pi05 and other policies normalise with q01 and q99",
    ),
}
"""By kind of quantiles: their description, and the effect on training."""


def check_stored_statistics(
    view: View,
    stored: StoredStats,
    summaries: Summaries,
    quantiles: QuantileCheck,
    overall: OverallQuantiles,
) -> Iterator[Problem]:
    """Checks every stored statistic that can be recomputed from the tables.

    Args:
        view: The dataset.
        stored: Its statistics.
        summaries: Of all rows; complete.
        quantiles: The check of the episodes' quantiles.
        overall: The check of the quantiles of all rows.
    """
    kinds: dict[str, list[str]] = {}
    whole = summaries.whole()
    unread: dict[tuple[str, str], dict[str, Problem]] = {}
    for name, summary in summaries.columns.items():
        feature = view.info.features.get(name)
        if feature is None or summary.low.shape[1] != math.prod(feature["shape"]):
            continue  # another finding reports it
        row: tuple[int, ...] = tuple(feature["shape"])
        found: list[Problem] = []
        lengths = summaries.lengths[summary.runs]
        if int(lengths.sum()) >= int(view.lengths.sum()):  # otherwise rows that count were not read
            found += _with_quantiles(_overall(name, stored, summary, lengths, row), overall.wrong(name))
            if not found and is_policy_column(name):
                kind = overall.kind(name, trusted=name not in quantiles.wrong)
                kinds.setdefault(kind, []).append(name)
                if kind == "none":
                    found.append(_of_no_kind(name, overall, stored))
        found += _per_episode(
            view, name, stored, summary, summaries, row, whole, quantiles.wrong.get(name, {})
        )
        for problem in found:
            if severity_of(name) == problem.severity == "note":
                unread.setdefault((problem.code, problem.place.file), {})[name] = problem
            else:
                yield problem
    yield from _kinds(kinds, overall, stored)
    for columns in unread.values():
        first, *others = columns
        more = f"; those of {', '.join(map(repr, others))} are wrong too" if others else ""
        yield replace(columns[first], text=columns[first].text + more)


def _with_quantiles(found: Iterable[Problem], wrong: Sequence[str]) -> Iterator[Problem]:
    """The same findings; the one of wrong statistics over all rows also names the wrong quantiles."""
    for problem in found:
        if wrong and problem.code in ("stale-statistics", "wrong-statistics"):
            are = "is not the quantile" if len(wrong) == 1 else "are not the quantiles"
            problem = replace(problem, text=f"{problem.text}; {', '.join(wrong)} {are} of the rows either")
        yield problem


def _of_no_kind(name: str, overall: OverallQuantiles, stored: StoredStats) -> Problem:
    message = (
        f"{name!r}: {overall.example(name)}; it is neither the quantile of the rows nor LeRobot's aggregate "
        "of the episodes' (mean, or least and greatest)"
    )
    return Problem("wrong-statistics", message, stored.where[0], hint_of(name))


def _kinds(
    kinds: Mapping[str, Sequence[str]], overall: OverallQuantiles, stored: StoredStats
) -> Iterator[Problem]:
    """A note for the columns whose quantiles are LeRobot's aggregates of the episodes'."""
    for kind, (made, effect) in _KINDS.items():
        if names := kinds.get(kind):
            message = (
                f"quantiles of {', '.join(map(repr, names))} are {made}, not those of all rows: "
                f"{names[0]!r}: {overall.example(names[0])}"
            )
            hint = f"{effect}; lerobot-grasp-relabel and lerobot-grasp-merge write the exact ones"
            yield Problem("episode-quantiles", message, stored.where[0], hint)


def code_of(name: str) -> str:
    """The code of wrong statistics of a column."""
    return "stale-label-statistics" if name in LABELS else "wrong-statistics"


def is_policy_column(name: str) -> bool:
    """Whether policies use a column as input or output (``dataset_to_policy_features``)."""
    return name.startswith(_OF_POLICIES)


def severity_of(name: str) -> Severity:
    """The severity of wrong statistics of a column: only policy columns are normalised."""
    return "warning" if is_policy_column(name) or name in LABELS else "note"


def hint_of(name: str) -> str:
    """The hint for wrong statistics of a column."""
    if name in LABELS:
        return "the labels were changed without their statistics; lerobot-grasp-relabel writes both"
    if not is_policy_column(name):
        return f"no policy normalises with them; {MAKE_ANEW}"
    return f"training normalises with them; {MAKE_ANEW}"


def _overall(
    name: str, stored: StoredStats, summary: Summary, lengths: NDArray[np.int64], row: tuple[int, ...]
) -> Iterator[Problem]:
    own = (stored.overall or {}).get(name)
    if own is None:
        return
    wanted = row if all(own[each].shape == row for each in MOMENTS if each in own) else row[-1:]
    summary = summary.by_last_axis(row) if wanted != row else summary
    where = stored.where[0]
    odd = [each for each in (*MOMENTS, *QUANTILES) if each in own and not _fits(own[each], wanted)]
    if odd:
        needed = [each for each in odd if each in NORMALISING and is_policy_column(name)]
        first = (needed or odd)[0]
        message = f"{name!r}: {first} has {own[first].size} values, but the column {wanted[-1]}"
        if own[first].size == math.prod(row):
            message = f"{name!r}: {first} has shape {own[first].shape}, expected {wanted}"
        hint = f"training cannot normalise with it; {MAKE_ANEW}"
        if not needed:
            hint = f"no policy normalises with it, but LeRobot's merge fails on it; {MAKE_ANEW}"
        severity: Severity = "error" if needed else "warning"
        yield Problem("wrong-stats-shape", message, where, hint, severity=severity)
        return
    if lacking := [each for each in MOMENTS if each not in own]:
        message = f"{name!r} has no {', '.join(lacking)}"
        yield Problem("missing-stats", message, where, hint_of(name), severity=severity_of(name))
    flat = {each: value.reshape(1, -1) for each, value in own.items()}
    true = _combined(summary, lengths)
    wrong = differing(flat, true, np.array([lengths.sum()]))
    if wrong:
        yield _differing(name, stored, flat, wrong)
        return
    quantiles = [each for each in QUANTILES if each in flat]
    empty = [each for each in quantiles if not np.isfinite(flat[each]).all()]
    if empty and np.isfinite(true["mean"]).all():
        read = any(each in NORMALISING for each in empty)
        message = f"{name!r}: {', '.join(empty)} is not a number"
        yield _of_quantiles(name, message, where, read=read)
    elif "min" in flat and "max" in flat:
        every = ["min", *quantiles, "max"]
        read = not _ascending(flat, [each for each in every if each in NORMALISING])
        if read or not _ascending(flat, every):
            message = f"{name!r}: {', '.join(every)} are not in ascending order"
            yield _of_quantiles(name, message, where, read=read)


def _differing(
    name: str, stored: StoredStats, flat: Mapping[str, NDArray[np.float64]], wrong: Differing
) -> Problem:
    """The finding for statistics over all rows that differ from the rows: stale, or wrong."""
    code, message, hint = code_of(name), f"{name!r}: {describe(wrong)}", hint_of(name)
    if name not in LABELS:
        reason = ""
        if "count" in wrong:
            reason = "their count differs: rows were probably added or deleted"
        elif _of_same_rows(name, stored, flat):
            reason = "they agree with those of the episodes: the rows were probably changed"
        if reason:
            code, message = "stale-statistics", f"{message}; {reason}"
    return Problem(code, message, stored.where[0], hint, severity=severity_of(name))


def _of_same_rows(name: str, stored: StoredStats, flat: Mapping[str, NDArray[np.float64]]) -> bool:
    """Whether the statistics over all rows are the aggregate of the episodes'."""
    own = (stored.episodes or {}).get(name, {})
    width = next(iter(flat.values())).shape[1]
    needed: dict[str, NDArray[Any]] = {
        each: own[each][stored.known] for each in (*MOMENTS, "count") if each in own
    }
    if len(needed) <= len(MOMENTS) or any(needed[each].shape[1] != width for each in MOMENTS):
        return False
    if needed["count"].shape[1] != 1 or not np.isfinite(needed["count"]).all():
        return False
    together = {each: values.reshape(1, -1) for each, values in combine(needed).items()}
    return not differing(flat, together, together["count"][:, 0])


def _fits(array: NDArray[np.float64], wanted: tuple[int, ...]) -> bool:
    """Whether every value of a row has its own statistic, as in training: the last axes are the row's."""
    return array.size == math.prod(wanted) and (array.ndim == 0 or array.shape[-len(wanted) :] == wanted)


def _ascending(flat: Mapping[str, NDArray[np.float64]], ordered: Sequence[str]) -> bool:
    stack = np.concatenate([flat[each] for each in ordered])
    slack = 1e-4 * (np.abs(stack).max(axis=0) + 1e-6)
    return not (np.diff(stack, axis=0) < -slack).any()


def _of_quantiles(name: str, message: str, where: Path, *, read: bool) -> Problem:
    """The finding for wrong quantiles; a note for those that no normalisation mode uses (q50)."""
    hint = hint_of(name) if read else f"no policy normalises with q50; {MAKE_ANEW}"
    return Problem(code_of(name), message, where, hint, severity=severity_of(name) if read else "note")


def _combined(summary: Summary, lengths: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    counts, total = lengths[:, None], lengths.sum()
    mean = (summary.mean * counts).sum(axis=0) / total
    variance = ((summary.std**2 + (summary.mean - mean) ** 2) * counts).sum(axis=0) / total
    return {
        "min": summary.low.min(axis=0)[None],
        "max": summary.high.max(axis=0)[None],
        "mean": mean[None],
        "std": np.sqrt(variance)[None],
    }


def _per_episode(
    view: View,
    name: str,
    stored: StoredStats,
    summary: Summary,
    summaries: Summaries,
    row: tuple[int, ...],
    whole: NDArray[np.bool_],
    quantiles: Mapping[int, str],
) -> Iterator[Problem]:
    own = (stored.episodes or {}).get(name)
    if own is None:
        return
    episodes = summaries.episodes[summary.runs]
    rows = np.array([view.rows_of.get(episode, -1) for episode in episodes.tolist()], dtype=np.int64)
    usable = whole[summary.runs] & (rows >= 0)
    usable[usable] = stored.known[rows[usable]]
    if not usable.any():
        return
    rows, episodes = rows[usable], episodes[usable]
    lengths = summaries.lengths[summary.runs][usable]
    where = stored.where[1]
    if any(own[each].shape[1] != math.prod(row) for each in MOMENTS if each in own):
        summary = summary.by_last_axis(row)
    width = summary.low.shape[1]
    odd = [each for each in MOMENTS if each in own and own[each].shape[1] != width]
    if odd:
        message = f"{name!r}: {odd[0]} has {own[odd[0]].shape[1]} values, but the column {width}"
        yield Problem("wrong-stats-shape", message, where, f"LeRobot cannot aggregate it; {MAKE_ANEW}")
        return
    true = {
        "min": summary.low[usable],
        "max": summary.high[usable],
        "mean": summary.mean[usable],
        "std": summary.std[usable],
    }
    moments = differing({each: value[rows] for each, value in own.items()}, true, lengths)
    wrong = {int(episodes[run]) for runs in moments.values() for run, _, _ in runs}
    misplaced_in = quantiles.keys() & set(episodes.tolist())
    wrong |= misplaced_in
    if not wrong:
        return
    if moments:
        message = f"{name!r}: {describe(moments)}"
    else:
        message = f"{name!r}: {quantiles[min(misplaced_in)]}, which differs from the rows"
    message = f"{message} (statistics of {EPISODES})"
    yield Problem(
        code_of(name),
        message,
        Place(str(where), episode=min(wrong)),
        hint_of(name),
        severity=severity_of(name),
        episodes=the_episodes(wrong),
    )
