"""Compares the labels of sources, by rows and sidecars, with the labels of the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.labels import LabelValues, SuccessRule, default_done
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.provenance import read_provenance, stored_values
from lerobot_grasp_plugin.dataset.recorded_success import LabelColumns, RecordedSuccess, read_recorded
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text
from lerobot_grasp_plugin.merging.label_column import column_rule
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.merging.sources import Source

_COMPARED = {
    "alignment": "alignment-differs",
    "success_value": "success-value-differs",
    "failure_value": "failure-value-differs",
}
_WITH_VALUES = ("values", "two values", "one value")
_FOLLOWS_SUCCESS = ("first_success", "last_frame_of_success")

type Recorded = Mapping[str, Any]
"""The ``labels`` of a sidecar, ``done`` as it was decided; empty if unknown."""


def decided_done(source: Source, options: LabelOptions) -> Done:
    """How next.done is made for a source: as the options say, else kept, else at each episode's end."""
    return default_done(options.done, layout.DONE in source.features)


def column_alignment(source: Source, options: LabelOptions) -> Alignment:
    """The alignment of the labels that no annotation gives, such as those of ``labels_from``.

    A column of the dataset says in row t what is true of image t, as an annotation does, so the alignment
    that is asked for applies to it. The columns ``next.*`` are labels of rows already, of the state after the
    step as LeRobot defines them, and stay where they are; unless the sidecar says that they were made with
    alignment ``frame``, so that row t has the label of image t. Labels that are kept without ``labels_from``
    stay where they are.
    """
    if source.column is None:
        return "frame"
    is_of_rows = source.column.name.startswith("next.")
    if is_of_rows and read_provenance(source.reader.root).labels.get("alignment") != "frame":
        return "frame"
    return options.alignment


def recorded_labels(source: Source) -> Recorded:
    """How a source's labels were made; empty if its sidecar does not say."""
    if layout.REWARD not in source.features:
        return {}
    provenance = read_provenance(source.reader.root)
    return {**provenance.labels, "done": provenance.done} if provenance.labels else {}


def origin(source: Source) -> str:
    """The datasets that this package made a source from, as text; empty if another tool made it."""
    names = read_provenance(source.reader.root).names
    return f"{source.title} was made from {' and '.join(names)}" if names else ""


def common_labels(recorded: Sequence[Recorded]) -> Recorded | None:
    """The value that all sources' sidecars agree on; None if one lacks it or differs."""
    first = recorded[0]
    return first if first and all(other == first for other in recorded[1:]) else None


def common_values(sources: Sequence[Source]) -> Recorded | None:
    """The rewards of success and failure that all sources have by their sidecars or rows; None without such.

    A source of which only one of the two is known, because its rows have no other, agrees with those that
    have the same.
    """
    rules = [source.recorded.rule if source.recorded is not None else None for source in sources]
    known = [rule for rule in rules if rule is not None and rule.basis in _WITH_VALUES]
    values = {}
    for name in ("success_value", "failure_value"):
        own = [getattr(rule, name) for rule in known if getattr(rule, name) is not None]
        if len(known) < len(rules) or len({np.float32(value) for value in own}) != 1:
            return None
        values[name] = own[0]
    return values


def label_columns(source: Source) -> LabelColumns:
    """The columns of a source that say which rows are success."""
    own = LabelColumns.of(source.reader)
    return LabelColumns(
        source.original.get(layout.REWARD, own.reward), source.original.get(layout.SUCCESS, own.flags)
    )


def with_recorded_labels(source: Source, labelled: bool) -> Source:
    """A source with its recorded labels: ``recorded`` and ``column_rule``.

    Args:
        source: All its chosen episodes must be readable.
        labelled: Whether labels are written. Then the rows are read even where a sidecar says what
            success is, for ``changed_outcomes``.

    Raises:
        GraspError: The rows cannot be read, or the column of ``labels_from`` needs a threshold.
    """
    columns = label_columns(source)
    values = stored_values(source.reader.root) if columns.reward == layout.REWARD else None
    if values is not None and not labelled:
        source = replace(source, recorded=RecordedSuccess(SuccessRule.of_values(values), {}, {}))
    elif columns.names:
        recorded = read_recorded(source.reader, columns, source.episodes, values)
        source = replace(source, recorded=recorded)
    if source.column is None:
        return source
    return replace(source, column_rule=column_rule(source.reader, source.column, source.episodes))


