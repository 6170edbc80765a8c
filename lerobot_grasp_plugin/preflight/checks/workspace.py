"""Compares the allowed workspace of the end effector with the recorded positions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import several
from lerobot_grasp_plugin.preflight.config_view import numbers_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_MOTORS, STEPS, Facts
from lerobot_grasp_plugin.preflight.resets import Reset, recorded_resets

BOUNDS = "env.processor.inverse_kinematics.end_effector_bounds"
RESET = "env.processor.reset.fixed_reset_joint_positions"
POINT = "env.robot.random_ee_reset"
_AXES = "xyz"
_SLACK_M = 0.01
_ARM_M = 2.0
"""Longer than the reach of any table-top arm."""
_MISSED_M = 0.005
_FAR_DEGREES = 10.0


def check_workspace(facts: Facts) -> Iterator[Problem]:
    """Compares bounds, step sizes and reset with positions, if the dataset has them."""
    yield from _steps(facts)
    low, high = (numbers_of(facts.config.get(f"{BOUNDS}.{name}")) for name in ("min", "max"))
    if low is not None and high is not None:
        yield from _bounds(facts, low, high)
    for dataset in facts.datasets:
        yield from _missed(dataset, recorded_resets(dataset))
    yield from _reset_pose(facts)
    yield from _reset_point(facts, low, high)
    config = facts.config
    moved = config.get(POINT) is not None or numbers_of(config.get(RESET)) is not None
    is_real = config.text("env.robot.type") in SO_ARMS and config.text("env.robot.type") != "so101_sim"
    if config.get("env.processor.reset") is not None and is_real and not moved:
        message = "nothing moves the arm before an episode: LeRobot waits reset_time_s and continues"
        change = "set six joint positions, or use so101_follower_hil with random_ee_reset"
        yield Problem("no-reset", message, RESET, change)


def _reset_point(
    facts: Facts, low: tuple[float, ...] | None, high: tuple[float, ...] | None
) -> Iterator[Problem]:
    """Compares the box of start positions with the policy's bounds and the recording's starts."""
    if facts.config.get(POINT) is None:
        return
    base = numbers_of(facts.config.get(f"{POINT}.base")) or (0.25, 0.0, 0.07)
    half = numbers_of(facts.config.get(f"{POINT}.half_box")) or (0.03, 0.03, 0.03)
    for name, value in (("base", base), ("half_box", half)):
        if len(value) != 3:
            yield Problem("reset-point", f"{len(value)} values", f"{POINT}.{name}", "x, y and z in metres")
            return
    if low is not None and high is not None and len(low) == len(high) == 3:
        for axis, middle, side, smallest, largest in zip(_AXES, base, half, low, high, strict=True):
            if middle - side < smallest - 1e-9 or middle + side > largest + 1e-9:
                message = (
                    f"{axis} from {middle - side:.3f} to {middle + side:.3f} m, but end_effector_bounds go "
                )
                message += f"from {smallest:g} to {largest:g} m"
                change = "make half_box smaller, move base, or widen the bounds"
                yield Problem("reset-point", message, POINT, change)
    for dataset in facts.datasets:
        starts = np.array([reset.achieved for reset in recorded_resets(dataset)]).reshape(-1, 3)
        far = np.abs(starts - np.array(base)) > np.array(half) + 2 * _SLACK_M
        if len(starts) and far.any(axis=1).mean() > 0.5:
            begun = ", ".join(f"{value:.3f}" for value in starts.mean(axis=0))
            message = f"episodes of {dataset.repo_id} began around {begun} m, outside the box"
            yield Problem(
                "reset-point",
                message,
                POINT,
                "start episodes where the recording started",
                severity="warning",
            )


def _steps(facts: Facts) -> Iterator[Problem]:
    for axis, size in facts.config.mapping(STEPS).items():
        if not isinstance(size, (int, float)) or isinstance(size, bool) or not 0 < size <= _ARM_M / 10:
            message = f"{size!r} m in one step of {1 / (facts.config.number('env.fps') or 30):.3g} s"
            yield Problem("workspace", message, f"{STEPS}.{axis}", "in metres, for example 0.02")


def _bounds(facts: Facts, low: tuple[float, ...], high: tuple[float, ...]) -> Iterator[Problem]:
    if not len(low) == len(high) == 3:
        message = f"{len(low)} and {len(high)} values"
        yield Problem("workspace", message, BOUNDS, "x, y and z in metres, in min and in max")
        return
    if max(map(abs, (*low, *high))) > _ARM_M:
        message = f"{list(low)} to {list(high)} m is beyond any arm's reach"
        yield Problem("workspace", message, BOUNDS, "use metres: 0.03, not 30 or 3")
        return
    sound = True
    for axis, smallest, largest in zip(_AXES, low, high, strict=True):
        if smallest >= largest:
            sound = False
            message = f"{axis}: min {smallest:g} is not below max {largest:g}"
            yield Problem("workspace-swapped", message, BOUNDS, "swap them")
    for dataset in facts.datasets if sound else ():
        for number, axis in enumerate(_AXES):
            yield from _axis(dataset, axis, low[number], high[number])
        yield from _starts(dataset, recorded_resets(dataset), low, high)


def _axis(dataset: DatasetFacts, axis: str, smallest: float, largest: float) -> Iterator[Problem]:
    """Positions of the end effector in metres: dimensions called ``ee.z``, ``ee_z`` or ``z``."""
    for key, values in dataset.columns.items():
        names = dataset.names(key)
        if key == "action" or not key.startswith(("observation.", "complementary_info.")):
            continue
        for dimension, name in enumerate(names):
            if name not in (axis, f"ee.{axis}", f"ee_{axis}") or dimension >= values.shape[1]:
                continue
            column = values[:, dimension]
            if column.min() < smallest - _SLACK_M or column.max() > largest + _SLACK_M:
                message = f"{axis} from {smallest:g} to {largest:g} m, but the recording went from "
                message += f"{column.min():.3f} to {column.max():.3f} m"
                change = "widen the bounds to the recording"
                yield Problem("workspace", message, BOUNDS, change, severity="warning")
            elif axis == "z" and column.min() - smallest > 3 * _SLACK_M:
                message = f"z may go down to {smallest:g} m, but episodes started at "
                message += f"{column[dataset.starts].mean():.3f} m and never went below {column.min():.3f} m"
                change = "raise the lower bound to the recording's height"
                yield Problem("workspace", message, BOUNDS, change, severity="warning")


def _starts(
    dataset: DatasetFacts, resets: list[Reset], low: tuple[float, ...], high: tuple[float, ...]
) -> Iterator[Problem]:
    """Compares the recorded reset positions with the policy's bounds."""
    for number, axis in enumerate(_AXES):
        starts = np.array([reset.achieved[number] for reset in resets])
        outside = (starts < low[number] - _SLACK_M) | (starts > high[number] + _SLACK_M)
        if outside.any():
            episodes = [reset.episode for reset, out in zip(resets, outside, strict=True) if out]
            message = (
                f"{axis} from {low[number]:g} to {high[number]:g} m, but {several(episodes, 'episode')} of "
            )
            message += f"{dataset.repo_id} began at {starts[outside].min():.3f} to "
            message += f"{starts[outside].max():.3f} m"
            yield Problem(
                "workspace",
                message,
                BOUNDS,
                "widen the bounds to the recording's starts",
                severity="warning",
            )
        elif axis == "z" and len(starts) and starts.min() - low[number] > 3 * _SLACK_M:
            message = f"z may go down to {low[number]:g} m, but episodes of {dataset.repo_id} began at "
            message += f"{starts.min():.3f} to {starts.max():.3f} m"
            change = "let the training's reset start at that height too, or raise the lower bound"
            yield Problem("reset-height", message, BOUNDS, change)


