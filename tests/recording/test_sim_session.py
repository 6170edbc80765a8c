"""A session on the simulated arm: marked live, corrected in three ways, and compared with the physics."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support import watched_session as watched

pytestmark = pytest.mark.in_turn


def test_corrected_labels_are_what_the_physics_say(simulator, tmp_path):
    plan = watched.Plan(tmp_path / "picks", "success,drop,miss", 3, attempt_s=3.0, camera=(64, 48))
    person = watched.Person(plan)
    try:
        person.record()
    finally:
        person.kill()
    truth = watched.true_success(plan.root)
    assert truth[0][-1]
    assert truth[1].any()
    assert not truth[1][-1]
    assert not truth[2].any()
    corrected = watched.agreement(watched.recorded_success(plan.root), truth)
    assert corrected.wrong == 0, corrected
    marked = watched.agreement(watched.said_in_sidecar(plan.root, "marked"), truth)
    assert len(marked.starts) == 2, marked
    assert max(map(abs, marked.starts)) < 10, marked
    assert verify_dataset(plan.root).ok
