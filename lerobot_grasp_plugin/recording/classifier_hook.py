"""``reward_classifier``: suggests success from a trained classifier's probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lerobot_grasp_plugin.core.hysteresis import success_ranges
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.labelers.thresholds import threshold_problems
from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, HookSession, RecordingHook


@HookConfig.register_subclass("reward_classifier")
@dataclass
class RewardClassifierConfig(HookConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Suggests success by a trained reward classifier."""

    # the checkpoint's pretrained_model folder, as in env.processor.reward_classifier.pretrained_path
    pretrained_path: str = ""
    # a suggested success range begins above this probability
    enter: float = 0.5
    # and lasts while the probability is above this one
    leave: float = 0.25
    # shorter success ranges are not suggested, and shorter gaps are closed; in frames
    min_length: int = 3

    def make(self) -> RecordingHook:
        """The hook, with the classifier loaded.

        Raises:
            UsageError: The checkpoint does not exist, or the probabilities contradict each other.
        """
        if problems := list(threshold_problems(self.type, self.enter, self.leave, self.min_length)):
            raise UsageError(problems)
        return RewardClassifier(self)


class RewardClassifier(RecordingHook):
    """Runs the classifier on frames in its own thread.

    A frame that arrives while another one is being classified is skipped, so that the loop never waits;
    the result is always that of the newest frame. In the sidecar a skipped frame has ``null``.

    Args:
        config: With the checkpoint's folder.

    Raises:
        UsageError: The checkpoint cannot be loaded.
    """

    def __init__(self, config: RewardClassifierConfig) -> None:
        self._config = config
        self._judge = FrameJudge(Path(config.pretrained_path).expanduser())
        # one thread of torch's, too: the loop and the cameras need the rest of the machine
        self._worker = ThreadPoolExecutor(
            1, "reward_classifier", initializer=torch.set_num_threads, initargs=(1,)
        )
        self._judging: tuple[int, Future[float]] | None = None
        self._verdicts: dict[int, float] = {}
        self._success = False

    def session_started(self, session: HookSession) -> None:
        self._session = session
        cameras = {
            name: tuple(item["shape"]) for name, item in session.features.items() if len(item["shape"]) == 3
        }
        if problems := list(self._judge.problems_of(cameras)):
            raise UsageError(problems)
        if self._judge.whole:
            session.say("reward_classifier: the checkpoint states no crop; whole images are used")
        black = {key: np.zeros(cameras[key], np.uint8) for key in self._judge.camera_keys}
        self._worker.submit(self._judge.probability, black).result()  # the first result is slow

    def episode_started(self, episode_index: int) -> None:
        self._judging, self._verdicts, self._success = None, {}, False

    def frame(self, frame_index: int, frame: Mapping[str, Any]) -> None:
        if self._judging is not None:
            if not self._judging[1].done():
                return
            self._take_verdict()
        images = {key: frame[key] for key in self._judge.camera_keys}
        self._judging = (frame_index, self._worker.submit(self._judge.probability, images))

    def episode_ended(self, length: int) -> HookResult:
        self._take_verdict()
        judged = sorted(self._verdicts)
        record = {"judged_frames": len(judged)}
        probability = {"probability": [self._verdicts.get(frame) for frame in range(length)]}
        if not judged:
            return HookResult(record, per_frame=probability)
        filled = np.interp(np.arange(length), judged, [self._verdicts[frame] for frame in judged])
        config = self._config
        ranges = success_ranges(filled, enter=config.enter, leave=config.leave, min_length=config.min_length)
        return HookResult(record, ranges, probability)

    def session_ended(self) -> None:
        self._worker.shutdown()

    def _take_verdict(self) -> None:
        """Waits for the pending result, and shows when the classifier's result changes."""
        if self._judging is None:
            return
        (frame, judged), self._judging = self._judging, None
        probability = judged.result()
        self._verdicts[frame] = round(probability, 4)
        if (probability > (self._config.leave if self._success else self._config.enter)) != self._success:
            self._success = not self._success
            word = "success" if self._success else "failure"
            self._session.say(
                f"  reward_classifier: {word} at frame {frame + 1}, probability {probability:.2f}"
            )
