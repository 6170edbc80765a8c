"""Grasps of policies that are known to grasp, or not to, counted in the simulated environment."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("lerobot.rl")
pytest.importorskip("placo")

from tests.support.simulated_environment import FIXED, FULL, URDF


def run_config(*, cameras=None, cube=FIXED):
    """The config of a learner, as a checkpoint has it."""
    import draccus
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    from lerobot_grasp_plugin.sim import config_so101_script, config_so101_sim  # noqa: F401  # registers itself

    env = {
        "type": "gym_manipulator",
        "name": "real_robot",
        "fps": 10,
        "task": "grasp the cube",
        "robot": {"type": "so101_sim", "fps": 10, "cameras": cameras or {}, "cube": cube},
        "teleop": {"type": "so101_script", "action_space": "joints", "signal": "held"},
        "processor": {
            "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
            "reset": {"reset_time_s": 0.0, "control_time_s": 4.0, "terminate_on_success": True},
            "max_gripper_pos": 100.0,
            "inverse_kinematics": {
                "urdf_path": URDF,
                "target_frame_name": "gripper_frame_link",
                "end_effector_bounds": {"min": [0.12, -0.16, 0.008], "max": [0.28, 0.16, 0.12]},
                "end_effector_step_sizes": {"x": 0.02, "y": 0.02, "z": 0.02},
            },
        },
    }
    policy = {
        "type": "gaussian_actor",
        "device": "cpu",
        "push_to_hub": False,
        "num_discrete_actions": 3,
        "latent_dim": 16,
        "input_features": {"observation.state": {"type": "STATE", "shape": [6]}},
        "output_features": {"action": {"type": "ACTION", "shape": [3]}},
        "dataset_stats": {
            "observation.state": {"min": [-90.0] * 6, "max": [100.0] * 6},
            "action": {"min": [-1.0] * 3, "max": [1.0] * 3},
        },
    }
    return draccus.decode(TrainRLServerPipelineConfig, {"dataset": None, "env": env, "policy": policy})


class Grasping:
    """What the script does, as a policy: looks at the cube of the world, and not at the observation."""

    def __init__(self, outcomes):
        self._outcomes = iter(outcomes)
        self._attempt, self._of = None, None

    def __call__(self, observation):
        import torch

        from lerobot_grasp_plugin.sim.ee_attempt import EeAttempt
        from lerobot_grasp_plugin.sim.world import World

        world = World.current
        if self._of != world.attempt:
            self._of = world.attempt
            random = np.random.default_rng(0)
            self._attempt = EeAttempt(next(self._outcomes), np.full(3, 0.02), 0.0, random)
        command = self._attempt.next(world)
        return torch.tensor([[*command.delta, command.gripper]], dtype=torch.float32)


@pytest.fixture
def evaluation_of(simulator):
    from lerobot_grasp_plugin.sim.evaluation import PolicyEvaluation

    opened = []

    def build(**options):
        opened.append(PolicyEvaluation(run_config(**options), seed=3))
        return opened[-1]

    yield build
    for one in opened:
        one.close()


def test_grasps_are_counted_by_the_physics(evaluation_of):
    from lerobot_grasp_plugin.sim.world import World

    evaluation = evaluation_of(cube=FULL)
    outcomes = ["success", "miss", "air", "success", "hover"]
    episodes, places = [], []
    for one in evaluation.play(Grasping(outcomes), len(outcomes)):
        episodes.append(one)
        places.append(World.current.attempt)
    assert [one.held for one in episodes] == [True, False, False, True, False]
    assert [one.lifted for one in episodes] == [True, False, False, True, False]
    assert [one.rewarded for one in episodes] == [None] * 5
    assert episodes[1].steps == len(episodes[1].images) == 40
    assert episodes[0].steps == len(episodes[0].images) < 40  # the policy itself lifts, and that ends it
    assert episodes[0].held_images.index(True) < episodes[0].steps - 1
    assert not any(episodes[1].held_images)
    again = list(evaluation.play(Grasping(outcomes), 2))  # the same places for every checkpoint
    assert [one.steps for one in again] == [one.steps for one in episodes[:2]]


class Holding(Grasping):
    """Closes the jaws on the cube and never goes up; opens them again after some steps where it lets go."""

    def __init__(self, *, lets_go):
        super().__init__(["success"])
        self._lets_go, self._held_for = lets_go, 0

    def __call__(self, observation):
        import torch

        from lerobot_grasp_plugin.sim.ee_attempt import CLOSE, OPEN
        from lerobot_grasp_plugin.sim.world import World

        self._held_for += World.current.truth().held or self._held_for > 0
        if not self._held_for:
            return super().__call__(observation)
        gripper = OPEN if self._lets_go and self._held_for > 2 else CLOSE
        return torch.tensor([[0.0, 0.0, 0.0, gripper]])


@pytest.mark.parametrize("lets_go", [False, True])
def test_a_cube_that_is_held_when_the_time_is_over_is_lifted_for_the_policy(evaluation_of, lets_go):
    from lerobot_grasp_plugin.sim.evaluation import LIFT_STEPS

    (episode,) = evaluation_of().play(Holding(lets_go=lets_go), 1)
    assert episode.steps == 40
    assert episode.held
    assert episode.lifted is not lets_go
    assert len(episode.images) == (40 if lets_go else 40 + LIFT_STEPS)
    assert episode.held_images[-1] is not lets_go


class Fooled:
    """A classifier that takes every gripper near the table for a grasp."""

    success_threshold = 0.5

    @property
    def reward_classifier(self):
        return self

    def predict_reward(self, images, threshold):
        from lerobot_grasp_plugin.sim.world import World

        assert set(images) == {"observation.images.wrist"}
        return float(World.current.tip[2] < 0.03)


def test_a_fooled_classifier_is_counted_and_its_episodes_become_a_labelled_dataset(evaluation_of, tmp_path):
    from lerobot_grasp_plugin.commands import eval_policy
    from lerobot_grasp_plugin.sim.episode_recorder import EpisodeRecorder
    from lerobot_grasp_plugin.sim.truth import read_truth
    from tests.support.lerobot_judge import open_set

    evaluation = evaluation_of(cameras={"wrist": {"width": 64, "height": 48}})
    evaluation._classifier = Fooled()
    root = tmp_path / "hard"
    evaluation.recorder = EpisodeRecorder(root, 10, "grasp the cube")
    outcomes = ["air", "miss", "success"]
    air, miss, success = evaluation.play(Grasping(outcomes), 3)
    evaluation.recorder.close()
    assert (air.rewarded, air.false_rewards) == (False, 0)
    assert miss.rewarded
    assert miss.false_rewards > 0
    assert success.held
    dataset = open_set(root)
    kept = [one for one in (miss, success) if one.false_rewards]
    assert dataset.num_episodes == evaluation.recorder.episodes == len(kept)
    truth = read_truth(tmp_path / "hard_sim_truth")
    assert [len(truth[number].frames) for number in range(len(kept))] == [one.steps for one in kept]
    assert not any(frame.held for frame in truth[0].frames)
    if len(kept) > 1:
        assert truth[1].frames[-1].grasped
    item = dataset[kept[0].steps - 1]
    assert bool(item["next.done"])
    assert item["observation.images.wrist"].shape == (3, 48, 64)
    config = SimpleNamespace(
        env=SimpleNamespace(
            processor=SimpleNamespace(
                reward_classifier=SimpleNamespace(pretrained_path=str(tmp_path / "classifier"))
            )
        )
    )
    (tmp_path / "classifier").mkdir()
    (tmp_path / "classifier/grasp_classifier.json").write_text(json.dumps({"dataset": {"root": "learned"}}))
    lines = list(eval_policy._next_commands(evaluation.recorder, config))
    assert any("{root: learned}, {root: " in line for line in lines)
    assert "00: all fail" in (tmp_path / "hard_annotations.txt").read_text()
