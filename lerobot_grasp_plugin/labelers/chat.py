"""Asks a model behind an OpenAI-compatible endpoint one question, and parses its answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import short

_MOST_BYTES = 2**20
_MOST_TOKENS = 4096
_SHOWN = 160
_TRANSIENT = (408, 425, 429)

type Message = Mapping[str, Any]


class NoAnswerError(Exception):
    """A question was not answered; another attempt may succeed."""


@dataclass(frozen=True)
class Chat:
    """A model behind an endpoint.

    Attributes:
        endpoint: Address of the API, such as ``http://127.0.0.1:8000/v1``.
        model: Name of the model there.
        timeout_s: Maximum seconds for one answer.
        key: Sent as bearer token; empty for none.
    """

    endpoint: str
    model: str
    timeout_s: float
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The host of the address; empty if the address has none."""
        try:
            return urlsplit(self.endpoint).hostname or ""
        except ValueError:
            return ""

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return self.host in ("127.0.0.1", "localhost", "::1")

    def answer(self, messages: Sequence[Message]) -> str:
        """The text of the model's answer.

        Raises:
            NoAnswerError: It came too late, is too long or is not an answer in the protocol, or the server
                is busy or failed.
            UsageError: Nothing listens there, or the server refuses the question (``endpoint-failed``).
        """
        import httpx

        asked = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": _MOST_TOKENS}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        address, ends = f"{self.endpoint.rstrip('/')}/chat/completions", time.monotonic() + self.timeout_s
        try:
            with (
                httpx.Client(timeout=self.timeout_s, trust_env=not self.is_local) as client,
                client.stream("POST", address, json=asked, headers=headers) as response,
            ):
                body = b""
                for part in response.iter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise NoAnswerError(f"the answer is longer than {_MOST_BYTES} bytes")
                    if time.monotonic() > ends:
                        raise NoAnswerError(f"no answer within {self.timeout_s:g} s")
                status = response.status_code
        except httpx.TimeoutException:
            raise NoAnswerError(f"no answer within {self.timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            hint = "start a server with an OpenAI-compatible API, or give its address with --labeler.endpoint"
            raise UsageError(
                Problem("endpoint-failed", f"cannot reach the server: {error}", self.endpoint, hint)
            ) from None
        except httpx.HTTPError as error:
            raise NoAnswerError(f"the connection failed: {error}") from None
        if status >= 500 or status in _TRANSIENT:
            raise NoAnswerError(f"the server answered with status {status}: {_shown(body)}")
        if status != 200:
            message = f"the server refuses the request with status {status}: {_shown(body)}"
            raise UsageError(Problem("endpoint-failed", message, address))
        return _content(body)


def _content(body: bytes) -> str:
    """The text of an answer in the protocol; a refusal is text, too."""
    try:
        message = json.loads(body)["choices"][0]["message"]
        content = message.get("content") or message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        content = None
    if not isinstance(content, str) or not content.strip():
        raise NoAnswerError(f"the server's answer contains no text of a model: {_shown(body)}")
    return content


def _shown(body: bytes) -> str:
    return shortened(body.decode("utf-8", "replace"))


def shortened(text: str) -> str:
    """A text on one line, shortened if long."""
    return short(" ".join(text.split()), _SHOWN)


def last_object(text: str, key: str) -> Mapping[str, Any] | None:
    """The last JSON object in a text that has a key, whatever surrounds it; None without one."""
    decoder, at, found = json.JSONDecoder(), text.find("{"), None
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end, value = at + 1, None
        if isinstance(value, dict) and key in value:
            found = value
        at = text.find("{", end)
    return found
