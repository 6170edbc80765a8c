"""Counts how often the policies of a run's checkpoints grasp, episode by episode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.policies import make_pre_post_processors
from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy
from lerobot.processor import RewardClassifierProcessorStep, TransitionKey
from lerobot.rl import gym_manipulator as environment
from lerobot.rl.train_rl import TrainRLServerPipelineConfig
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig, TakeoverConfig
from lerobot_grasp_plugin.sim.ee_attempt import CLOSE
from lerobot_grasp_plugin.sim.episode_recorder import EpisodeRecorder
from lerobot_grasp_plugin.sim.world import World

type Act = Callable[[dict[str, Any]], torch.Tensor]
"""From the observations a policy has, by name and with a batch of one, to an action of shape (1, 4)."""

LIFT_STEPS = 8
"""Steps of the lift of a cube that is held when the time is over: the gripper stays closed and goes up."""


@dataclass(slots=True)
class EpisodeResult:
    """One episode of a policy.

    Attributes:
        episode: 0-based.
        steps: Steps until the cube was held and lifted, or all there were.
        held: The cube was held by both jaws in some step, by the physics' truth.
        lifted: The policy held and lifted it, or the lift that follows where it was held at the end did.
        rewarded: The reward classifier said success in some step; None without a classifier.
        false_rewards: Steps in which the classifier said success and the cube was not held.
        images: RGB images from the front, uint8 (height, width, 3), one a step, those of the lift included.
        held_images: Whether the cube was held in each image.
    """

    episode: int
    steps: int
    held: bool
    lifted: bool
    rewarded: bool | None = None
    false_rewards: int = 0
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    held_images: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class CheckpointResult:
    """The result of a checkpoint.

    Attributes:
        name: Of the checkpoint's folder, its optimization step.
        path: Its ``pretrained_model`` folder.
        episodes: In order.
    """

    name: str
    path: Path
    episodes: list[EpisodeResult]

    @property
    def held(self) -> int:
        """Episodes in which the cube was held."""
        return sum(one.held for one in self.episodes)

    @property
    def lifted(self) -> int:
        """Episodes in which it was held and lifted."""
        return sum(one.lifted for one in self.episodes)

    @property
    def rewarded(self) -> int | None:
        """Episodes in which the classifier said success; None without a classifier."""
        said = [one.rewarded for one in self.episodes if one.rewarded is not None]
        return sum(said) if said else None

    @property
    def false(self) -> int:
        """Episodes in which the classifier said success when the cube was not held."""
        return sum(one.false_rewards > 0 for one in self.episodes)


def wilson(successes: int, number: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share: lower and upper bound in [0, 1]; 95 % with the default ``z``."""
    if number == 0:
        return 0.0, 1.0
    share = successes / number
    middle = share + z * z / (2 * number)
    width = z * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    scale = 1 + z * z / number
    return max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale)


