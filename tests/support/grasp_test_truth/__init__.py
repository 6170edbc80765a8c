"""A hook that tells what the physics say, as a person sees it who stands next to the simulated arm."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, HookSession, RecordingHook
from lerobot_grasp_plugin.recording.recorder import EpisodeRecorder
from lerobot_grasp_plugin.sim.world import World

PRESS = "the person presses the key now"
OVER = "the attempt is over"
_REACTION = (2, 4)  # frames from what is seen to the key


@HookConfig.register_subclass("show_truth")
@dataclass
class ShowTruthConfig(HookConfig):
    attempt_frames: int = 0
    seed: int = 0

    def make(self) -> ShowTruth:
        return ShowTruth(self)


class ShowTruth(RecordingHook):
    """Asks for the key some frames after the cube was grasped or let go, and waits until it was pressed.

    So the key belongs to the same frame on every machine. Afterwards it says which frames show the cube
    grasped. A hook is called when the action has been carried out: what it sees then is on the next frame's
    image.
    """

    def __init__(self, config: ShowTruthConfig) -> None:
        self._attempt_frames = config.attempt_frames
        self._chance = random.Random(config.seed)
        self._pressed = threading.Event()
        press = EpisodeRecorder.press

        def heard(recorder: EpisodeRecorder, action: Any, pressed: Any) -> None:
            press(recorder, action, pressed)
            self._pressed.set()

        EpisodeRecorder.press = heard  # type: ignore[assignment, method-assign]  # a double

    def session_started(self, session: HookSession) -> None:
        self._say = session.say

    def episode_started(self, episode_index: int) -> None:
        self._grasped = [World.current.truth().grasped]
        self._marked = False
        self._due: int | None = None

    def frame(self, frame_index: int, frame: Any) -> None:
        self._grasped.append(World.current.truth().grasped)
        if self._grasped[-1] != self._grasped[-2]:
            self._due = frame_index + self._chance.randint(*_REACTION) - 1
        if (
            frame_index == self._due
            and self._grasped[-1] != self._marked
            and frame_index < self._attempt_frames
        ):
            self._marked = not self._marked
            self._pressed.clear()
            self._say(PRESS)
            self._pressed.wait()
        if frame_index == self._attempt_frames:
            self._say(OVER)

    def episode_ended(self, length: int) -> HookResult:
        return HookResult(suggestion=IntervalSet.from_mask(np.array(self._grasped[:length], dtype=np.bool_)))
