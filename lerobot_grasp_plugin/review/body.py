"""Parses and checks the body of a request."""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from lerobot_grasp_plugin.core.episode_notes import EpisodeNote
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.review.change import Change

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
"""The pattern of names of tabs and of new datasets."""
_MOST_WORDS = 1000


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object in a request."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "expected JSON")
    try:
        body = await request.json()
    except ValueError:
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "expected an object")
    return body


def whole_number(body: dict[str, Any], name: str) -> int:
    """A number from 0."""
    value = body.get(name)
    if not isinstance(value, int) or value < 0:
        raise HTTPException(400, f"{name} must be an integer from 0")
    return value


def words_of(body: dict[str, Any], name: str) -> str | None:
    """Some text, or None."""
    words = body.get(name)
    if words is not None and (not isinstance(words, str) or len(words) > _MOST_WORDS):
        raise HTTPException(400, f"{name} must be text of at most {_MOST_WORDS} characters, or null")
    return words


def note_of(body: dict[str, Any], name: str) -> EpisodeNote:
    """A flag and a note."""
    note = body.get(name)
    if not isinstance(note, dict):
        raise HTTPException(400, f"{name} must be an object with flag and note")
    return EpisodeNote(words_of(note, "flag"), words_of(note, "note"))


def _intervals(ranges: Any) -> list[FrameInterval] | None:
    return None if ranges is None else [FrameInterval(start, stop) for start, stop in ranges]


def known_episode(body: dict[str, Any], count: int) -> int:
    """The episode in a body, of ``count`` episodes."""
    episode = whole_number(body, "episode")
    if episode >= count:
        raise HTTPException(400, "the dataset does not have this episode")
    return episode


def changes_of(body: dict[str, Any], count: int) -> list[Change]:
    """The changes of a tab, in their order."""
    tab, changes = body.get("tab"), body.get("changes")
    if not isinstance(tab, str) or not NAME.fullmatch(tab):
        raise HTTPException(400, "tab must consist of letters, digits, `_`, `-` and `.`")
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise HTTPException(400, "changes must be a list of objects")
    return [_change(tab, change, count) for change in changes]


def _change(tab: str, body: dict[str, Any], count: int) -> Change:
    episode, number = known_episode(body, count), whole_number(body, "number")
    try:
        return Change(tab, number, episode, _intervals(body["before"]), _intervals(body["after"]))
    except (KeyError, TypeError, ValueError) as error:
        raise HTTPException(400, f"not a list of success frames: {error}") from None
