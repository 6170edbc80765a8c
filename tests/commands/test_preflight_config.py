"""How the preflight command reads the config and its own flags."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.preflight import main
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.config_checks import MACHINE, PARSING
from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import dump, sound, with_leader


def test_it_runs_without_the_learn_extra(tmp_path: Path) -> None:
    blocked = ["transformers", "grpc", "gym_hil", "placo", "accelerate", "wandb"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); "
        "from lerobot_grasp_plugin.commands.preflight import main; sys.exit(main())"
    )
    path = sound(tmp_path).write()
    done = subprocess.run(
        [sys.executable, "-c", program, f"--config_path={path}"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no findings"), done.stdout + done.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", None, '{"env": {}, "mode": "record"}'])
def test_an_unreadable_config_is_a_wrong_call(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError):
        preflight(path, parsing=PARSING, machine=MACHINE)
    assert main(["--config_path", str(path)]) == 2
    said = capsys.readouterr().err
    assert "config-unreadable" in said or "lerobot.rl.gym_manipulator, which records" in said


def test_the_datasets_folder_can_be_given_by_a_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = sound(tmp_path)
    case.set("dataset/root", "/no/such/dataset")
    path = case.write()
    assert preflight(path).codes == {"dataset-unreadable"}
    assert main(["--config_path", str(path), f"--dataset.root={case.root}"]) == 0
    assert "no findings" in capsys.readouterr().out


def test_a_plugin_flag_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sound(tmp_path).write()
    flag = "--env.discover_packages_path=lerobot_grasp_plugin"
    assert main(["--config_path", str(path), flag]) == 0
    assert "no findings" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--config_path", str(path), "--env.discover_packages_path=no_such_package"])
    assert ended.value.code == 2
    assert "no_such_package" in capsys.readouterr().err


def test_lerobots_parser_has_the_last_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = sound(tmp_path)
    with_leader(case)  # a teleoperator of this package
    path = case.write()
    assert main(["--config_path", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 note"
    case.config["polcy"] = {}
    dump(path, case.config)
    assert main(["--config_path", str(path)]) == 1
    output = capsys.readouterr().out
    assert "config-rejected" in output
    assert "polcy" in output
    assert json.loads(path.read_text())["polcy"] == {}  # nothing is written
