"""``lerobot-grasp-merge`` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.merge import main
from tests.support.command_call import ended_by
from tests.support.factories import read_info, tree
from tests.support.lerobot_judge import open_set

type Recorded = Callable[[str], Path]

SCRIPT = str(Path(sys.executable).with_name("lerobot-grasp-merge"))


def recipe(path: Path, recorded: Recorded, **more: object) -> Path:
    content = {
        "sources": [
            {"root": str(recorded("av1")), "episodes": "0, 3"},
            {"root": str(recorded("av1-other")), "episodes": [2], "task": "push it"},
        ],
        "robot_type": "so_follower",
        "new_root": str(path.parent / "out"),
    } | more
    path.write_text(json.dumps(content))  # JSON is YAML too
    return path


ended = partial(ended_by, main)


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_recipe(suffix: str, recorded: Recorded, tmp_path: Path, capsys) -> None:
    path = recipe(tmp_path / f"recipe{suffix}", recorded)
    code, out, err = ended(["--config_path", str(path)], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "=== out ==="
    assert [line.split() for line in lines if line.startswith(("av1", "in all"))][:3] == [
        ["av1", "2", "13", "2", "15.4", "%"],
        ["av1-other", "1", "5", "0", "0.0", "%"],
        ["in", "all", "3", "18", "2", "11.1", "%"],
    ]
    assert "=== Verification ===" in lines
    assert "Global indices: OK (contiguous)" in lines
    assert "Totals in info.json: OK" in lines
    assert lines[-1] == f"Wrote out to {tmp_path / 'out'}"
    assert len(open_set(tmp_path / "out")) == 18


def test_flags_over_a_recipe(recorded: Recorded, tmp_path: Path, capsys) -> None:
    path = recipe(tmp_path / "recipe.yaml", recorded)
    code, _, err = ended(
        [f"--config_path={path}", f"--new_root={tmp_path / 'other'}", "--robot_type=arm"], capsys
    )
    assert (code, err) == (0, "")
    assert read_info(tmp_path / "other")["robot_type"] == "arm"
    assert not (tmp_path / "out").exists()


def test_flags_alone(recorded: Recorded, tmp_path: Path, capsys) -> None:
    sources = json.dumps([{"root": str(recorded("av1")), "episodes": "!0", "rename": {"action": "act"}}])
    code, _, err = ended(
        [f"--sources={sources}", f"--new_root={tmp_path / 'out'}", '--drop_features=["observation.state"]'],
        capsys,
    )
    assert (code, err) == (0, "")
    features = read_info(tmp_path / "out")["features"]
    assert "act" in features
    assert "observation.state" not in features


def test_the_remapping_table(recorded: Recorded, tmp_path: Path, capsys) -> None:
    sources = [
        {"root": str(recorded("av1")), "episodes": "0-2, 4"},
        {"root": str(recorded("av1-other"))},
        {"root": str(recorded("av1")), "episodes": [3]},
    ]
    path = recipe(tmp_path / "recipe.yaml", recorded, sources=sources)
    _, out, _ = ended(["--config_path", str(path)], capsys)
    table = out.split("=== Episodes ===\n")[1].split("\n\n")[0]
    assert [line.split() for line in table.splitlines()] == [
        ["Output", "Source", "Episode"],
        ["0-2", "av1", "0-2"],
        ["3", "av1", "4"],
        ["4-6", "av1-other", "0-2"],
        ["7", "av1", "3"],
    ]


def test_the_remapping_table_has_the_frames_of_parts(recorded: Recorded, tmp_path: Path, capsys) -> None:
    text = f"""
sources:
- root: {recorded("av1")}
  frames: {{0: "3-5", 2: 4}}
- root: {recorded("av1")}
  episodes: [3]
