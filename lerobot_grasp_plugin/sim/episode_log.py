"""Logs which attempt becomes which episode, and the true state of each frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.sim.joints import JOINTS
from lerobot_grasp_plugin.sim.truth import EpisodeTruth, Truth, truth_folder
from lerobot_grasp_plugin.sim.world import World

_STATE = "observation.state"


class EpisodeLog:
    """Follows the recording of a world: lays the cube out between episodes, and writes the truth.

    A row belongs to the observation that its action was decided on. LeRobot's ``gym_manipulator`` makes
    another observation before it records the row.
    """

    def __init__(self, world: World, folder: Path | None) -> None:
        """Args:
        world: Whose cube is laid out.
        folder: Where the truth goes; None for ``<dataset root>_sim_truth``.
        """
        self._world = world
        self._folder = folder
        self._observed: deque[tuple[np.ndarray[Any, Any], Truth]] = deque(maxlen=2)
        self._episode: list[Truth] = []
        self._attempt = world.attempt
        self._touched = False
        self._acted = False
        self._decided: tuple[np.ndarray[Any, Any], Truth] | None = None

    def observed(self, state: dict[str, float]) -> None:
        """The robot was read: joint positions by joint name, in the units they are recorded in."""
        if self._acted and self._world.recording is not None and not self._world.episodic:
            self._between_episodes()
        self._world.clock.observed()
        self._observed.append(
            (np.array([state[name] for name in JOINTS], dtype=np.float32), self._world.truth())
        )

    def acted(self) -> None:
        """An action was carried out; a frame that is recorded now belongs to it."""
        self._acted = True
        self._decided = self._observed[-1] if self._observed else None
        self._world.clock.acted(ready=self._world.ready)

    def frame_added(self, dataset: Any, frame: dict[str, Any]) -> None:
        world = self._world
        if not world.episodic and dataset.fps != world.fps:
            message = f"the dataset has {dataset.fps} frames per second, but the simulated arm {world.fps}"
            hint = f"set --robot.fps={dataset.fps}"
            raise UsageError(Problem("frame-rates-differ", message, "--robot.fps", hint))
        world.recording = True
        world.clock.recorded()
        self._acted = False
        self._touched = True
        if not self._episode:
            self._attempt = world.attempt
        state = np.asarray(frame.get(_STATE, ()), dtype=np.float32).ravel()[: len(JOINTS)]
        likely = [self._decided, *reversed(self._observed)] if self._decided else [*reversed(self._observed)]
        matching = (truth for seen, truth in likely if np.array_equal(seen, state))
        self._episode.append(next(matching, likely[0][1]))

    def frame_held(self, dataset: Any) -> None:
        self._world.clock.recorded()
        self._acted = False

    def frames_kept(self, dataset: Any, start: int, stop: int) -> None:
        self._episode = self._episode[start:stop]

    def episode_saved(self, dataset: Any, episode_index: int) -> None:
        folder = truth_folder(self._folder, Path(dataset.root))
        EpisodeTruth(episode_index, self._attempt, self._episode).write(folder)
        if self._world.episodic:  # LeRobot's environment says nothing of its episodes
            frames = count(len(self._episode), "frame")
            print(f"Episode {episode_index}: {frames}, at its end {_outcome(self._episode)}", flush=True)
        self._world.saved += 1
        self._episode = []
        self._between_episodes()

    def episode_discarded(self, dataset: Any) -> None:
        self._episode = []
        self._between_episodes()

    def _between_episodes(self) -> None:
        """Lay the cube out again, once after each episode; an environment does so at its reset."""
        self._world.recording = False
        if self._touched and not self._world.episodic:
            self._touched = False
            self._world.lay_out()


def _outcome(episode: Sequence[Truth]) -> str:
    """How an episode ended, in words."""
    if not episode or not episode[-1].held:
        return "the cube is not held"
    return "the cube is held and lifted" if episode[-1].lifted else "the cube is held, not lifted"
