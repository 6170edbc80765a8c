"""Grasps suggested by the gripper's signal, on made-up signals, the demo's and real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin import open_dataset, parse
from lerobot_grasp_plugin.core.gripper import gripper_dimension, suggest_release, suggest_success
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.dataset.arrow import to_numpy

OPEN, CLOSING = [80.0] * 20, [65.0, 50.0, 42.0]


def signal(*parts: list[float]) -> np.ndarray:
    return np.concatenate([np.array(part) for part in parts])


HELD = signal(OPEN, CLOSING, [34.0] * 17, [50.0, 70.0], [80.0] * 8)
PRESSED = signal(OPEN, CLOSING, [16.0] * 17, [50.0, 70.0], [80.0] * 8)
SHUT = signal(OPEN, CLOSING, [20.0, 6.0], [1.0] * 25)


def test_closing_and_stalling_is_a_grasp() -> None:
    found = suggest_success(HELD, command=PRESSED, closed=0, opened=100)
    assert found.reason == ""
    (interval,) = found.intervals
    assert abs(interval.start - 23) <= 1
    assert interval.stop == 40


@pytest.mark.parametrize("scale", [-3.0, 0.01, 1000.0])
def test_unit_and_direction_do_not_matter(scale: float) -> None:
    plain = suggest_success(HELD, command=PRESSED, closed=0, opened=100)
    scaled = suggest_success(HELD * scale + 7, command=PRESSED * scale + 7, closed=7, opened=100 * scale + 7)
    assert scaled == plain


def test_current_shows_the_press() -> None:
    current = np.where(HELD == 34.0, -180.0, 20.0)
    (interval,) = suggest_success(HELD, current, closed=0, opened=100).intervals
    assert (interval.stop, abs(interval.start - 23) <= 1) == (40, True)
    idle = suggest_success(HELD, np.full(len(HELD), 20.0), closed=0, opened=100)
    assert idle.intervals == ()
    assert idle.reason


def test_position_alone_leaves_a_doubt() -> None:
    found = suggest_success(HELD, closed=0, opened=100)
    assert len(found.intervals) == 1
    assert "half closed" in found.reason
    blind = suggest_success(HELD)  # the stall is the lowest position there is
    assert blind.intervals == ()
    assert "closed position is unknown" in blind.reason


def test_a_command_without_a_press_is_no_grasp() -> None:
    half_way = suggest_success(HELD, command=HELD - 3, closed=0, opened=100)
    assert half_way.intervals == ()
    assert suggest_success(HELD, command=HELD, closed=0, opened=100).reason  # one signal, twice


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        (SHUT, "never closes and stalls"),
        (HELD[:20], "two values"),
        (np.array([0.0, 1.0] * 20), "two values"),
        (80 + np.random.default_rng(0).normal(0, 0.2, 40), "moves by"),
        (np.array([80.0]), "too short"),
        (np.append(HELD, np.nan), "not finite"),
    ],
)
def test_it_says_when_it_cannot_tell(position: np.ndarray, reason: str) -> None:
    found = suggest_success(position, closed=0, opened=100)
    assert found.intervals == ()
    assert reason in found.reason


def test_a_wrong_call_is_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        suggest_success(HELD, HELD[1:])
    with pytest.raises(ValueError, match="fps"):
        suggest_success(HELD, fps=0)


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["shoulder_pan.pos", "gripper.pos"], 1),
        ({"motors": ["main_gripper", "wrist"]}, 0),
        (["a", "b"], None),
        (["left_gripper", "right_gripper"], None),
        (["gripper.vel", "gripper.pos"], 1),
        (None, None),
        ("gripper", None),
    ],
)
def test_the_gripper_is_known_by_name(names: object, place: int | None) -> None:
    assert gripper_dimension(names) == place


def gripper_of(root: Path, episode: int, feature: str) -> np.ndarray | None:
    reader = open_dataset(root=root)
    place = gripper_dimension(reader.info.features[feature].names)
    if place is None:
        return None
    batch = next(iter(reader.read([episode], [feature])))
    return np.array(batch.table[feature].to_pylist())[:, place]


def test_motions_of_the_demo() -> None:
    from lerobot_grasp_plugin.core.intervals import IntervalSet
    from lerobot_grasp_plugin.demo import seed
    from lerobot_grasp_plugin.demo.motion import grasp_motion

    for recording in seed.RECORDINGS:
        right, wrong = 0, 0
        for number, success in enumerate(seed.success_masks(recording)):
            rng = np.random.default_rng(number)
            state, action = grasp_motion(success, rng).joints(rng)
            suggestion = suggest_success(state[:, 5], command=action[:, 5], closed=0, opened=100, fps=10)
            mask = IntervalSet(suggestion.intervals).mask(len(success))
            right, wrong = right + (mask & success).sum(), wrong + (mask & ~success).sum()
        total = sum(int(success.sum()) for success in seed.success_masks(recording))
        assert right >= 0.95 * total
        assert wrong <= 0.02 * total


@pytest.mark.parametrize(
    ("name", "feature", "reason"),
    [
        ("cr5_banana_v21", "action", "two values"),
        ("b601_v30_nocam", "observation.state", "closed position is unknown"),
    ],
)
def test_real_grippers_that_do_not_tell(
    shared_data: Callable[[str], Path], name: str, feature: str, reason: str
) -> None:
    position = gripper_of(shared_data(name), 0, feature)
    assert position is not None
    found = suggest_success(position)
    assert found.intervals == ()
    assert reason in found.reason


@pytest.mark.parametrize("name", ["koch_screwdriver_v21", "gr1_picknplace_v20", "ioai_tiny/lerobotv2"])
def test_robots_without_a_gripper(shared_data: Callable[[str], Path], name: str) -> None:
    assert gripper_of(shared_data(name), 0, "observation.state") is None


def test_intervals_are_half_open_frames() -> None:
    assert all(
        isinstance(interval, FrameInterval) and interval.stop is not None
        for interval in suggest_success(HELD, command=PRESSED).intervals
    )


COMMAND = np.array([0.0] * 20 + [1.0] * 30 + [0.0] * 20)


@pytest.mark.parametrize("scale", [1.0, -2.0])
def test_a_command_to_open_is_a_release(scale: float) -> None:
    found = suggest_release(COMMAND * scale, fps=10)
    assert found.intervals == (FrameInterval(56, None),)
    assert "does not show whether it was held" in found.reason


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (COMMAND[:50], "close and then to open"),
        (COMMAND[:20], "not have exactly two values"),
        (np.linspace(0, 1, 30), "not have exactly two values"),
        (np.tile(COMMAND, 2), "more than once"),
        (COMMAND[:55], "at the very end"),
        (np.array([0.0] * 20 + [1.0] + [0.0] * 20), "too briefly"),
    ],
)
def test_no_release_can_be_told(command: np.ndarray, reason: str) -> None:
    found = suggest_release(command)
    assert found.intervals == ()
    assert reason in found.reason


def test_releases_of_a_real_arm_are_where_a_person_saw_them(shared_data: Callable[[str], Path]) -> None:
    reader = open_dataset(root=shared_data("cr5_banana_v21"))
    labels = parse((reader.root.parent / "cr5_banana.txt").read_bytes(), name="cr5_banana.txt").annotations
    apart = []
    for episode in labels.sections[0].episodes:
        (batch,) = reader.read([episode.episode_index], ["action"])
        found = suggest_release(to_numpy(batch.table["action"])[:, -1], fps=reader.info.fps)
        apart.append(found.intervals[0].start - episode.success.intervals[0].start)
    assert len(apart) == 20
    assert max(abs(value) for value in apart) <= 6  # the person's own numbers are good to about 5
    assert abs(np.mean(apart)) <= 1