def _missed(dataset: DatasetFacts, resets: list[Reset]) -> Iterator[Problem]:
    errors = np.array([float(np.linalg.norm(reset.achieved - reset.commanded)) for reset in resets])
    if len(errors) and errors.max() > _MISSED_M:
        episodes = [reset.episode for reset, off in zip(resets, errors > _MISSED_M, strict=True) if off]
        message = f"the gripper was up to {1000 * errors.max():.1f} mm from its commanded position before "
        message += several(episodes, "episode")
        change = "use the achieved positions, or record again with a longer timeout_s"
        yield Problem("reset-missed", message, f"{dataset.where}: resets", change)


def _reset_pose(facts: Facts) -> Iterator[Problem]:
    reset = numbers_of(facts.config.get(RESET))
    if reset is None:
        return
    if facts.config.text("env.robot.type") in SO_ARMS and len(reset) != SO_MOTORS:
        message = f"{len(reset)} positions for {SO_MOTORS} motors; LeRobot does not move the others"
        yield Problem("reset-pose", message, RESET, f"give {SO_MOTORS} positions, the gripper last")
        return
    body = np.abs(np.array(reset[: SO_MOTORS - 1]))
    if (
        facts.config.text("env.robot.type") in SO_ARMS
        and facts.config.flag("env.robot.use_degrees", True)
        and 0 < body.max() <= np.pi
        and (body % 1 > 0).any()
    ):
        message = (
            f"no joint exceeds {body.max():.3g}: the values look like radians, but the robot expects degrees"
        )
        yield Problem("reset-pose", message, RESET, "use degrees, and 0 to 100 for the gripper")
        return
    for dataset in facts.datasets:
        state = dataset.columns.get("observation.state")
        if state is None or state.shape[1] < len(reset):
            continue
        starts = np.median(state[dataset.starts, : len(reset)], axis=0)
        distance = np.abs(starts - np.array(reset))
        if distance.max(initial=0.0) > _FAR_DEGREES:
            message = f"joint {int(distance.argmax())} is reset to {reset[int(distance.argmax())]:g}, but "
            message += f"episodes of {dataset.repo_id} start at {starts[int(distance.argmax())]:.4g}"
            yield Problem("reset-pose", message, RESET, "reset to the recording's start", severity="warning")
