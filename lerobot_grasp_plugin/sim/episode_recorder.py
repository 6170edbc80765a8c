"""Records episodes in which a policy fooled its reward classifier, in the form of ``gym_manipulator``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.processor import TransitionKey

from lerobot_grasp_plugin.core.action_space import DELTA_NAMES

_STATE, _IMAGES = "observation.state", "observation.images."


class EpisodeRecorder:
    """Records steps, and keeps the episodes it is asked to keep.

    A row has the observation *after* its action, and the reward that the classifier gave for that image. The
    truth of each row is written by the simulated robot, as in every recording.

    Attributes:
        root: The dataset's folder.
        episodes: How many were kept.
    """

    def __init__(self, root: Path, fps: int, task: str) -> None:
        """Args:
        root: The folder to make.
        fps: Of the environment.
        task: Of every episode.
        """
        self.root = root
        self.episodes = 0
        self._fps = fps
        self._task = task or "grasp the cube"
        self._dataset: LeRobotDataset | None = None

    def add(self, transition: Any, action: torch.Tensor, *, rewarded: bool, done: bool) -> None:
        """One step.

        Args:
            transition: What the environment gave after the action, with a batch of one.
            action: Shape (1, 4): steps along x, y and z and the gripper command.
            rewarded: The classifier said success.
            done: It is the episode's last step.
        """
        observation = {
            key: value.squeeze(0).cpu()
            for key, value in transition[TransitionKey.OBSERVATION].items()
            if key == _STATE or key.startswith(_IMAGES)
        }
        if self._dataset is None:
            self._dataset = self._create(observation)
        frame = {
            **observation,
            "action": action.squeeze(0).to(torch.float32).cpu(),
            "next.reward": np.array([float(rewarded)], dtype=np.float32),
            "next.done": np.array([done]),
            "complementary_info.discrete_penalty": np.zeros(1, dtype=np.float32),
            "task": self._task,
        }
        self._dataset.add_frame(frame)

    def end(self, *, keep: bool) -> None:
        """The episode is over; ``keep`` it or forget it."""
        if self._dataset is None:
            return
        if keep:
            self._dataset.save_episode()
            self.episodes += 1
        else:
            self._dataset.clear_episode_buffer()

    def close(self) -> None:
        """Finish the dataset; without an episode there is none."""
        if self._dataset is not None:
            self._dataset.finalize()
            if not self.episodes:
                shutil.rmtree(self.root)

    def _create(self, observation: dict[str, torch.Tensor]) -> LeRobotDataset:
        """The features of a recording of LeRobot's ``gym_manipulator``."""
        names = list(DELTA_NAMES)
        features: dict[str, Any] = {
            "action": {"dtype": "float32", "shape": (4,), "names": names},
            "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
            "next.done": {"dtype": "bool", "shape": (1,), "names": None},
            "complementary_info.discrete_penalty": {
                "dtype": "float32",
                "shape": (1,),
                "names": ["discrete_penalty"],
            },
        }
        for key, value in observation.items():
            is_state = key == _STATE
            features[key] = {
                "dtype": "float32" if is_state else "video",
                "shape": tuple(value.shape),
                "names": None if is_state else ["channels", "height", "width"],
            }
        return LeRobotDataset.create(f"local/{self.root.name}", self._fps, features, root=self.root)
