"""A hook that tells what the physics say, as a person sees it who stands beside the simulated arm."""

from dataclasses import dataclass

import numpy as np

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, RecordingHook
from lerobot_grasp_plugin.sim.world import World

GRASPED, LET_GO = "sees the cube grasped", "sees the cube let go"
SECOND = "a second has passed on the table"


@HookConfig.register_subclass("show_truth")
@dataclass
class ShowTruthConfig(HookConfig):
    def make(self):
        return ShowTruth()


class ShowTruth(RecordingHook):
    """Says so when the cube is grasped or let go, and afterwards which frames show it grasped.

    A hook is called when the action has been carried out: what it sees then is on the next frame's picture.
    """

    def session_started(self, session):
        self._say, self._fps = session.say, session.fps

    def episode_started(self, episode_index):
        self._grasped = [World.current.truth().grasped]

    def frame(self, frame_index, frame):
        self._grasped.append(World.current.truth().grasped)
        if self._grasped[-1] != self._grasped[-2]:
            self._say(GRASPED if self._grasped[-1] else LET_GO)
        if (frame_index + 1) % self._fps == 0:
            self._say(SECOND)

    def episode_ended(self, length):
        return HookResult(suggestion=IntervalSet.from_mask(np.array(self._grasped[:length], dtype=np.bool_)))
