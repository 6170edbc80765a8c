"""The page's HTTP side: routes over one ``Session`` and its ``Images``."""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.labels import SuccessRule
from lerobot_grasp_plugin.dataset.recorded_success import read_rule
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.merging.label_text import ChangedOutsideError
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.review.body import (
    NAME,
    changes_of,
    known_episode,
    note_of,
    read_body,
    whole_number,
    words_of,
)
from lerobot_grasp_plugin.review.change import OvertakenError
from lerobot_grasp_plugin.review.images import CHUNK, Images
from lerobot_grasp_plugin.review.proposals import Proposals
from lerobot_grasp_plugin.review.security import Guard
from lerobot_grasp_plugin.review.session import Session
from lerobot_grasp_plugin.review.signals import signals
from lerobot_grasp_plugin.review.statistics import statistics

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_LOOK_S = 0.2
_UNLISTED: tuple[Literal["error", "fail", "keep", "drop"], ...] = ("error", "fail", "keep", "drop")

type Handler = Callable[[Request], Awaitable[Response]]


class Review:
    """Answers of the page.

    Args:
        session: The labels.
        images: The frames.
        proposals: Proposals of labelers.
        output_dir: Folder for datasets written with the labels.
        render: A report as text.
    """

    def __init__(
        self,
        session: Session,
        images: Images,
        proposals: Proposals,
        output_dir: Path,
        render: Callable[[MergeReport], str],
    ) -> None:
        self.session, self.images, self.proposals = session, images, proposals
        self.output_dir, self.render = output_dir, render
        self._rule: SuccessRule | None = None
        self.cameras = session.source.reader.info.camera_keys

    async def state(self, request: Request) -> Response:
        """The dataset, without images and curves."""
        session, reader = self.session, self.session.source.reader
        info = reader.info
        sizes = [info.features[camera].image_size for camera in self.cameras]
        return JSONResponse(
            {
                "dataset": session.source.repo_id,
                "file": session.path.name,
                "fps": info.fps,
                "cameras": list(self.cameras),
                "tasks": [" · ".join(reader.episode_tasks(i)) for i in range(len(session.lengths))],
                "aspects": [width / height for height, width in sizes],
                "chunk": CHUNK,
                "labelers": self.proposals.names,
                "tracks": self.proposals.has_tracks,
                "lengths": session.lengths,
                "new_name": f"{session.source.title}_labelled",
                "news": await run_in_threadpool(self._news, -1),
            }
        )

    async def news(self, request: Request) -> Response:
        """The changes since the answer with the serial number in the address."""
        return JSONResponse(await run_in_threadpool(self._news, request.path_params["after"]))

    def _news(self, after: int) -> dict[str, Any]:
        session = self.session
        serial, episodes = session.news(after)
        trouble = session.trouble()
        return {
            "serial": serial,
            "labels": {
                str(episode): {
                    "ranges": _plain(session.labels.get(episode)),
                    "changed": session.changed(episode),
                }
                for episode in episodes
            },
            "notes": {
                str(episode): {"flag": note.flag, "note": note.note}
                for episode, note in session.notes.items()
            },
            "definition": session.definition,
            "index_base": session.index_base,
            "trouble": trouble,
            "changed_outside": trouble is None and session.changed_outside(),
        }

    async def signals(self, request: Request) -> Response:
        """Curves of one episode."""
        episode = self._episode(request)
        return JSONResponse(await run_in_threadpool(self._signals, episode))

    def _signals(self, episode: int) -> dict[str, Any]:
        reader = self.session.source.reader
        if self._rule is None:
            self._rule = read_rule(reader, [episode])
        return signals(reader, episode, self._rule)

    async def proposal(self, request: Request) -> Response:
        """The proposal of one labeler for one episode."""
        episode, labeler = self._episode(request), int(request.path_params["labeler"])
        if labeler >= len(self.proposals.names):
            raise HTTPException(404)
        return JSONResponse(await run_in_threadpool(self.proposals.of, labeler, episode))

    async def statistics(self, request: Request) -> Response:
        """Figures of the whole dataset."""
        return JSONResponse(await run_in_threadpool(statistics, self.session))

    async def strip(self, request: Request) -> Response:
        """Neighbouring thumbnails as one image."""
        episode, camera = self._episode(request), self._camera(request)
        chunk = request.path_params["chunk"]
        if chunk * CHUNK >= self.session.lengths[episode]:
            raise HTTPException(404)
        gone = threading.Event()
        work = asyncio.create_task(run_in_threadpool(self.images.strip, episode, camera, chunk, gone))
        while not (await asyncio.wait({work}, timeout=_LOOK_S))[0]:
            if await request.is_disconnected():
                gone.set()
        return Response(await work, media_type="image/jpeg")

    async def ahead(self, request: Request) -> Response:
        """Begins to decode an episode that will be viewed."""
        episode, camera = self._episode(request), self._camera(request)
        self.images.ahead(episode, camera)
        return JSONResponse({})

    async def frame(self, request: Request) -> Response:
        """One image in full size."""
        episode, camera = self._episode(request), self._camera(request)
        frame, exact = request.path_params["frame"], request.path_params["kind"] == "png"
        if frame >= self.session.lengths[episode]:
            raise HTTPException(404)
        data = await run_in_threadpool(self.images.frame, episode, camera, frame, exact=exact)
        return Response(data, media_type="image/png" if exact else "image/jpeg")

    async def change(self, request: Request) -> Response:
        """Applies the changes of a tab in order, up to one that is refused; answers with the news."""
        body = await read_body(request)
        serial, changes = whole_number(body, "serial"), changes_of(body, len(self.session.lengths))
        for change in changes:
            try:
                await run_in_threadpool(self.session.apply, change)
            except ValueError as error:
                refusal = HTTPException(400, f"not a list of success frames: {error}")
                return await _said(request, refusal, number=change.number)
            except (ChangedOutsideError, OvertakenError, GraspError, OSError) as error:
                return await _said(request, error, number=change.number)
        return JSONResponse(await run_in_threadpool(self._news, serial))

    async def load(self, request: Request) -> Response:
        """Reloads the file from disk; answers with the news."""
        serial = whole_number(await read_body(request), "serial")
        await run_in_threadpool(self.session.load)
        return JSONResponse(await run_in_threadpool(self._news, serial))

    async def note(self, request: Request) -> Response:
        """Sets the flag and note of an episode; answers with the news."""
        body = await read_body(request)
        serial, episode = whole_number(body, "serial"), known_episode(body, len(self.session.lengths))
        before, after = note_of(body, "before"), note_of(body, "after")
        return await self._written(serial, self.session.write_note, episode, before, after)

    async def definition(self, request: Request) -> Response:
        """Sets the definition of success; answers with the news."""
        body = await read_body(request)
        serial = whole_number(body, "serial")
        before, after = words_of(body, "before"), words_of(body, "after")
        return await self._written(serial, self.session.write_definition, before, after)

    async def _written(self, serial: int, write: Callable[..., None], *values: Any) -> Response:
        try:
            await run_in_threadpool(write, *values)
        except ValueError as error:
            raise HTTPException(400, f"this cannot be written to the file: {error}") from None
        return JSONResponse(await run_in_threadpool(self._news, serial))

    async def command(self, request: Request) -> Response:
        """The command that applies the labels."""
        return JSONResponse({"command": self._command(await read_body(request))})

    async def apply(self, request: Request) -> Response:
        """Relabels to a new dataset and returns the report."""
        config = self._config(await read_body(request))
        report = await run_in_threadpool(relabel, config)
        return JSONResponse({"report": self.render(report)})

    def _config(self, body: dict[str, Any]) -> RelabelConfig:
        name, unlisted = body.get("name"), body.get("unlisted", "error")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise HTTPException(400, "the name must consist of letters, digits, `_`, `-` and `.`")
        if unlisted not in _UNLISTED:
            raise HTTPException(400, f"unlisted must be one of {', '.join(_UNLISTED)}")
        return RelabelConfig(
            repo_id=self.session.source.repo_id if "/" in self.session.source.repo_id else None,
            root=self.session.source.reader.root,
            annotations=self.session.path,
            new_root=self.output_dir / name,
            unlisted=unlisted,
            index_base=self.session.asked_base,
            follow_links=self.session.follow_links,
        )

    def _command(self, body: dict[str, Any]) -> str:
        config = self._config(body)
        flags = [("root", config.root), ("annotations", config.annotations), ("new_root", config.new_root)]
        if config.unlisted != "error":
            flags.append(("unlisted", Path(config.unlisted)))
        if config.follow_links:
            flags.append(("follow_links", Path("true")))
        if config.index_base is not None:
            flags.append(("index_base", Path(str(config.index_base))))
        return "lerobot-grasp-relabel" + "".join(f" \\\n  --{flag} {_quoted(value)}" for flag, value in flags)

    def _episode(self, request: Request) -> int:
        episode = int(request.path_params["episode"])
        if episode >= len(self.session.lengths):
            raise HTTPException(404)
        return episode

    def _camera(self, request: Request) -> str:
        place = int(request.path_params["camera"])
        if place >= len(self.cameras):
            raise HTTPException(404)
        return self.cameras[place]


