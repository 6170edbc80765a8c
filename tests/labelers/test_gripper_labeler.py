"""Labeler ``gripper``: both readings, on made signals and on real and simulated recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin.core.agreement import (
    Agreement,
    boundary_distance,
    cohens_kappa,
    share_agreeing,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.column import ColumnLabelerConfig
from lerobot_grasp_plugin.labelers.file import read_success
from lerobot_grasp_plugin.labelers.gripper import GripperLabeler, GripperLabelerConfig
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from tests.support.made_episodes import MadeEpisode
from tests.support.project import PROJECT

OPEN, CLOSING, OPENING = [80.0] * 20, [65.0, 50.0, 42.0], [50.0, 70.0]
POSITION = [*OPEN, *CLOSING, *[34.0] * 17, *OPENING, *[80.0] * 8]
COMMAND = [*OPEN, *CLOSING, *[16.0] * 17, *OPENING, *[80.0] * 8]
SHUT = [*OPEN, *CLOSING, 20.0, 6.0, *[1.0] * 25]
NAMES = {"observation.state": ["shoulder.pos", "gripper.pos"], "action": ["shoulder.pos", "gripper.pos"]}


def episode(position: list[float], command: list[float] | None = None) -> Any:  # used as an Episode
    columns = {
        name: np.stack([np.zeros(len(values)), values], axis=1).astype(np.float32)
        for name, values in (("observation.state", position), ("action", command))
        if values is not None
    }
    return MadeEpisode(columns, NAMES)


def labeler(**settings: object) -> GripperLabeler:
    return GripperLabeler(GripperLabelerConfig(**settings))  # type: ignore[arg-type]


def test_what_is_held_is_success() -> None:
    proposal = labeler(closed=0, opened=100).propose(episode(POSITION, COMMAND))
    assert proposal.success is not None
    (interval,) = proposal.success
    assert (abs(interval.start - 23) <= 1, interval.stop, proposal.reason) == (True, 40, "")


def test_what_was_let_go_is_success_in_the_other_reading() -> None:
    proposal = labeler(reading="let_go", closed=0, opened=100).propose(episode(POSITION, COMMAND))
    assert proposal.success == IntervalSet([FrameInterval(40, None)])
    assert "putting the object down" in proposal.reason
    kept = labeler(reading="let_go", closed=0, opened=100).propose(episode(POSITION[:40], COMMAND[:40]))
    assert kept.success == IntervalSet()
    assert "to the end" in kept.reason


def test_a_gripper_that_shuts_on_nothing_is_failure_and_a_bare_command_is_no_answer() -> None:
    assert labeler(closed=0, opened=100).propose(episode(SHUT, SHUT)).success == IntervalSet()
    command = [1.0] * 20 + [0.0] * 20 + [1.0] * 20
    assert labeler().propose(episode(command)).success == IntervalSet([FrameInterval(46, None)])
    proposal = labeler(reading="held").propose(episode(command))
    assert (proposal.success, "command" in proposal.reason) == (None, True)


def test_the_joint_is_found_by_its_name() -> None:
    made = episode(POSITION, COMMAND)
    made.names = {name: ["claw", "finger"] for name in NAMES}
    assert labeler().propose(made).reason == "neither state nor action has a dimension gripper"
    found = labeler(joint="finger", closed=0, opened=100).propose(made)
    assert found.success == labeler(closed=0, opened=100).propose(episode(POSITION, COMMAND)).success
    made.names = {}
    assert labeler(joint="1", closed=0, opened=100).propose(made).success == found.success
    for place in ("2", "finger", "²"):
        assert (
            labeler(joint=place).propose(made).reason == f"neither state nor action has a dimension {place}"
        )
    made.names = NAMES
    assert labeler(joint="toe").propose(made).reason == "neither state nor action has a dimension toe"


def test_a_real_arm_that_puts_down_a_banana(shared_data: Callable[[str], Path]) -> None:
    (source,) = open_sources([SourceConfig(root=shared_data("cr5_banana_v21"))], [])
    truth = read_success(shared_data("cr5_banana.txt"), None, source)
    proposals = propose(GripperLabelerConfig(), source)
    assert list(proposals) == list(range(20))
    lengths = source.reader.lengths
    agreements = [
        Agreement(index, int(lengths[index]), truth[index], proposal.success)
        for index, proposal in proposals.items()
        if proposal.success is not None
    ]
    share = share_agreeing(agreements)
    assert len(agreements) >= 15
    assert share is not None
    assert share > 0.95


def test_the_agreement_with_the_physics_is_what_the_docs_state(demo: Callable[[], tuple[Path, str]]) -> None:
    """The rewards of the simulated demo are those of the physics, in every frame."""
    folder, printed = demo()
    if "The physics agree with the annotations on 1927 of 1927 frames." not in printed:
        pytest.skip("the demo's arm is not simulated here")
    root = folder / "grasp_demo/gtgando/so101_grasp_only_reward_v1"
    (source,) = open_sources([SourceConfig(root=root)], [])
    truth, proposals = propose(ColumnLabelerConfig(), source), propose(GripperLabelerConfig(), source)
    agreements = [
        Agreement(index, int(source.reader.lengths[index]), true, proposal.success)
        for index, proposal in proposals.items()
        if (true := truth[index].success) is not None and proposal.success is not None
    ]
    assert len(agreements) == 25
    share, kappa = share_agreeing(agreements), cohens_kappa(agreements)
    assert share is not None
    row = f"| `gripper` | {100 * share:.1f} % | {boundary_distance(agreements):.1f} frames | {kappa:.2f} |"
    assert row in (PROJECT / "docs/labelers.md").read_text()
