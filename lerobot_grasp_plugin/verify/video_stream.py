"""The parameters of a video stream against what ``info.json`` says of the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lerobot_grasp_plugin.core.codecs import canonical_codec
from lerobot_grasp_plugin.findings.problem import Place, Problem, Severity
from lerobot_grasp_plugin.verify.place import count
from lerobot_grasp_plugin.video.samples import VideoSamples

_DECODES = "LeRobot decodes what the file has, but its tools and lerobot-grasp-merge go by info.json"


class StreamCheck:
    """Collects what differs in the files of one camera; alike files make one finding."""

    def __init__(self, key: str, feature: Mapping[str, Any], fps: float) -> None:
        self._key = key
        self._size = _declared_size(feature)
        info = feature.get("info") or feature.get("video_info") or {}
        self._info: Mapping[str, Any] = info if isinstance(info, dict) else {}
        self._fps = fps
        self._found: dict[tuple[str, str], list[Problem]] = {}

    def see(self, samples: VideoSamples, episode: int) -> None:
        """Compares one file; ``episode`` is the first one in it."""
        for code, message, hint, severity in self._differences(samples):
            place = Place(str(samples.path), episode=episode)
            problem = Problem(code, f"{self._key!r}: {message}", place, hint, severity=severity)
            self._found.setdefault((code, message), [problem]).append(problem)

    def found(self) -> Iterator[Problem]:
        """The findings, each at its first file."""
        for problem, *alike in self._found.values():
            more = f"; the same in {count(len(alike) - 1, 'more file')}" if len(alike) > 1 else ""
            yield replace(problem, text=problem.text + more)

    def _differences(self, samples: VideoSamples) -> Iterator[tuple[str, str, str, Severity]]:
        stream, info = samples.signature, self._info
        height, width = stream.height, stream.width
        if self._size is not None and (height, width) not in self._size:
            wanted = " or ".join(f"{h} x {w}" for h, w in self._size)
            message = f"images are {height} x {width} (height x width), shape in info.json says {wanted}"
            hint = "LeRobot hands out the images as they are; batches and policies expect the shape"
            yield "video-wrong-size", message, hint, "error"
        for name, real in (("height", height), ("width", width)):
            said = info.get(f"video.{name}", real)
            if said != real and (self._size is None or (height, width) in self._size):
                yield "video-wrong-info", f"{name} is {real}, info.json says {said!r}", _DECODES, "warning"
        codec = info.get("video.codec")
        if isinstance(codec, str) and canonical_codec(codec.lower()) != stream.codec:
            yield "video-wrong-codec", f"codec is {stream.codec}, info.json says {codec}", _DECODES, "warning"
        pixels = info.get("video.pix_fmt")
        if isinstance(pixels, str) and stream.pix_fmt is not None and pixels != stream.pix_fmt:
            message = f"pix_fmt is {stream.pix_fmt}, info.json says {pixels}"
            yield "video-wrong-pix-fmt", message, _DECODES, "warning"
        rate = info.get("video.fps")
        if isinstance(rate, (int, float)) and abs(rate - self._fps) > 1e-3 * self._fps:
            message = f"info.json says {rate} fps for the camera and {self._fps:g} for the dataset"
            yield "video-wrong-info", message, _DECODES, "warning"
        audio = info.get("has_audio")
        if isinstance(audio, bool) and audio != bool(samples.audio_streams):
            holds = "has" if samples.audio_streams else "does not have"
            message = f"the file {holds} an audio stream, info.json says has_audio {str(audio).lower()}"
            yield "video-audio", message, "LeRobot does not read it", "note"
        if not samples.upright:
            message = "the header turns or mirrors the images"
            hint = "torchcodec, LeRobot's default reader, follows it, pyav does not: write the file without"
            yield "video-turned", message, hint, "error"
        if samples.video_streams > 1:
            message = f"{samples.video_streams} video streams in one file"
            hint = "LeRobot's pyav reader takes the first, torchcodec the one it thinks best"
            yield "video-extra-stream", message, hint, "warning"
        if samples.descriptions > 1:
            message = f"{samples.descriptions} sample descriptions: the coding changes within the file"
            hint = "check it with --level decode; lerobot-grasp-merge refuses it"
            yield "video-mixed-parameters", message, hint, "warning"


def _declared_size(feature: Mapping[str, Any]) -> Sequence[tuple[int, int]] | None:
    """Height and width by ``shape``; both readings where ``names`` does not say which axis is which."""
    shape, names = feature.get("shape"), feature.get("names")
    if not isinstance(shape, (list, tuple)) or len(shape) != 3:
        return None
    if isinstance(names, (list, tuple)) and {"height", "width"} <= {str(name) for name in names}:
        axes = [str(name) for name in names]
        if len(axes) == 3:
            return [(shape[axes.index("height")], shape[axes.index("width")])]
    if shape[0] in (1, 3) and shape[2] not in (1, 3):
        return [(shape[1], shape[2])]
    return [(shape[0], shape[1])]