class PolicyEvaluation:
    """The simulated environment of a config, and policies that act in it."""

    def __init__(self, config: TrainRLServerPipelineConfig, seed: int) -> None:
        """Args:
        config: The learner's; robot, bounds and classifier are those of its ``env``, the teleoperator
            is one that never acts.
        seed: Decides where the cube lies; the same for every checkpoint.
        """
        self._config = config
        config.env.robot.seed = seed
        config.env.teleop = So101ScriptConfig(action_space="ee_delta", takeover=TakeoverConfig(0.0, 1.0, 0.0))
        self._env, teleop = environment.make_robot_env(config.env)
        self._env_processor, self._action_processor = environment.make_processors(
            self._env, teleop, config.env, "cpu"
        )
        self._classifier = self._take_classifier()
        self.recorder: EpisodeRecorder | None = None
        self._steps = int(config.env.processor.reset.control_time_s * config.env.fps)

    def _take_classifier(self) -> RewardClassifierProcessorStep | None:
        """The reward classifier, taken out of the environment: it is asked, and decides nothing."""
        steps = self._env_processor.steps
        found = next((step for step in steps if isinstance(step, RewardClassifierProcessorStep)), None)
        if found is not None:
            self._env_processor.steps = [step for step in steps if step is not found]
        return found

    def run(self, checkpoint: Path, episodes: int) -> Iterator[EpisodeResult]:
        """Let a checkpoint's policy act by its mean action, and give each episode as it ends.

        Args:
            checkpoint: Its ``pretrained_model`` folder.
            episodes: How many.

        Raises:
            DataError: The checkpoint cannot be loaded.
        """
        try:
            policy = GaussianActorPolicy.from_pretrained(checkpoint)
        except Exception as error:  # safetensors and draccus have classes of their own for torn files
            reason = str(error).splitlines()[0]
            hint = "a killed run may have left it incomplete; remove it, or give another checkpoint"
            raise DataError(
                Problem("torn-checkpoint", f"cannot be loaded: {reason}", Path(checkpoint), hint)
            ) from None
        policy.eval()
        preprocessor, postprocessor = make_pre_post_processors(
            policy_cfg=self._config.policy, dataset_stats=self._config.policy.dataset_stats
        )
        yield from self.play(lambda batch: _action(policy, preprocessor, postprocessor, batch), episodes)

    def play(self, act: Act, episodes: int) -> Iterator[EpisodeResult]:
        """Let something act, from the first place of the cube on, and give each episode as it ends."""
        _world().restart()
        for episode in range(episodes):
            yield self._episode(episode, act)

    def _episode(self, episode: int, act: Act) -> EpisodeResult:
        world = _world()
        transition = environment.reset_and_build_transition(
            self._env, self._env_processor, self._action_processor
        )
        result = EpisodeResult(episode, self._steps, held=False, lifted=False)
        for step in range(self._steps):
            observation = {
                name: value
                for name, value in transition[TransitionKey.OBSERVATION].items()
                if name in self._config.policy.input_features
            }
            with torch.no_grad():
                action = act(observation)
            transition = self._step(transition, action)
            truth = world.truth()
            held = truth.held
            result.held = result.held or held
            self._look(result, held)
            said = self._says_success(transition)
            if said is not None:
                result.rewarded = bool(result.rewarded) or said
                result.false_rewards += said and not held
            if self.recorder is not None:
                done = truth.grasped or step == self._steps - 1
                self.recorder.add(transition, action, rewarded=bool(said), done=done)
            if truth.grasped:
                result.lifted, result.steps = True, step + 1
                break
        if not result.lifted and world.truth().held:
            for step in range(LIFT_STEPS):
                up = 0.0 if step < 3 else 1.0
                transition = self._step(transition, torch.tensor([[0.0, 0.0, up, CLOSE]]))
                self._look(result, world.truth().held)
            result.lifted = world.truth().grasped
        if self.recorder is not None:
            self.recorder.end(keep=result.false_rewards > 0)
        return result

    def _step(self, transition: Any, action: torch.Tensor) -> Any:
        return environment.step_env_and_process_transition(
            self._env, transition, action, self._env_processor, self._action_processor
        )

    def _look(self, result: EpisodeResult, held: bool) -> None:
        result.images.append(_world().render("front", 160, 120))
        result.held_images.append(held)

    def _says_success(self, transition: Any) -> bool | None:
        if self._classifier is None:
            return None
        images = {
            name: value for name, value in transition[TransitionKey.OBSERVATION].items() if "image" in name
        }
        with torch.inference_mode():
            said = self._classifier.reward_classifier.predict_reward(
                images, threshold=self._classifier.success_threshold
            )
        return bool(float(said) > 0.5)

    def close(self) -> None:
        """Give the simulation back."""
        self._env.close()


def _world() -> World:
    assert World.current is not None
    return World.current


def _action(policy: Any, preprocessor: Any, postprocessor: Any, observation: dict[str, Any]) -> torch.Tensor:
    """The mean of the continuous action and the best gripper command, shape (1, 4)."""
    batch = preprocessor.process_observation(observation)
    features = None
    if policy.shared_encoder and policy.actor.encoder.has_images:
        features = policy.actor.encoder.get_cached_image_features(batch)
    _, _, mean = policy.actor(batch, features)
    action: torch.Tensor = postprocessor.process_action(torch.tanh(mean))
    if policy.config.num_discrete_actions is not None:
        command = torch.argmax(policy.discrete_critic(batch, features), dim=-1, keepdim=True)
        action = torch.cat([action, command.to(action.dtype)], dim=-1)
    return action


def results_table(results: Sequence[CheckpointResult]) -> Iterator[str]:
    """Lines of a table: a checkpoint each, the best one marked."""
    best = best_of(results)
    head = f"{'Checkpoint':<12}{'Held':>8}{'95 % interval':>14}{'Lifted':>8}{'95 % interval':>14}"
    yield f"{head}{'Rewarded':>10}{'of these false':>16}"
    for result in results:
        number = len(result.episodes)
        cells = []
        for successes in (result.held, result.lifted):
            low, high = wilson(successes, number)
            cells.append(f"{f'{successes}/{number}':>8}{f'{100 * low:.0f} to {100 * high:.0f} %':>14}")
        rewarded = result.rewarded
        cells.append(f"{'-' if rewarded is None else f'{rewarded}/{number}':>10}")
        cells.append(f"{f'{result.false}/{rewarded}' if rewarded else '-':>16}")
        mark = "  best" if result is best else ""
        yield f"{result.name:<12}{''.join(cells)}{mark}"


def best_of(results: Sequence[CheckpointResult]) -> CheckpointResult:
    """The checkpoint that lifted most often; of several the one that held most often, then the latest."""
    return max(results, key=lambda result: (result.lifted, result.held, len(result.name), result.name))
