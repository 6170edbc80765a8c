"""Recognises sources whose actions or states already have HIL-SERL's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lerobot_grasp_plugin.core.action_space import DELTA_NAMES, full_state_names
from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.derived import ACTION, STATE, Derivation
from lerobot_grasp_plugin.merging.sources import Source

_FULL: Final = 18
"""Width of a full state of six motors."""


def is_ee_delta(source: Source) -> bool:
    """Whether the actions of a source are already end-effector steps."""
    feature = source.features.get(ACTION)
    return feature is not None and tuple(feature.dimensions) == DELTA_NAMES


def is_full(source: Source) -> bool:
    """Whether the state is already a full one, by its names or, without names, by its width."""
    feature = source.features.get(STATE)
    if feature is None or len(feature.shape) != 1:
        return False
    names = feature.dimensions
    joints = [name.removesuffix(".pos") for name in names if name.endswith(".pos")]
    return names == full_state_names(joints) if names else feature.shape[0] == _FULL


def with_recorded_derivation(source: Source) -> Source:
    """A source with its sidecar's entry on actions and states, which the output takes over."""
    if not is_ee_delta(source) and not is_full(source):
        return source
    provenance = read_provenance(source.reader.root)
    owns = map(source.own_episode, source.episodes)
    origins = [origin for episode in owns if (origin := provenance.source_of(episode)) is not None]
    recipe = origins[0].derived if origins else None
    if recipe is not None and all(origin.derived == recipe for origin in origins):
        return replace(source, derivation=Derivation({}, recipe))
    return source


def check_sizes(sources: Sequence[Source], wanted: Sequence[float] | None) -> None:
    """Refuses steps of different lengths in one dataset.

    Args:
        sources: The sources.
        wanted: Step sizes of computed actions along x, y and z, metres; None if none are computed.

    Raises:
        UsageError: They differ.
    """
    known: dict[tuple[float, ...], list[str]] = {}
    for source in sources:
        recipe = source.derivation.recipe if source.derivation is not None else {}
        sizes = recipe.get("end_effector_step_sizes")
        if isinstance(sizes, Mapping) and is_ee_delta(source):
            known.setdefault(tuple(float(sizes.get(axis, 0)) for axis in "xyz"), []).append(source.title)
    if wanted is not None:
        known.setdefault(tuple(wanted), []).append("--kinematics.end_effector_step_sizes")
    if len(known) > 1:
        groups = "; ".join(f"{sizes_text(sizes)} in {', '.join(titles)}" for sizes, titles in known.items())
        message = f"the step sizes of end-effector actions differ: {groups}"
        hint = "derive all sources with the same step sizes, so that an action means the same in all episodes"
        raise UsageError(Problem("step-sizes", message, hint=hint))


def sizes_text(sizes: Sequence[float]) -> str:
    """``20 mm``, or ``x 20, y 20, z 30 mm``."""
    shown = [f"{1000 * size:g}" for size in sizes]
    if len(set(shown)) == 1:
        return f"{shown[0]} mm"
    return ", ".join(f"{axis} {size}" for axis, size in zip("xyz", shown, strict=True)) + " mm"
