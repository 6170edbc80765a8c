"""Handles episodes without annotation: refused, failure, left out, or labelled from recorded values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import NOWHERE, AnnotationError, Place, Problem, UsageError
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text, ranges_text
from lerobot_grasp_plugin.merging.label_column import check_threshold, find_column
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.merging.source_labels import label_columns
from lerobot_grasp_plugin.merging.sources import Source


def label_column_name(source: Source, options: LabelOptions) -> str | None:
    """The column that labels a source's episodes without annotation: the source's own option first."""
    return source.config.labels_from or options.labels_from


def with_unlisted(source: Source, options: LabelOptions, path: Path | None) -> Source:
    """A source with labels of its chosen episodes that have no annotation, as the options say.

    Args:
        source: With the labels of its annotated episodes.
        options: ``unlisted``, ``labels_from`` and ``labels_threshold``.
        path: Its annotation file; None without one.

    Raises:
        UsageError: The column of ``labels_from`` cannot hold labels.
        AnnotationError: Episodes must be annotated, or have no label that they could keep.
    """
    listed = source.labels or {}
    missing = [episode for episode in source.episodes if episode not in listed]
    source = replace(source, labels=dict(listed))
    unused = sorted(set(listed) - set(source.episodes))
    if unused:
        source = source.noted(f"annotated, but not chosen: {episodes_text(unused)}")
    if not missing:
        return source
    where = path or NOWHERE
    name = label_column_name(source, options)
    if name is not None:
        threshold = options.labels_threshold
        if source.config.labels_from is not None:
            threshold = source.config.labels_threshold
        column = find_column(source.reader, source.title, name, threshold)
        note = f"labels of {episodes_text(missing)} are taken from {name}"
        return replace(source, column=column).noted(note)
    if options.unlisted == "fail":
        labels = {**listed, **dict.fromkeys(missing, IntervalSet())}
        note = f"unlisted episodes labelled as failure: {ranges_text(missing)}"
        return replace(source, labels=labels).noted(note)
    if options.unlisted == "drop":
        left_out = set(missing)
        episodes = [episode for episode in source.episodes if episode not in left_out]
        note = f"unlisted episodes left out: {ranges_text(missing)}"
        return replace(source, episodes=episodes).noted(note)
    if options.unlisted == "keep":
        if not label_columns(source).names:
            message = f"{source.title} has neither next.reward nor next.success that episodes could keep: "
            hint = "annotate them, or use --unlisted fail or drop, or --labels_from COLUMN"
            raise AnnotationError(Problem("nothing-to-keep", message + ranges_text(missing), where, hint))
        return source.noted(f"unlisted episodes keep their labels: {ranges_text(missing)}")
    are = agree(len(missing), "is", "are")
    message = f"{count(len(missing), 'chosen episode')} of {source.title} {are} not annotated: "
    message += ranges_text(missing)
    hint = "annotate them, or use --unlisted fail, keep or drop"
    if recorded := label_columns(source).names:
        hint += f", or label them from a column with --labels_from {recorded[-1]}"
    raise AnnotationError(Problem("unlisted-episode", message, where, hint))


def check_label_column(sources: Sequence[Source], options: LabelOptions) -> list[Problem]:
    """The errors of ``labels_from`` and ``labels_threshold``, of the call and of each source."""
    found = [check_threshold(options.labels_from, options.labels_threshold)]
    found += [
        check_threshold(source.config.labels_from, source.config.labels_threshold, Place(source.repo_id))
        for source in sources
    ]
    problems = [problem for problem in found if problem is not None]
    named = [(source, source.config.labels_from) for source in sources if source.config.labels_from]
    others = [source for source in sources if not source.config.labels_from]
    if not any(options.labels_from in source.reader.info.features for source in others):
        named += [(source, options.labels_from) for source in others[:1] if options.labels_from]
    for source, name in named:  # also where every episode is annotated and the column is not used
        try:
            find_column(source.reader, source.title, name, None)
        except UsageError as error:
            problems += error.problems
    column = options.labels_from or next(filter(None, (s.config.labels_from for s in sources)), None)
    if column is not None and options.unlisted in ("fail", "drop"):
        message = f"labels_from {column} and unlisted {options.unlisted} both label the unlisted episodes"
        problems.append(Problem("contradicting-options", message, hint="remove one of the two"))
    return problems
