"""A command in a fork of a process with its libraries runs as it would by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import preloaded
from tests.support.deadline import DEADLINE_S
from tests.support.talking import Talk

pytestmark = pytest.mark.in_turn

LOOK = """
import json, os, signal, sys
print(json.dumps({
    "libraries": "torch" in sys.modules,
    "lerobot": "lerobot" in sys.modules,
    "module": getattr(sys.modules["__main__"].__spec__, "name", None),
    "arguments": sys.argv[1:],
    "variables": {name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    "path": "/first" in sys.path,
    "folder": os.getcwd(),
    "terminals": [os.isatty(stream) for stream in range(3)],
    "open": sorted(map(int, os.listdir("/proc/self/fd")))[:4],
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "child": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
}))
print("to stderr", file=sys.stderr)
sys.exit(7)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("kind", ["-c", "-m", "script"])
def test_it_is_started_as_python_would_start_it(
    kind: str, unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "look.py").write_text(LOOK)
    call = {"-c": ["-c", LOOK], "-m": ["-m", "look"], "script": [tmp_path / "look.py"]}[kind]
    monkeypatch.chdir(tmp_path)
    own = {"ONLY": "here", "PYTHONPATH": f"/first:{tmp_path}", "PYTHONUNBUFFERED": unbuffered}
    found = []
    for forked in (True, False):
        process = preloaded.start([sys.executable, *call, "a", "b c"], {**os.environ, **own}, forked=forked)
        printed = process.stdout.read().decode()
        assert process.wait(DEADLINE_S) == 7
        found.append(printed.replace('"libraries": true', '"libraries": false'))
        assert ('"libraries": true' in printed) == forked
    assert '"interrupt": true' in found[0]  # Python itself ignores it where the tests run in the background
    assert found[0] == found[1].replace('"interrupt": false', '"interrupt": true')


def test_it_can_be_waited_for_and_killed() -> None:
    call = [sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"]
    process = preloaded.start(call, os.environ)
    assert process.stdout.readline() == b"ready\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait(DEADLINE_S) == process.poll() == process.returncode == -signal.SIGKILL
    process.kill()  # nothing happens
    assert process.stdout.read() == b""


def test_it_reads_keys_from_a_terminal() -> None:
    talk = Talk()
    talk.begin([sys.executable, "-c", "print(input('key? '), 'was read')"], os.environ)
    talk.send("x\n")
    talk.expect("x was read")
    assert talk.finish() == (0, "\n")
