"""Labeler ``vlm``: a vision-language model looks at contact sheets and says which frames are success."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.labelers.chat import Chat, NoAnswerError, last_object, shortened
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.sources import Source

_PROMPT = """\
The {images} one episode of a robot recording as numbered frames, in order. The episode has {length} frames
at {fps:g} frames per second, numbered 1 to {length}; {shown}. The number of a frame is below it.
Task: {task}
A frame is success when: {definition}
Which frames are success? Answer with one JSON object and nothing else:
{{"ranges": [[first, last], ...], "confidence": 0.0 to 1.0, "reason": "one sentence"}}
Ranges are frame numbers, both ends included; "ranges" is empty when no frame is success."""


@LabelerConfig.register_subclass("vlm")
@dataclass
class VlmLabelerConfig(LabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Which model is asked, and what it is shown."""

    # address of an OpenAI-compatible API; images leave this machine where it is elsewhere
    endpoint: str = "http://127.0.0.1:8000/v1"
    # name of the model there
    model: str = ""
    # what must be seen in a success frame (without a value: the task has been done)
    definition: str | None = None
    # one camera (without a value: all, a sheet for each)
    camera_key: str | None = None
    # frames on a sheet, at most, evenly spaced
    frames: int = 48
    # seconds that one answer may take
    timeout_s: float = 120.0
    # how often one episode is asked about, at most
    attempts: int = 2
    # environment variable with the API's key (without a value: no key is sent)
    key_variable: str | None = None

    @property
    def notice(self) -> str:
        chat = self._chat()
        return "" if chat.is_local else f"images of the dataset are sent to {chat.host or chat.endpoint}"

    def make(self, source: Source) -> VlmLabeler:
        """The labeler; the model is not asked yet.

        Raises:
            UsageError: With everything that is wrong with the settings.
        """
        cameras = source.reader.info.camera_keys
        problems = (
            [] if self.model else [Problem("bad-value", "vlm: no model is named", hint="--labeler.model")]
        )
        for name in ("frames", "attempts", "timeout_s"):
            if getattr(self, name) < 1:
                problems.append(
                    Problem("bad-value", f"vlm: {name} is {getattr(self, name)}", hint="1 or more")
                )
        if self.camera_key not in (None, *cameras) or not cameras:
            message = f"{source.repo_id} has no camera {self.camera_key or 'at all'}"
            problems.append(
                Problem("missing-camera", message, hint=f"its cameras: {', '.join(cameras) or 'none'}")
            )
        if self.key_variable is not None and not os.environ.get(self.key_variable):
            message = f"vlm: the environment variable {self.key_variable} is not set"
            problems.append(Problem("bad-value", message, hint="it holds the API's key"))
        if problems:
            raise UsageError(problems)
        return VlmLabeler(self, self._chat(), source, [self.camera_key] if self.camera_key else list(cameras))

    def _chat(self) -> Chat:
        key = os.environ.get(self.key_variable, "") if self.key_variable else ""
        return Chat(self.endpoint, self.model, self.timeout_s, key)


class VlmLabeler:
    """Shows a model one contact sheet for each camera.

    Args:
        config: The settings.
        chat: The model.
        source: The dataset.
        cameras: The cameras to show.
    """

    def __init__(self, config: VlmLabelerConfig, chat: Chat, source: Source, cameras: list[str]) -> None:
        self._config, self._chat, self._source, self._cameras = config, chat, source, cameras

    def propose(self, episode: Episode) -> Proposal:
        stride = math.ceil(episode.length / self._config.frames)
        prompt = self._prompt(episode, stride)
        images = [
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{sheet}"}}
            for sheet in (self._sheet(episode, camera, stride) for camera in self._cameras)
        ]
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "text", "text": prompt}, *images]},
        ]
        answers: list[str] = []
        fault = ""
        for _ in range(self._config.attempts):
            try:
                answers.append(self._chat.answer(messages))
                success, confidence, reason = read_answer(answers[-1], episode.length)
            except NoAnswerError as error:
                fault = str(error)
                continue
            except ValueError as error:
                fault = f"the model's answer is not a proposal: {error}"
                messages += [
                    {"role": "assistant", "content": answers[-1]},
                    {
                        "role": "user",
                        "content": f"That cannot be used: {error}. Answer with the JSON object alone.",
                    },
                ]
                continue
            return Proposal(success, reason, confidence, record=self._record(prompt, answers))
        return Proposal(None, fault, record={**self._record(prompt, answers), "failure": fault})

    def _prompt(self, episode: Episode, stride: int) -> str:
        task = "; ".join(self._source.reader.episode_tasks(episode.index)) or "not stated"
        several = len(self._cameras) > 1
        return _PROMPT.format(
            images=f"{len(self._cameras)} images, one for each camera, show" if several else "image shows",
            length=episode.length,
            fps=episode.fps,
            shown="every frame is shown" if stride == 1 else f"one in {stride} is shown",
            task=task,
            definition=self._config.definition or "the task has been done",
        )

    def _sheet(self, episode: Episode, camera: str, stride: int) -> str:
        """A contact sheet as base64 of a JPEG file."""
        from lerobot_grasp_plugin.frames.contact_sheet import SheetText, draw_sheet

        shown = range(0, episode.length, stride)
        text = SheetText(
            self._source.title, episode.index, camera, "", episode.length, episode.fps, stride, index_base=1
        )
        buffer = io.BytesIO()
        draw_sheet(episode.images(camera, shown), text, None).save(buffer, "JPEG", quality=85)
        return base64.b64encode(buffer.getvalue()).decode("ascii")

    def _record(self, prompt: str, answers: list[str]) -> Mapping[str, Any]:
        return {
            "model": self._chat.model,
            "endpoint": self._chat.endpoint,
            "prompt": prompt,
            "answers": answers,
        }


def read_answer(answer: str, length: int) -> tuple[IntervalSet, float | None, str]:
    """Success frames, confidence and reason of a model's answer, whatever it says around the JSON object.

    Args:
        answer: The text.
        length: Frames of the episode, which the answer numbers from 1.

    Raises:
        ValueError: There is no such object, or its ranges are not frames of the episode.
    """
    said = last_object(answer, "ranges")
    if said is None:
        raise ValueError(f"it has no JSON object with `ranges`: {shortened(answer)}")
    pairs = said["ranges"]
    if not isinstance(pairs, list):
        raise ValueError(f"`ranges` is {shortened(str(pairs))}, not a list")
    intervals = []
    for pair in pairs:
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair)
        if not is_pair or not 1 <= pair[0] <= pair[1] <= length:
            frames = count(length, "frame")
            raise ValueError(f"{shortened(str(pair))} is not a range [first, last] of an episode of {frames}")
        intervals.append(FrameInterval(pair[0] - 1, pair[1]))
    confidence: Any = said.get("confidence")
    reason = said.get("reason")
    if type(confidence) not in (int, float) or not 0 <= confidence <= 1:
        confidence = None
    return (
        IntervalSet(intervals),
        None if confidence is None else float(confidence),
        reason if isinstance(reason, str) else "",
    )
