"""Labeler ``vlm``: asks a vision-language model which frames of a contact sheet are success."""

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
    """Asks a vision-language model."""

    # address of an OpenAI-compatible API; a remote address means that images leave this machine
    endpoint: str = "http://127.0.0.1:8000/v1"
    # name of the model there
    model: str = ""
    # what a success frame must show (default: the task has been done)
    definition: str | None = None
    # one camera (default: all, one sheet each)
    camera_key: str | None = None
    # maximum number of frames on a sheet, evenly spaced
    frames: int = 48
    # maximum seconds for one answer
    timeout_s: float = 120.0
    # maximum number of requests per episode
    attempts: int = 2
    # environment variable with the API's key (default: send no key)
    key_variable: str | None = None

    @property
    def notice(self) -> str:
        chat = self._chat()
        return "" if chat.is_local else f"images of the dataset are sent to {chat.host or chat.endpoint}"

    def make(self, source: Source) -> VlmLabeler:
        """The labeler; the model is not asked yet.

        Raises:
            UsageError: With all errors of the settings.
        """
        cameras = source.reader.info.camera_keys
        problems = (
            [] if self.model else [Problem("bad-value", "vlm: the model is missing", hint="--labeler.model")]
        )
        for name in ("frames", "attempts", "timeout_s"):
            if getattr(self, name) < 1:
                problems.append(
                    Problem("bad-value", f"vlm: {name} must be 1 or more, not {getattr(self, name)}")
                )
        if self.camera_key not in (None, *cameras) or not cameras:
            message = (
                f"vlm: dataset {source.repo_id} has no "
                f"camera{f' {self.camera_key!r}' if self.camera_key else 's'}"
            )
            problems.append(
                Problem("missing-camera", message, hint=f"it has: {', '.join(cameras) or 'none'}")
            )
        if self.key_variable is not None and not os.environ.get(self.key_variable):
            message = f"vlm: the environment variable {self.key_variable} is not set"
            problems.append(Problem("bad-value", message, hint="it must contain the API's key"))
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
                        "content": f"This answer cannot be used: {error}. Answer with the JSON object alone.",
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
    """Success frames, confidence and reason of a model's answer, ignoring text around the JSON object.

    Args:
        answer: The text.
        length: Frames of the episode, which the answer numbers from 1.

    Raises:
        ValueError: The object is missing, or its ranges are not frames of the episode.
    """
    said = last_object(answer, "ranges")
    if said is None:
        raise ValueError(f"no JSON object with `ranges`: {shortened(answer)}")
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