def create_app(review: Review, *, token: str, host: str) -> Starlette:
    """The ASGI application; every address begins with ``/token/``."""
    images = "images/{episode:int}/{camera:int}"
    addresses: list[tuple[str, Handler, str]] = [
        ("api/state", review.state, "GET"),
        ("api/signals/{episode:int}", review.signals, "GET"),
        ("api/proposals/{labeler:int}/{episode:int}", review.proposal, "GET"),
        ("api/statistics", review.statistics, "GET"),
        (images + "/strip/{chunk:int}", review.strip, "GET"),
        (images + "/ahead", review.ahead, "POST"),
        (images + "/frame/{frame:int}/{kind}", review.frame, "GET"),
        ("api/news/{after:int}", review.news, "GET"),
        ("api/change", review.change, "POST"),
        ("api/note", review.note, "POST"),
        ("api/definition", review.definition, "POST"),
        ("api/load", review.load, "POST"),
        ("api/command", review.command, "POST"),
        ("api/apply", review.apply, "POST"),
    ]
    routes = [Route(f"/{token}/{path}", answer, methods=[method]) for path, answer, method in addresses]
    for file in files("lerobot_grasp_plugin.review").joinpath("static").iterdir():
        kind = _KINDS[file.name.rpartition(".")[2]]
        address = "" if file.name == "index.html" else file.name
        routes.append(Route(f"/{token}/{address}", _static(file.read_bytes(), kind)))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, host=host)],
        exception_handlers={
            HTTPException: _said,
            GraspError: _said,
            ChangedOutsideError: _said,
            OvertakenError: _said,
            OSError: _said,
        },
    )


def _static(content: bytes, kind: str) -> Handler:
    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


async def _said(request: Request, error: Exception, number: int | None = None) -> Response:
    """The answer to an error; ``number`` is that of the change it concerns."""
    status, content = _answer(error)
    return JSONResponse({**content, "number": number}, status)


def _answer(error: Exception) -> tuple[int, dict[str, str]]:
    if isinstance(error, ChangedOutsideError):
        return 409, {"error": "the annotation file was changed outside of this page", "kind": "outside"}
    if isinstance(error, OvertakenError):
        return 409, {"error": "its labels were changed elsewhere"}
    if isinstance(error, HTTPException):
        return error.status_code, {"error": error.detail}
    if isinstance(error, OSError) and error.strerror:
        return 500, {"error": f"{error.strerror}: {error.filename}. Nothing was changed on disk."}
    return 422 if isinstance(error, GraspError) else 500, {"error": str(error)}


def _plain(ranges: tuple[FrameInterval, ...] | None) -> list[list[int | None]] | None:
    return None if ranges is None else [[item.start, item.stop] for item in ranges]


def _quoted(value: object) -> str:
    return shlex.quote(str(value))
