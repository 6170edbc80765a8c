"""The simulated arm and its script in LeRobot's own environment for reinforcement learning."""

from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import UsageError
from tests.support.simulated_environment import FULL


def play(built, steps=40):
    """One episode; the truth after each step, and whether LeRobot ended it."""
    from lerobot_grasp_plugin.sim.world import World

    transition = built.reset()
    truths, ended = [], False
    for _ in range(steps):
        transition = built.step(transition)
        truths.append(World.current.truth())
        ended = bool(transition["done"] or transition["truncated"])
        if ended:
            break
    return truths, transition


def test_each_episode_starts_at_home_with_the_cube_at_its_next_place(environment):
    from lerobot_grasp_plugin.sim.world import World

    built = environment(cube=FULL)
    places = []
    for _ in range(3):
        built.reset()
        world = World.current
        assert world.joints == pytest.approx(world.home, abs=1e-6)
        places.append(tuple(world.cube_position))
        attempt = world.attempt
        transition = built.reset()
        places.append(tuple(world.cube_position))
        for _ in range(4):
            transition = built.step(transition)
        assert world.attempt == attempt + 1
    assert len(set(places)) == 6


@pytest.mark.parametrize(
    ("outcome", "held"),
    [("success", True), ("regrasp", True), ("miss", False), ("air", False), ("hover", False)],
)
def test_the_script_does_in_steps_what_its_outcome_says(environment, outcome, held):
    truths, _ = play(environment(outcome=outcome))
    assert any(truth.held for truth in truths) == held
    assert truths[-1].grasped == held


def test_the_cube_is_let_go_where_the_outcome_is_drop(environment):
    truths, _ = play(environment(outcome="drop"))
    assert any(truth.grasped for truth in truths)
    assert not truths[-1].held


def test_the_script_holds_the_cube_up_also_with_noise(environment):
    built = environment(cube=FULL, noise=0.3)
    assert all(play(built)[0][-1].grasped for _ in range(8))


def test_end_effector_steps_are_refused_where_nothing_takes_them(make_world, monkeypatch):
    pytest.importorskip("lerobot.teleoperators")
    from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig
    from lerobot_grasp_plugin.sim.so101_script import So101Script
    from lerobot_grasp_plugin.sim.world import World

    monkeypatch.setattr(World, "current", make_world())
    script = So101Script(So101ScriptConfig(action_space="ee_delta"))
    script.connect()
    try:
        with pytest.raises(UsageError, match="no-environment"):
            script.get_action()
    finally:
        script.disconnect()


def test_a_wandering_gripper_stays_within_the_bounds(environment):
    from lerobot_grasp_plugin.sim.world import World

    built = environment(outcome="wander")
    transition = built.reset()
    for _ in range(30):
        transition = built.step(transition)
        x, y, z = World.current.tip
        assert 0.10 < x < 0.30
        assert abs(y) < 0.18
        assert z > 0.0


def test_the_signal_ends_the_episode_with_a_reward(environment):
    truths, transition = play(environment(signal="held"))
    assert transition["done"]
    assert transition["reward"] == 1.0
    assert truths[-2].held  # the script sees what was there before its step


def test_without_a_take_over_the_script_leaves_the_policy_alone(environment):
    built = environment(takeover={"start": 0.0})
    truths, transition = play(built, 15)
    from lerobot.teleoperators.utils import TeleopEvents

    assert not transition["info"][TeleopEvents.IS_INTERVENTION]
    assert not any(truth.held for truth in truths)


def test_the_script_takes_over_in_the_middle_of_an_episode_and_grasps(environment):
    from lerobot.teleoperators.utils import TeleopEvents

    built = environment(takeover={"start": 1.0, "latest": 12}, signal="grasped")
    first_steps = set()
    for _ in range(3):
        transition = built.reset()
        interventions = []
        while not (transition.get("done") or transition.get("truncated")):
            transition = built.step(transition)
            interventions.append(bool(transition["info"][TeleopEvents.IS_INTERVENTION]))
        first = interventions.index(True)
        assert first <= 12
        assert all(interventions[first:])
        assert transition["reward"] == 1.0
        first_steps.add(first)
    assert len(first_steps) > 1


def test_the_script_takes_over_when_its_patience_is_at_an_end(environment):
    from lerobot.teleoperators.utils import TeleopEvents

    built = environment(takeover={"start": 0.0, "patience": 9}, signal="grasped")
    transition, interventions = built.reset(), []
    while not (transition.get("done") or transition.get("truncated")):
        transition = built.step(transition)
        interventions.append(bool(transition["info"][TeleopEvents.IS_INTERVENTION]))
    assert interventions.index(True) == 9
    assert all(interventions[9:])
    assert transition["reward"] == 1.0


