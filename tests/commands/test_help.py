"""Calls for help are answered with help, wherever the flag stands."""

from __future__ import annotations

from importlib import import_module

import pytest

from lerobot_grasp_plugin.commands.run import command


@pytest.mark.parametrize(
    "name", ["verify", "relabel", "merge", "frames", "publish", "truth", "demo", "review", "preflight"]
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
