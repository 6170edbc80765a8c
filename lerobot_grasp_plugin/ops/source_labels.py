"""What a source's own sidecar says of the labels it has, against what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lerobot_grasp_plugin.core.choices import Done
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.errors import DatasetError, Problem
from lerobot_grasp_plugin.ops.recipe import LabelOptions
from lerobot_grasp_plugin.ops.sources import Source

_COMPARED = {
    "alignment": "alignment-differs",
    "success_value": "success-value-differs",
    "failure_value": "failure-value-differs",
}
_FOLLOWS_SUCCESS = ("first_success", "last_frame_of_success")

type Recorded = Mapping[str, Any]
"""The ``labels`` of a sidecar, ``done`` as it was decided; empty where nothing is known."""


def decided_done(source: Source, options: LabelOptions) -> Done:
    """How next.done is made for a source: as asked for, else kept, else at each episode's end."""
    return options.done or ("keep" if layout.DONE in source.features else "episode_end")


def recorded_labels(source: Source) -> Recorded:
    """How this package made the labels that a source has; empty when another tool made them."""
    if layout.REWARD not in source.features:
        return {}
    try:
        sidecar = read_json(source.reader.root / layout.PROVENANCE_PATH)
    except DatasetError:
        return {}
    labels = sidecar.get("labels") if isinstance(sidecar, Mapping) else None
    if not isinstance(labels, Mapping):
        return {}
    origins = sidecar.get("sources")
    entries = origins if isinstance(origins, list) else []
    dones = {entry.get("done") for entry in entries if isinstance(entry, Mapping)}
    return {**labels, "done": dones.pop() if len(dones) == 1 else labels.get("done")}


def origin(source: Source) -> str:
    """What this package made a source from, in words; empty when another tool made it."""
    try:
        sidecar = read_json(source.reader.root / layout.PROVENANCE_PATH)
    except DatasetError:
        return ""
    entries = sidecar.get("sources") if isinstance(sidecar, Mapping) else None
    names = [
        str(entry["repo_id"])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and "repo_id" in entry
    ]
    return f"{source.title} was made from {' and '.join(dict.fromkeys(names))}" if names else ""


def common_labels(recorded: Sequence[Recorded]) -> Recorded | None:
    """What all sources' sidecars say alike; None where one says nothing or another thing."""
    first = recorded[0]
    return first if first and all(other == first for other in recorded[1:]) else None


def as_recorded(options: LabelOptions, common: Recorded | None) -> LabelOptions:
    """The options with the label values the sources have, for counting success in them."""
    values = {
        name: float(common[name])
        for name in ("success_value", "failure_value")
        if common and isinstance(common.get(name), int | float)
    }
    return replace(options, **values)  # type: ignore[arg-type]


def kept_labels_warnings(
    sources: Sequence[Source],
    recorded: Sequence[Recorded],
    options: LabelOptions,
    labelled: bool,
) -> Iterator[Problem]:
    """Labels that are taken over, and do not go with those beside them.

    Args:
        sources: The sources.
        recorded: Of each source, what its sidecar says.
        options: How annotations become labels.
        labelled: Whether labels are written anew.
    """
    if not labelled:
        yield from _differences([(s.title, r) for s, r in zip(sources, recorded, strict=True) if r])
        return
    own = {name: getattr(options, name) for name in _COMPARED}
    for source, known in zip(sources, recorded, strict=True):
        if decided_done(source, options) == "keep" and known.get("done") in _FOLLOWS_SUCCESS:
            message = (
                f"{source.title}: next.done was made from its old labels ({known['done']}) and is kept, "
                "whatever the new ones are"
            )
            hint = f"--done {known['done']} makes it anew"
            yield Problem("stale-done", message, hint=hint, severity="warning")
        if known and set(source.episodes) - set(source.labels or ()):
            yield from _differences([(source.title, known), ("this call", own)])


def _differences(parts: Sequence[tuple[str, Recorded]]) -> Iterator[Problem]:
    for name, code in _COMPARED.items():
        values = {title: known[name] for title, known in parts if name in known}
        if len(set(map(str, values.values()))) > 1:
            said = ", ".join(f"{title} {value}" for title, value in values.items())
            message = f"labels of different {name} come to stand in one dataset: {said}"
            hint = "relabel them alike, from their annotation files"
            yield Problem(code, message, hint=hint, severity="warning")