def test_the_hand_is_steady_near_the_cube():
    from lerobot_grasp_plugin.sim.ee_attempt import EeAttempt

    def spread(height):
        world = SimpleNamespace(
            cube_position=np.array([0.2, 0.0, 0.0125]),
            tip=np.array([0.2, 0.0, height]),
            opening=0.0,
            truth=lambda: SimpleNamespace(held=False),
        )
        steps, random = np.full(3, 0.02), np.random.default_rng(0)
        deltas = [EeAttempt("success", steps, 0.3, random).next(world).delta[:2] for _ in range(200)]
        return float(np.std(deltas))

    assert spread(0.2) == pytest.approx(0.3, rel=0.2)
    assert spread(0.02) < 0.1


@pytest.mark.parametrize(
    ("across", "height", "opening", "held", "upward", "gripper"),
    [
        (0.05, 0.014, 1.0, False, True, "open"),  # low beside the cube
        (0.002, 0.055, 1.0, False, False, "stay"),  # open above it
        (0.002, 0.055, 0.4, False, False, "open"),  # half closed above it
        (0.01, 0.03, 1.0, False, False, "stay"),  # open on the way down
        (0.002, 0.014, 1.0, False, False, "close"),  # open around it
        (0.007, 0.014, 0.5, False, False, "close"),  # closing on it
        (0.002, 0.014, 0.17, True, True, "close"),  # holding it
        (0.002, 0.014, 0.0, False, True, "open"),  # closed on nothing
    ],
)
def test_an_attempt_goes_on_from_where_the_gripper_is(across, height, opening, held, upward, gripper):
    from lerobot_grasp_plugin.sim.ee_attempt import CLOSE, OPEN, STAY, EeAttempt

    world = SimpleNamespace(
        cube_position=np.array([0.2, 0.0, 0.0125]),
        tip=np.array([0.2 + across, 0.0, height]),
        opening=opening,
        truth=lambda: SimpleNamespace(held=held),
    )
    command = EeAttempt("success", np.full(3, 0.02), 0.0, np.random.default_rng(0)).next(world)
    assert (command.delta[2] > 0) == upward
    assert command.gripper == {"open": OPEN, "stay": STAY, "close": CLOSE}[gripper]


def test_the_share_of_episodes_taken_over_falls_to_its_floor():
    pytest.importorskip("lerobot.teleoperators")
    from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig, TakeoverConfig
    from lerobot_grasp_plugin.sim.so101_script import So101Script

    script = So101Script(So101ScriptConfig(takeover=TakeoverConfig(start=1.0, decay=0.95, floor=0.25)))
    acts = []
    for _ in range(400):
        script.start_episode()
        acts.append(script._first_step is not None)
    assert all(acts[:1])
    assert np.mean(acts[:20]) > 0.5
    assert 0.15 < np.mean(acts[100:]) < 0.35
    resumed = So101Script(
        So101ScriptConfig(takeover=TakeoverConfig(start=1.0, decay=0.95, floor=0.25), first_episode=100)
    )
    for expected in acts[100:120]:
        resumed.start_episode()
        assert (resumed._first_step is not None) == expected


def test_joint_actions_work_without_kinematics(environment):
    truths, _ = play(environment(action_space="joints"), steps=39)
    assert truths[-1].grasped


def test_a_large_step_is_shortened_and_does_not_end_the_process(environment):
    built = environment()
    transition = built.reset()
    transition = built.step(transition)
    from lerobot_grasp_plugin.sim.world import World

    World.current.data.qpos[1] += 1.0  # the arm was pushed away
    for _ in range(3):
        transition = built.step(transition)


@pytest.mark.parametrize(
    "options",
    [
        {"action_space": "ee"},
        {"signal": "seen"},
        {"takeover": {"latest": -1}},
        {"takeover": {"patience": -1}},
    ],
)
def test_options_of_the_script_are_checked(options):
    pytest.importorskip("lerobot.teleoperators")
    from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig, TakeoverConfig
    from lerobot_grasp_plugin.sim.so101_script import So101Script

    if "takeover" in options:
        options = {"takeover": TakeoverConfig(**options["takeover"])}
    with pytest.raises(UsageError, match=r"must be one of|must be a step"):
        So101Script(So101ScriptConfig(**options))


@pytest.mark.parametrize(
    "cube",
    [{"radius": [0.3, 0.2]}, {"radius": [0.05, 0.2]}, {"azimuth": [0.0]}, {"yaw": [-9.0, 9.0]}],
)
def test_a_layout_that_cannot_be_is_refused(cube):
    from lerobot_grasp_plugin.sim.layout import CubeLayout

    with pytest.raises(UsageError, match="bad-value"):
        CubeLayout(**cube).check("--robot.cube")
