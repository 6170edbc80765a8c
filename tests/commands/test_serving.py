"""A page that is served, and ends."""

from __future__ import annotations

import subprocess
import sys

TWICE = """
import os, signal, socket, threading, time
from starlette.applications import Starlette
from lerobot_grasp_plugin.commands.serving import listen, serve

listening = listen("127.0.0.1", 0)
address = listening.getsockname()

def interrupt():
    with socket.create_connection(address) as asking:
        asking.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        asking.recv(1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.03)  # two at once are one
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
serve(Starlette(), listening)
"""


def test_an_impatient_interrupt_prints_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
