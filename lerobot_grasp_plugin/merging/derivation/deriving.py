"""Computes end-effector actions and full states of the sources, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from lerobot_grasp_plugin.core.action_space import DELTA_NAMES, full_state_names
from lerobot_grasp_plugin.core.ee_steps import EpisodeSteps, solve_steps
from lerobot_grasp_plugin.core.kinematics import Floats
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import DataError, Place, Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.derivation.arms import Kinematics
from lerobot_grasp_plugin.merging.derivation.joints import (
    RecordedJoints,
    check_names,
    joint_names,
    read_joints,
)
from lerobot_grasp_plugin.merging.derivation.recorded import check_sizes, is_ee_delta, is_full, sizes_text
from lerobot_grasp_plugin.merging.derived import (
    ACTION,
    STATE,
    Arm,
    Derivation,
    StateMaker,
)
from lerobot_grasp_plugin.merging.recipe import OutputOptions
from lerobot_grasp_plugin.merging.sources import Source

_WORST: Final = 3
_FAR_M: Final = 0.01
_TURNED_DEGREES: Final = 20.0
_ROWS: Final = 200_000
"""Rows solved at a time: more are faster and take more memory."""


def derive(
    sources: Sequence[Source], config: OutputOptions, progress: Progress
) -> tuple[list[Source], list[Problem]]:
    """Replaces the computed features of each source, and computes the actions.

    Args:
        sources: The sources, with episodes chosen.
        config: The recipe.
        progress: Called with the progress.

    Returns:
        The sources with their ``derivation``, and warnings.

    Raises:
        GraspError: With all problems.
    """
    problems, kinematics = Gathered(), None
    with problems:
        kinematics = Kinematics(config.kinematics)
    if kinematics is not None:
        with problems:
            check_sizes(sources, kinematics.sizes.tolist() if config.actions == "ee_delta" else None)
    todo = [source for source in sources if _needs(source, config)]
    recorded: dict[int, RecordedJoints] = {}
    for source in todo:
        wanted = [STATE] if is_ee_delta(source) else [ACTION, STATE]
        with problems:
            check_names(source, wanted, config.kinematics, kinematics)
        with problems:
            if all(_is_list_of_floats(source.features.get(name)) for name in wanted):
                recorded[source.number] = read_joints(source, wanted, config.kinematics)
    problems.raise_all()
    assert kinematics is not None
    warnings: list[Problem] = []
    derived = {source.number: source for source in sources}
    for done, source in enumerate(todo, start=1):
        with problems:
            derived[source.number], found = _derive(source, config, kinematics, recorded.pop(source.number))
            warnings += found
        progress("deriving actions and states", done, len(todo))
    problems.raise_all()
    return list(derived.values()), warnings


def _is_list_of_floats(feature: Feature | None) -> bool:
    if feature is None or not feature.dtype.startswith("float"):
        return False
    return len(feature.shape) == 1 and feature.shape[0] > 1


def _needs(source: Source, config: OutputOptions) -> bool:
    actions = config.actions == "ee_delta" and not is_ee_delta(source)
    return actions or (config.state == "full" and not is_full(source))


def _derive(
    source: Source, config: OutputOptions, kinematics: Kinematics, joints: RecordedJoints
) -> tuple[Source, list[Problem]]:
    feature = STATE if is_ee_delta(source) else ACTION
    arm = kinematics.arm(joint_names(source, feature, config.kinematics))
    is_range = config.kinematics.joint_unit == "range"
    features: dict[str, Feature] = {}
    recipe: dict[str, Any] = {**kinematics.recipe, "fps": source.reader.info.fps}
    maker, actions = None, None
    notes = list(kinematics.notes)
    warnings: list[Problem] = []
    if config.actions == "ee_delta" and not is_ee_delta(source):
        features[ACTION] = _changed(source.features[ACTION], DELTA_NAMES)
        starts, goals = joints.angles(arm)
        episodes = list(_solved(arm, starts, goals, kinematics.sizes))
        recipe |= {
            "actions": "ee_delta",
            "end_effector_step_sizes": config.kinematics.end_effector_step_sizes,
        }
        figures, note = _clipped(source, episodes, kinematics, arm, starts, goals)
        recipe |= figures
        notes.append(note)
        warnings += _path_warnings(source, episodes)
        actions = {
            episode: np.concatenate([part.steps, command[:, None]], axis=1)
            for episode, part, command in zip(source.episodes, episodes, joints.commands, strict=True)
        }
    if (config.state == "full" and not is_full(source)) or is_range:
        full = config.state == "full"
        names = full_state_names(arm.joints) if full else [f"{joint}.pos" for joint in arm.joints]
        features[STATE] = _changed(source.features[STATE], names)
        maker = StateMaker(source.original[STATE], arm, source.reader.info.fps, full)
        recipe |= {"state": config.state}
    derivation = Derivation(features, recipe, actions, maker)
    derived = replace(source, features={**source.features, **features}, derivation=derivation)
    return derived.noted(*notes), warnings


def _changed(feature: Feature, names: Sequence[str]) -> Feature:
    return replace(feature, dtype="float32", shape=(len(names),), names=list(names))


def _solved(arm: Arm, starts: Floats, goals: Sequence[Floats], sizes: Floats) -> Iterator[EpisodeSteps]:
    first, rows = 0, 0
    for number, goal in enumerate(goals):
        rows += len(goal)
        if rows >= _ROWS or number == len(goals) - 1:
            yield from solve_steps(arm.chain, starts[first : number + 1], goals[first : number + 1], sizes)
            first, rows = number + 1, 0


def _clipped(
    source: Source,
    episodes: Sequence[EpisodeSteps],
    kinematics: Kinematics,
    arm: Arm,
    starts: Floats,
    goals: Sequence[Floats],
) -> tuple[dict[str, Any], str]:
    """The figures on clipped steps, for the sidecar, and the report's note.

    Raises:
        DataError: More of them are clipped than the call allows.
    """
    rows = sum(len(part.clipped) for part in episodes)
    clipped = sum(int(part.clipped.sum()) for part in episodes)
    share, most = clipped / rows, kinematics.options.max_clipped_share
    figures = f"{100 * share:.1f} % of the steps ({clipped} of {rows})"
    if share > most:
        shares = [float(part.clipped.mean()) for part in episodes]
        worst = sorted(range(len(shares)), key=lambda number: -shares[number])[:_WORST]
        owns = [source.own_episode(episode) for episode in source.episodes]
        parts = [f"episode {owns[number]} ({100 * shares[number]:.0f} %)" for number in worst]
        named = ", ".join(parts)
        needed = _needed_sizes(arm, starts, goals)
        message = f"{source.title}: {figures} are longer than {sizes_text(kinematics.sizes.tolist())}, "
        message += f"more than {100 * most:g} % of them; most in {named}"
        hint = f"none is longer than {sizes_text(needed)}: --kinematics.end_effector_step_sizes "
        hint += f"'{{x: {needed[0]:g}, y: {needed[1]:g}, z: {needed[2]:g}}}'; "
        hint += "or leave these episodes out, or allow more with --kinematics.max_clipped_share"
        raise DataError(Problem("steps-clipped", message, source.reader.root, hint))
    off = np.concatenate([part.off for part in episodes])
    note = (
        f"action: steps of at most {sizes_text(kinematics.sizes.tolist())} from joints in "
        f"{kinematics.options.joint_unit}; {figures} clipped; off the recorded path by "
        f"{1000 * off.mean():.2f} mm on average, {1000 * off.max():.1f} mm at most"
    )
    return {"clipped_steps": clipped, "max_off_m": float(off.max())}, note


def _needed_sizes(arm: Arm, starts: Floats, goals: Sequence[Floats]) -> list[float]:
    """Step sizes with which no step is clipped, metres, rounded up to half a millimetre."""
    unit = np.ones(3)
    longest = np.max([np.abs(part.steps).max(axis=0) for part in _solved(arm, starts, goals, unit)], axis=0)
    return [float(size) for size in np.ceil(np.asarray(longest) * 2000 + 1e-3) / 2000]


def _path_warnings(source: Source, episodes: Sequence[EpisodeSteps]) -> Iterator[Problem]:
    where = source.reader.root
    far = {number: float(part.off[-1]) for number, part in zip(source.episodes, episodes, strict=True)}
    late = [number for number, off in far.items() if off > _FAR_M]
    if late:
        message = f"{source.title}: the steps end up to {1000 * max(far.values()):.0f} mm from where the "
        late = list(map(source.own_episode, late))
        message += f"recording ends, in {count(len(late), 'episode')}, such as episode {late[0]}"
        hint = "replaying these actions does not repeat the recording; use larger step sizes"
        yield Problem("path-left", message, Place(str(where), episode=late[0]), hint)
    turned = {
        number: float(np.degrees(part.turned.max()))
        for number, part in zip(source.episodes, episodes, strict=True)
    }
    worst = max(turned, key=turned.__getitem__)
    if turned[worst] > _TURNED_DEGREES:
        message = f"{source.title}: the gripper's rotation differs by up to {turned[worst]:.0f} degrees from "
        message += "the recording"
        hint = "end-effector steps have no rotation; a task that depends on it cannot be learned from them"
        yield Problem("rotation-lost", message, Place(str(where), episode=source.own_episode(worst)), hint)
