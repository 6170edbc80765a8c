"""Rewards, dones and their alignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.dataset.provenance import Provenance, ProvenanceEpisode, ProvenanceSource
from lerobot_grasp_plugin.preflight.checks.labels import check_labels
from lerobot_grasp_plugin.preflight.config_view import ConfigView
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts
from tests.support.preflight_case import Case
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted


@plant("rewards of 0.5", "unknown-rewards")
def _(case: Case) -> None:
    case.columns["next.reward"][5] = 0.5


@plant("no success", "one-class")
def _(case: Case) -> None:
    case.columns["next.reward"][:] = 0


@plant("success goes on, done does not come", "success-not-done", "warning")
def _(case: Case) -> None:
    case.columns["next.reward"][6:12] = 1


@plant("the last rows are not done", "done-not-at-end success-not-done")
def _(case: Case) -> None:
    case.columns["next.done"][:] = False


@plant("done without success", "done-inside", "warning")
def _(case: Case) -> None:
    case.columns["next.done"][4] = True


@plant("env goes on after success", "done-at-success reset-crash no-reset", "warning")
def _(case: Case) -> None:
    case.set("env/processor/reset", {"terminate_on_success": False})
    case.columns["next.reward"][4] = 1
    case.columns["next.done"][4] = True


@plant("labels of the frame, not of the next", "alignment", "warning")
def _(case: Case) -> None:
    case.provenance["labels"]["alignment"] = "frame"


planted("another success_reward", "success-reward", "env/processor/reward_classifier/success_reward", 10.0)
planted("threshold in percent", "success-threshold", "env/processor/reward_classifier/success_threshold", 70)


@plant("every frame a success", "one-class success-not-done")
def _(case: Case) -> None:
    case.columns["next.reward"][:] = 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


@pytest.mark.parametrize(
    ("positives", "done", "named"),
    [
        ((100, 101, 102), 998, {"class-imbalance", "success-not-done"}),  # 3 of 999 rows
        (range(100, 300), 998, {"success-not-done"}),
        ((998,), 998, set()),  # one success row ends its episode: sparse, and sound
        ((), 998, {"one-class"}),
    ],
)
def test_hardly_any_success_is_named(positives: Sequence[int], done: int, named: set[str]) -> None:
    reward, dones = np.zeros((999, 1)), np.zeros((999, 1))
    reward[list(positives)] = 1
    dones[done] = 1
    dataset = DatasetFacts(
        where="dataset",
        repo_id="lab/bad",
        root=Path("nowhere"),
        fps=10,
        total_episodes=1,
        features={},
        lengths=np.array([999]),
        episodes=np.array([0]),
        columns={"next.reward": reward, "next.done": dones},
    )
    facts = Facts(ConfigView(Path("config.json"), {}), [dataset], None)
    assert {finding.code for finding in check_labels(facts)} == named


def test_one_poor_source_is_named_among_good_ones(tmp_path: Path) -> None:
    columns = {"next.reward": np.zeros((1998, 1)), "next.done": np.zeros((1998, 1))}
    columns["next.reward"][[*range(500, 999), 1100, 1101, 1102]] = 1
    columns["next.done"][[998, 1997]] = 1
    dataset = DatasetFacts(
        where="dataset",
        repo_id="lab/merged",
        root=tmp_path,
        fps=10,
        total_episodes=2,
        features={},
        lengths=np.array([999, 999]),
        episodes=np.array([0, 1]),
        columns=columns,
        provenance=Provenance(
            sources=[ProvenanceSource(repo_id="lab/good"), ProvenanceSource(repo_id="lab/poor")],
            episodes={0: ProvenanceEpisode(source=0), 1: ProvenanceEpisode(source=1)},
        ),
    )
    facts = Facts(ConfigView(Path("config.json"), {}), [dataset], None)
    messages = [finding.message for finding in check_labels(facts) if finding.code == "class-imbalance"]
    assert len(messages) == 1
    assert "lab/poor: 3 of 999 rows" in messages[0]
