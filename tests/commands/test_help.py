"""Calls for help are answered with help, wherever the flag stands; every command runs as a module."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.run import command

SCRIPTS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize(
    "name",
    [
        "verify",
        "relabel",
        "merge",
        "frames",
        "propose",
        "compare",
        "publish",
        "truth",
        "demo",
        "review",
        "preflight",
    ],
)
@pytest.mark.parametrize("args", [["--root", "X", "--help"], ["--num=x", "-h"], ["--config_path", "--help"]])
def test_help_anywhere_shows_help(name, args, capsys):
    main = import_module(f"lerobot_grasp_plugin.commands.{name}").main
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: lerobot-grasp-")
    assert err == ""


def test_help_keeps_the_packages_that_add_options():
    given: list[list[str]] = []
    main = command(lambda args: given.append(list(args)) or 0)
    main(["--robot.discover_packages_path=arms", "--robot.port", "x", "-h", "--config_path=none.json"])
    assert given == [["--robot.discover_packages_path=arms", "--help"]]


@pytest.mark.parametrize("program", SCRIPTS)
def test_every_command_runs_as_a_module(program, tmp_path):
    module = SCRIPTS[program].partition(":")[0]
    call = [sys.executable, "-m", module, "--config_path=none.json"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr
