"""Serves a page on this machine: the socket, the address with its token, and the server."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.addresses import reachable
from lerobot_grasp_plugin.findings.problem import Problem, UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette


def check_port(port: int) -> None:
    """Refuse a number that cannot be a port.

    Raises:
        UsageError: It is below 0 or above 65535.
    """
    if not 0 <= port <= 65535:
        raise UsageError(Problem("bad-value", f"port must be 0 to 65535, not {port}"))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        UsageError: The server cannot listen at this address.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        message = f"cannot serve at {host}:{port}: {error.strerror or error}"
        raise UsageError(Problem("bad-address", message, hint="choose another --port or --host")) from None
    listening.listen(128)
    return listening


def warn_of_visitors(host: str, can: str) -> None:
    """Print a warning where other machines can reach the page.

    Args:
        host: The address it is served at.
        can: What anyone with the address can do there.
    """
    from lerobot_grasp_plugin.review.security import is_loopback

    if not is_loopback(host):
        reached = f"warning: other machines can reach this page at {host}; anyone with the address can {can}"
        print(f"{reached}; the connection is not encrypted", file=sys.stderr)


def print_addresses(host: str, listening: socket.socket, token: str) -> None:
    """Print what to open in a browser: a line for each address of this machine that ``host`` stands for."""
    for name in reachable(host):
        written = f"[{name}]" if ":" in name else name
        print(f"Open http://{written}:{listening.getsockname()[1]}/{token}/")


def serve(app: Starlette, listening: socket.socket) -> None:
    """Answer until Ctrl+C."""
    try:
        _server(app).run(sockets=[listening])
    except KeyboardInterrupt:
        return
    finally:
        listening.close()


@contextmanager
def served(app: Starlette, listening: socket.socket) -> Iterator[None]:
    """Answer on another thread, until the block ends."""
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _server(app: Starlette) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    return uvicorn.Server(config)
