"""Serves a page with a robot's images and a reward classifier's probability of success."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge
from lerobot_grasp_plugin.review.security import Guard

_STATIC = {"": ("live.html", "text/html"), "live.js": ("live.js", "text/javascript")}
_STATIC["live.css"] = ("live.css", "text/css")
_PREFIX = "observation.images."


class LiveClassifier:
    """Reads a robot's cameras in a loop, and keeps the last images with their probability.

    Attributes:
        threshold: Probability from which on the page shows success.
    """

    def __init__(
        self, robot: Any, judge: FrameJudge, *, fps: int, threshold: float, teleop: Any = None
    ) -> None:
        """Args:
        robot: Of LeRobot, connected.
        judge: The classifier.
        fps: Maximum number of images per second.
        threshold: The initial threshold.
        teleop: Of LeRobot, connected: its actions move the robot. None for a robot without motion.

        Raises:
            UsageError: The robot lacks cameras that the classifier uses.
        """
        shapes = {
            f"{_PREFIX}{name}": shape
            for name, shape in robot.observation_features.items()
            if isinstance(shape, tuple)
        }
        if problems := list(judge.problems_of(shapes)):
            raise UsageError(problems)
        self._robot, self._judge, self._teleop = robot, judge, teleop
        self._period = 1.0 / fps
        self.threshold = threshold
        self._latest: tuple[int, float, Mapping[str, NDArray[np.uint8]]] | None = None
        self._began = time.monotonic()

    def run(self) -> None:
        """Loop until Ctrl+C, on this thread: a simulated robot renders on the one that connected it."""
        try:
            while True:
                started = time.monotonic()
                self.step()
                time.sleep(max(0.0, self._period - (time.monotonic() - started)))
        except KeyboardInterrupt:
            return

    def step(self) -> None:
        """Move the robot by the teleoperator's action, read its cameras, and classify their images."""
        if self._teleop is not None:
            self._robot.send_action(self._teleop.get_action())
        observation = self._robot.get_observation()
        images = {key: observation[key.removeprefix(_PREFIX)] for key in self._judge.camera_keys}
        number = 0 if self._latest is None else self._latest[0] + 1
        self._latest = number, self._judge.probability(images), images

    def latest(self) -> dict[str, Any]:
        """The last images as JSON types: number, probability, threshold, rate per second, images as JPEG."""
        if self._latest is None:
            return {"number": -1, "threshold": self.threshold}
        number, probability, images = self._latest
        return {
            "number": number,
            "probability": round(probability, 4),
            "threshold": self.threshold,
            "per_second": round((number + 1) / max(1e-9, time.monotonic() - self._began), 1),
            "images": {key: _jpeg(image) for key, image in images.items()},
        }


def live_app(live: LiveClassifier, *, token: str, host: str) -> Starlette:
    """The page; every address begins with ``/token/``."""

    def latest(request: Request) -> Response:
        return JSONResponse(live.latest())

    async def threshold(request: Request) -> Response:
        try:
            value = float((await request.json())["threshold"])
        except (TypeError, KeyError, ValueError):
            raise HTTPException(400, "the threshold must be a number") from None
        if not 0 < value < 1:
            raise HTTPException(400, "the threshold must be between 0 and 1")
        live.threshold = round(value, 4)
        return JSONResponse({"threshold": live.threshold})

    routes = [
        Route(f"/{token}/api/latest", latest, methods=["GET"]),
        Route(f"/{token}/api/threshold", threshold, methods=["POST"]),
        *(Route(f"/{token}/{path}", _static(*what)) for path, what in _STATIC.items()),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, host=host)])


def _static(name: str, kind: str) -> Any:
    content = files("lerobot_grasp_plugin.recording").joinpath("static", name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _jpeg(image: NDArray[np.uint8]) -> str:
    target = io.BytesIO()
    Image.fromarray(image).save(target, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode()