new_root: {tmp_path / "out"}
index_base: 0
"""
    (tmp_path / "recipe.yaml").write_text(text)
    _, out, err = ended(["--config_path", str(tmp_path / "recipe.yaml")], capsys)
    assert err == ""
    table = out.split("=== Episodes ===\n")[1].split("\n\n")[0]
    assert [line.split() for line in table.splitlines()] == [
        ["Output", "Source", "Episode", "Frames", "(0-indexed)"],
        ["0", "av1", "0", "3-5"],
        ["1", "av1", "1", "all"],
        ["2", "av1", "2", "4"],
        ["3-4", "av1", "3-4", "all"],
        ["5", "av1", "3", "all"],
    ]


def test_data_at_fault_ends_in_1(recorded: Recorded, tmp_path: Path, capsys) -> None:
    path = recipe(tmp_path / "recipe.yaml", recorded, robot_type=None)
    before = tree(tmp_path)
    code, out, err = ended(["--config_path", str(path)], capsys)
    assert (code, out) == (1, "")
    assert "[robot-type-mismatch]" in err
    assert "--robot_type so_follower" in err
    assert err.endswith("1 error; nothing was written.\n")
    assert tree(tmp_path) == before


def test_a_target_that_exists_ends_in_2(recorded: Recorded, tmp_path: Path, capsys) -> None:
    path = recipe(tmp_path / "recipe.yaml", recorded)
    (tmp_path / "out").mkdir()
    code, _, err = ended(["--config_path", str(path)], capsys)
    assert code == 2
    assert "[target-exists]" in err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--new_rot=x"], "new_rot"),
        (["--config_path=/nowhere/recipe.yaml"], "/nowhere/recipe.yaml"),
        (["--config_path", "{folder}"], "{folder}"),
        (["--config_path", "{folder}/misspelt.yaml"], "sorces"),
        (["--config_path", "{folder}/nested.yaml"], "epsodes"),
        (["--config_path", "{folder}/broken.yaml"], "broken.yaml"),
        (["--config_path", "{folder}/binary.yaml"], ""),
        pytest.param(["--config_path", "{folder}/list.yaml"], ""),
        pytest.param(["--config_path", "{folder}/empty.yaml"], ""),
        (["--done=sometimes"], "sometimes"),
        (["--unlisted=maybe"], "maybe"),
        (["--success_value=much"], "much"),
        (["--sources=3"], ""),
        (["--sources=[{{"], ""),
        (["nonsense"], "nonsense"),
        ([], "no-target"),
        (["--new_root={folder}/out"], "no-sources"),
    ],
)
def test_calls_at_fault_end_in_2(args: list[str], said: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "misspelt.yaml").write_text("sorces: []\nnew_root: x\n")
    (tmp_path / "nested.yaml").write_text("sources:\n- root: x\n  epsodes: 3\nnew_root: x\n")
    (tmp_path / "broken.yaml").write_text("sources: [\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "list.yaml").write_text("- 1\n- 2\n")
    (tmp_path / "empty.yaml").write_text("")
    before = tree(tmp_path)
    code, out, err = ended([arg.format(folder=tmp_path) for arg in args], capsys)
    assert (code, out) == (2, "")
    assert said.format(folder=tmp_path) in err
    assert 0 < len(err) < 3000
    assert tree(tmp_path) == before


def test_as_a_process(recorded: Recorded, tmp_path: Path) -> None:
    path = recipe(tmp_path / "recipe.yaml", recorded)
    done = subprocess.run([SCRIPT, "--config_path", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    again = subprocess.run([SCRIPT, "--config_path", path], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    path = recipe(tmp_path / "recipe.yaml", recorded, robot_type=None, new_root=str(tmp_path / "x"))
    failed = subprocess.run([SCRIPT, "--config_path", path], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr


def test_sources_as_text_after_another_parser_has_read_a_recipe(tmp_path: Path) -> None:
    program = (
        "import draccus\n"
        "from lerobot_grasp_plugin.commands.merge import main\n"
        "from lerobot_grasp_plugin.merging.recipe import MergeConfig\n"
        "draccus.parse(MergeConfig, args=['--sources=[{root: x}]'])\n"
        f"raise SystemExit(main(['--sources=[{tmp_path}]', '--new_root={tmp_path / 'out'}']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{tmp_path}: error: the folder is not a LeRobot dataset: it has no meta/info.json" in done.stderr


@pytest.mark.parametrize("command", ["merge", "relabel", "verify"])
@pytest.mark.parametrize("args", [["--help"], ["--misspelt=1"], ["--root=/nowhere", "--new_root=/x/y"]])
def test_answers_at_once(command: str, args: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Help and errors come without the packages that are slow to import, in under half a second of CPU.

    As for anybody who has run a command before, modules are compiled already from the second run on. On a
    machine so busy that the parser alone takes long, the command may take twice as long as that.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.getbasetemp() / "bytecode")
    code = (
        "import sys, time\n"
        f"from lerobot_grasp_plugin.commands.{command} import main\n"
        "try:\n"
        f"    status = main({args!r})\n"
        "except SystemExit as leaving:\n"
        "    status = leaving.code\n"
        "names = ('torch', 'lerobot', 'pandas', 'datasets', 'pyarrow.compute')\n"
        "slow = [name for name in names if name in sys.modules]\n"
        "print('ENDED', status, time.process_time(), slow)\n"
    )
    parser = "import time, draccus, numpy, yaml\nprint(time.process_time())"
    times, allowed = [], 0.5
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        _, status, seconds, *slow = done.stdout.splitlines()[-1].split(maxsplit=3)
        assert slow == ["[]"]
        assert status in ("0", "2")
        assert (status == "0") == (args == ["--help"])
        times.append(float(seconds))
        if times[-1] < allowed:
            break
        alone = subprocess.run(
            [sys.executable, "-c", parser], capture_output=True, text=True, check=True, env=environment
        )
        allowed = max(allowed, 2 * float(alone.stdout))
    assert min(times) < allowed


def test_sources_may_be_paths_alone(recorded, tmp_path, capsys):
    sources = f"[{recorded('av1')}, {{root: {recorded('av1')}, episodes: [0]}}]"
    code, out, _ = ended(["--sources", sources, "--new_root", str(tmp_path / "out")], capsys)
    assert code == 0
    assert "in all" in out


def test_an_output_without_labels_says_so(recorded, tmp_path, capsys):
    sources = f"[{recorded('unlabelled')}]"
    code, out, _ = ended(["--sources", sources, "--new_root", str(tmp_path / "out")], capsys)
    assert code == 0
    assert "No labels: " in out


def test_a_dry_run_prints_the_plan_and_writes_nothing(recorded: Recorded, tmp_path: Path, capsys) -> None:
    path = recipe(tmp_path / "recipe.yaml", recorded)
    before = tree(tmp_path)
    code, out, err = ended(["--config_path", str(path), "--dry_run"], capsys)
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[:5]] == [
        ["===", "out", "==="],
        ["Output", "Source", "Episode"],
        ["0", "av1", "0"],
        ["1", "av1", "3"],
        ["2", "av1-other", "2"],
    ]
    assert out.endswith(f"{tmp_path / 'out'} would have 3 episodes with 18 frames; nothing was written.\n")
    assert tree(tmp_path) == before
    code, out, err = ended(["--config_path", str(path), "--dry_run", "--robot_type", "null"], capsys)
    assert (code, out) == (1, "")
    assert "robot-type-mismatch" in err
