"""A small server that speaks the OpenAI protocol as far as the labeler ``vlm`` needs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class ChatServer:
    """Answers each question with the next of its answers, the last one again and again.

    Attributes:
        endpoint: Its address.
        asked: The questions so far, with their headers.
    """

    def __init__(self, answers: list[Answer]) -> None:
        self.asked: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/chat/completions"
                number = len(outer.asked)
                outer.asked.append((body, dict(self.headers)))
                answers[min(number, len(answers) - 1)](self, body)

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1"


@contextmanager
def serving(*answers: Answer) -> Iterator[ChatServer]:
    chat = ChatServer(list(answers))
    thread = threading.Thread(target=chat.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield chat
    finally:
        chat.ended.set()
        chat.server.shutdown()
        chat.server.server_close()
        thread.join()


def raw(body: bytes, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def says(text: str, field: str = "content") -> Answer:
    message = {"role": "assistant", "content": None} | {field: text}
    return raw(json.dumps({"choices": [{"index": 0, "message": message}]}).encode())


def proposes(ranges: object, **others: object) -> Answer:
    return says(json.dumps({"ranges": ranges, **others}))


def hangs(chat: list[ChatServer]) -> Answer:
    """Sends headers and then a byte now and then, until the server ends."""

    def answer(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not chat[0].ended.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            return

    return answer


def breaks_off(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def floods(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(64):
            handler.wfile.write(b"x" * 2**16)
    except OSError:
        return
