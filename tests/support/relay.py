"""A network between the page and its server that can be slow, out of order and lossy."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.deadline import wait_until


class Relay:
    """Passes requests on to the server at ``address``.

    Attributes:
        address: Where the page finds the server through the relay.
        delay_s: By the path, how long an answer is kept back.
        lost: By the path, what is lost: ``request``, ``answer``, or nothing.
        answered: Paths of all answers that were delivered.
    """

    def __init__(self, address: str) -> None:
        self.target = urlsplit(address)
        self.delay_s: Callable[[str], float] = lambda path: 0.0
        self.lost: Callable[[str], str | None] = lambda path: None
        self.answered: list[str] = []
        self.ends = threading.Event()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                relay.passes(self)

            def do_POST(self) -> None:
                relay.passes(self)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}{self.target.path}"

    def passes(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.split("/", 2)[2]
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        lost = self.lost(path)
        try:
            if lost == "request":
                raise ConnectionError
            assert self.target.port is not None
            onward = http.client.HTTPConnection("127.0.0.1", self.target.port)
            onward.request(request.command, request.path, body or None, dict(request.headers))
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            self.ends.wait(self.delay_s(path))
            if lost == "answer":
                raise ConnectionError
            request.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                    request.send_header(name, value)
            request.send_header("content-length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
            request.wfile.flush()
        except (OSError, http.client.HTTPException):
            request.close_connection = True
        else:
            self.answered.append(path)

    def wait_answered(self, kind: str, count: int = 1) -> None:
        """Waits until so many further answers to paths with ``kind`` were delivered."""
        before = self._count(kind)
        wait_until(lambda: self._count(kind) >= before + count, f"no answer to {kind}")

    def _count(self, kind: str) -> int:
        return sum(kind in path for path in self.answered)

    def close(self) -> None:
        self.ends.set()
        self._server.shutdown()
        self._server.server_close()