def changed_outcomes(source: Source) -> Iterator[Problem]:
    """Episodes that are annotated as failure and were recorded as success, or the other way round."""
    recorded, labels = source.recorded, source.labels
    if recorded is None or not labels:
        return
    for name, counts in ((layout.REWARD, recorded.rewarded), (layout.SUCCESS, recorded.flagged)):
        if not any(counts.values()):
            continue  # no success was recorded, so there is nothing to compare
        chosen = [episode for episode in source.episodes if episode in labels and episode in counts]
        lost = [episode for episode in chosen if counts[episode] and not labels[episode]]
        won = [episode for episode in chosen if labels[episode] and not counts[episode]]
        if lost:
            frames = sum(counts[episode] for episode in lost)
            message = (
                f"{source.title}: {name} records success in {count(frames, 'frame')} of "
                f"{_named(source, lost)}, which {agree(len(lost), 'is', 'are')} written as all failure"
            )
            hint = f"check the annotations, or use the recorded labels: --labels_from {name}"
            yield Problem("outcome-differs", message, hint=hint)
        if won:
            message = (
                f"{source.title}: {name} records no success in {_named(source, won)}, which "
                f"{agree(len(won), 'is', 'are')} annotated as success"
            )
            hint = "check whether the annotations are about this dataset and these episodes"
            yield Problem("outcome-differs", message, hint=hint)


def _named(source: Source, numbers: Sequence[int]) -> str:
    return episodes_text(map(source.own_episode, numbers))


def kept_label_notes(source: Source, options: LabelOptions) -> Iterator[str]:
    """The report's notes about episodes of a source that keep their recorded labels."""
    kept = [episode for episode in source.episodes if episode not in (source.labels or {})]
    recorded = source.recorded
    if not kept or recorded is None:
        return
    rule, flags = recorded.rule, label_columns(source).flags
    by_flags = rule.basis == "next.success" if source.column is None else source.column.name == flags
    wanted = LabelValues(options.success_value, options.failure_value)
    if by_flags:
        if source.column is None:
            yield f"next.reward of these episodes is written from {flags}"
        if stamped := [episode for episode in kept if episode in recorded.stamped]:
            yield (
                f"{flags} is set on the last frame of {_named(source, stamped)} only: only that frame is "
                "success; an annotation file can add frames"
            )
    elif source.column is None and rule.rewrites(wanted):
        known = [value for value in (rule.success_value, rule.failure_value) if value is not None]
        yield (
            f"their rewards ({' and '.join(f'{value:g}' for value in known)}) are written as "
            f"{wanted.success:g} for success and {wanted.failure:g} for failure"
        )


def kept_labels_warnings(
    sources: Sequence[Source],
    recorded: Sequence[Recorded],
    options: LabelOptions,
    labelled: bool,
) -> Iterator[Problem]:
    """Warnings about kept labels that differ in kind from the output's other labels.

    Args:
        sources: The sources.
        recorded: The sidecar's entry of each source.
        options: How annotations become labels.
        labelled: Whether labels are written.
    """
    if not labelled:
        parts = [(s.title, _with_values(s, r)) for s, r in zip(sources, recorded, strict=True)]
        yield from _differences(parts, tuple(_COMPARED))
        return
    for source, known in zip(sources, recorded, strict=True):
        if decided_done(source, options) == "keep" and known.get("done") in _FOLLOWS_SUCCESS:
            message = (
                f"{source.title}: next.done was computed from its old labels ({known['done']}) and is kept, "
                "although the labels change"
            )
            hint = f"recompute it with --done {known['done']}"
            yield Problem("stale-done", message, hint=hint)
        is_aligned = source.column is not None and (
            not source.column.name.startswith("next.") or known.get("alignment") == "frame"
        )
        if known and not is_aligned and set(source.episodes) - set(source.labels or ()):
            own = {"alignment": options.alignment}
            yield from _differences([(source.title, known), ("this call", own)], ("alignment",))


def _with_values(source: Source, known: Recorded) -> Recorded:
    """What is known about a source's labels, from its sidecar or else from its rows."""
    rule = source.recorded.rule if source.recorded is not None else None
    if rule is None or rule.success_value is None or rule.failure_value is None:
        return known
    return {"success_value": rule.success_value, "failure_value": rule.failure_value, **known}


def _differences(parts: Sequence[tuple[str, Recorded]], names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        values = {title: known[name] for title, known in parts if name in known}
        if len({_comparable(value) for value in values.values()}) > 1:
            said = ", ".join(f"{title} {value}" for title, value in values.items())
            message = f"labels of different {name} are mixed in one dataset: {said}"
            hint = "relabel all sources the same way, from their annotation files"
            yield Problem(_COMPARED[name], message, hint=hint, severity="warning")


def _comparable(value: object) -> str:
    return str(np.float32(value)) if isinstance(value, int | float) else str(value)
