"""Checks the token, the Host and the Origin of every request."""

from __future__ import annotations

import ipaddress
import secrets

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to ``host``."""
    return host in _LOOPBACK or host.startswith("127.")


class Guard:
    """Lets a request through when its path begins with the token and its headers name this server.

    Args:
        app: The application that answers it.
        token: First part of every path.
        host: The address the server is bound to.
    """

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        self.app, self.token, self.host = app, token, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        given = scope["path"].split("/")[1]
        if not self._known(host):
            refusal = "unknown Host"
        elif origin is not None and origin != f"http://{host}":
            refusal = "requests from other sites are refused"
        elif scope["method"] != "GET" and origin is None:
            refusal = "a change needs an Origin header"
        elif not secrets.compare_digest(given.encode(), self.token.encode()):
            refusal = "open the address that the command printed: it ends in a token"
        else:
            return await self.app(scope, receive, _hardened(send))
        return await PlainTextResponse(refusal, 403)(scope, receive, _hardened(send))

    def _known(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]")
        if name in _LOOPBACK or name == self.host:
            return True
        if is_loopback(self.host):
            return False
        try:  # bound to every address: an IP address cannot be a rebound name
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _hardened(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *own]
        await send(message)

    return sending
