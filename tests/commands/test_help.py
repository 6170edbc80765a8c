"""Calls for help are answered with help, wherever the flag stands; every command runs as a module."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib import import_module

import pytest

from lerobot_grasp_plugin.commands.reference import help_of
from lerobot_grasp_plugin.commands.run import command
from lerobot_grasp_plugin.lerobot_seams.version import installed
from lerobot_grasp_plugin.version import VERSION
from tests.support.project import PROJECT

SCRIPTS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
MODULES = [place.partition(":")[0] for place in SCRIPTS.values()]


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
    main = command(lambda args: given.append(list(args or [])) or 0)
    main(["--robot.discover_packages_path=arms", "--robot.port", "x", "-h", "--config_path=none.json"])
    assert given == [["--robot.discover_packages_path=arms", "--help"]]


def test_every_command_prints_the_versions_and_imports_nothing_large():
    """Each is called in one process, where importing torch or lerobot fails."""
    program = (
        "import sys\n"
        "from importlib import import_module\n"
        "sys.modules.update(dict.fromkeys(['torch', 'lerobot', 'pandas', 'pyarrow']))\n"
        f"for module in {MODULES}:\n"
        "    assert import_module(module).main(['--root', 'x', '--version']) == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == f"lerobot_grasp_plugin {VERSION} (lerobot {installed()})\n" * len(MODULES)


def test_help_of_relabel_begins_with_what_a_call_must_give(capsys):
    with pytest.raises(SystemExit):
        import_module("lerobot_grasp_plugin.commands.relabel").main(["--help"])
    printed = capsys.readouterr().out
    assert printed.startswith(
        "usage: lerobot-grasp-relabel --root PATH --annotations PATH --new_root PATH [options]\n\n"
        "Writes the labels of an annotation file into a copy of a dataset.\n\nexample:\n"
    )
    options = re.findall(r"^  (--\w+)", printed, re.MULTILINE)
    needed = ["root", "repo_id", "annotations", "labels_from", "new_root", "new_repo_id", "in_place"]
    assert options[:8] == [f"--{name}" for name in [*needed, "exclude_flagged"]]
    assert options.index("--exclude_flagged") < options.index("--alignment")  # own, then inherited
    assert "default: None" not in printed


def test_help_lists_the_options_of_lerobot_when_all_are_asked_for():
    module = "lerobot_grasp_plugin.commands.learner"
    short, whole = (help_of(module, flag) for flag in ("--help", "--help_all"))
    assert len(short.splitlines()) < 150 < 1000 < len(whole.splitlines())
    for option in ("--dataset.annotations PATH", "--bc_steps INT", "--with_actor [BOOL]", "--config_path"):
        assert f"\n  {option}" in short
    assert "--policy.type" not in short
    assert "--help_all prints them." in short
    assert (
        whole.index("--bc_steps")
        < whole.index("OPTIONS OF LEROBOT.RL.LEARNER")
        < whole.index("--policy.type")
    )
    assert len(re.findall(r"^  --bc_steps ", whole, re.MULTILINE)) == 1


@pytest.mark.parametrize("module", MODULES)
def test_help_says_what_a_call_must_give(module, tmp_path, monkeypatch, capsys):
    """An option that help calls required is asked for where it is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["test"])
    guide = import_module(module).GUIDE
    if not guide.required:
        return
    found = []
    for given in ([], ["--root=x"], ["--labeler.type=column", "--output_path=x"]):
        with suppress(SystemExit):
            assert import_module(module).main(given) != 0
        found.append(capsys.readouterr().err)
    for entry in guide.required:
        assert any(f"--{name}" in text for name in entry.split("|") for text in found), entry


@pytest.mark.parametrize("module", MODULES)
def test_the_example_in_the_help_names_options_that_exist(module):
    example = import_module(module).GUIDE.example
    assert example.startswith(f"{import_module(module).PROGRAM} ")
    known = help_of(module, "--help_all")
    for option in re.findall(r"--[\w.]+", example):
        assert re.search(rf"^  {re.escape(option)}\b", known, re.MULTILINE), option


@pytest.mark.parametrize("program", SCRIPTS)
def test_every_command_runs_as_a_module(program, tmp_path):
    module = SCRIPTS[program].partition(":")[0]
    call = [sys.executable, "-m", module, "--config_path=none.json"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["diff", "edit"])
def test_help_of_the_data_commands_loads_nothing_slow(name):
    program = (
        f"import sys\nfrom lerobot_grasp_plugin.commands.{name} import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "slow = {'torch', 'lerobot', 'pandas', 'pyarrow', 'numpy', 'av'} & set(sys.modules)\n"
        "print('slow:', sorted(slow))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.endswith("slow: []\n")
