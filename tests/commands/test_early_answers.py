"""Calls that are wrong are answered before LeRobot is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.outline import read_outline

DATASET = {"repo_id": "me/x", "root": "somewhere"}


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("record", ["--config_path=none.json"], "--config_path: none.json: no such file or directory"),
        ("record", ["--robot.type=x"], "--dataset.repo_id must be given"),
        ("record", ["--grasp.lag_s=1", "--grasp.lag_frames=2"], "[contradicting-options]"),
        ("record", ["--grasp.lag_frame=1"], "unknown option lag_frame in grasp, did you mean lag_frames?"),
        (
            "record",
            ["--grasp.relabel=maybe"],
            "--grasp.relabel must be one of ask, always, never, not 'maybe'",
        ),
        ("record", ["--grasp.lag_frames", "x"], "--grasp.lag_frames must be an integer, not 'x'"),
        ("record", ["--dataset.repo_id=me/eval_x"], "[reserved-name]"),
        ("record", ["--dataset.root={here}"], "[target-exists]"),
        ("train_classifier", [], "--dataset.repo_id must be given"),
        ("train_classifier", ["--dataset.repo_id=a/b", "--dataset.root=none"], "[no-dataset]"),
        (
            "train_classifier",
            ["--dataset.repo_id=a/b", "--steps=0"],
            "steps must be 1 or more, not 0 [bad-value]",
        ),
        ("train_classifier", ["--dataset.repo_id=a/b", "--annotations=none.txt"], "none.txt"),
        ("train_classifier", ["--dataset.repo_id=a/b", "--output_dir", "{here}"], "[target-exists]"),
        ("eval_classifier", [], "--pretrained_path and --dataset.repo_id must be given"),
        ("eval_classifier", ["--pretrained_path=none", "--dataset.repo_id=a/b"], "[no-checkpoint]"),
        ("live_classifier", [], "--robot.type and --pretrained_path must be given"),
        ("live_classifier", ["--robot.type=x", "--pretrained_path=none"], "[no-checkpoint]"),
        ("learner", [], "--config_path is missing"),
        ("learner", ["--config_path=none.json"], "--config_path: none.json: no such file or directory"),
        ("learner", ["--config_path={here}/train_config.json"], "the config has no policy [missing-setting]"),
        ("learner", ["--config_path={here}"], "the config has no env [missing-setting]"),
        ("learner", ["--config_path={here}", "--dataset.annotations=none.txt"], "none.txt"),
        ("learner", ["--config_path={here}", "--output_dir={here}"], "[output-dir-exists]"),
        ("actor", ["--config_path", "none.json"], "--config_path: none.json: no such file or directory"),
        ("eval_policy", ["--run={here}"], "[no-checkpoint]"),
        ("preflight", ["--config_path=none.json"], "none.json: error: No such file or directory"),
    ],
)
def test_a_wrong_call_is_answered_before_lerobot_is_imported(name, args, said, tmp_path):
    (tmp_path / "train_config.json").write_text(json.dumps({"dataset": DATASET}))
    given = [arg.format(here=tmp_path) for arg in args]
    if name == "record" and "must be given" not in said and not said.startswith("--config_path"):
        given = ["--robot.type=x", "--dataset.repo_id=me/x", *given]
    assert said in _without_lerobot(name, given, tmp_path)


def test_what_a_call_names(tmp_path):
    (tmp_path / "call.yaml").write_text("grasp: {lag_s: 1, ask: false}\nsteps: 3\ndataset: {root: null}\n")
    args = [
        f"--config_path={tmp_path / 'call.yaml'}",
        "--grasp.lag_s=0.5",
        "--episodes",
        "[1, 2]",
        "--with_actor",
    ]
    args += ["--grasp.discover_packages_path=hooks", "--policy.type", "sac"]
    call = read_outline(args, "test")
    assert {name: value for name, value in call.values.items() if name != "config_path"} == {
        "grasp.lag_s": 0.5,
        "grasp.ask": False,
        "steps": 3,
        "dataset.root": None,
        "episodes": [1, 2],
        "policy.type": "sac",
    }
    assert [call.names_block(name) for name in ("grasp", "dataset", "policy", "env")] == [
        True,
        True,
        True,
        False,
    ]
    assert call.without("grasp").values.keys() - {"config_path"} == {
        "steps",
        "dataset.root",
        "episodes",
        "policy.type",
    }


def test_a_checkpoint_that_cannot_be_evaluated_is_refused_before_lerobot_is_imported(tmp_path):
    folder = tmp_path / "checkpoints/000100/pretrained_model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"")
    args = [f"--run={tmp_path}"]
    assert "train_config.json" in _without_lerobot("eval_policy", args, tmp_path, code=1)
    (folder / "train_config.json").write_text(json.dumps({"env": {"robot": {"type": "so101_follower"}}}))
    said = _without_lerobot("eval_policy", args, tmp_path, code=1)
    for code in ("no-simulated-robot", "no-end-effector", "no-time-limit"):
        assert f"[{code}]" in said
    processor: dict[str, object] = {"inverse_kinematics": {}, "reset": {}}
    sound = {"env": {"robot": {"type": "so101_sim"}, "processor": processor}}
    (folder / "train_config.json").write_text(json.dumps(sound))
    said = _without_lerobot("eval_policy", [*args, f"--hard_negatives={tmp_path}"], tmp_path, code=2)
    assert "[target-exists]" in said
    assert "[no-classifier]" in said


def _without_lerobot(name: str, args: list[str], folder: Path, code: int | None = None) -> str:
    """Runs a command where importing torch or lerobot fails; what it says on stderr."""
    program = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['lerobot'] = None\n"
        f"from lerobot_grasp_plugin.commands.{name} import main\n"
        f"raise SystemExit(main({args!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=folder
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in ((1, 2) if code is None else (code,))
    assert done.stdout == ""
    return done.stderr


def test_what_takes_long_to_load_is_announced(tmp_path):
    program = (
        "import sys\n"
        "from lerobot_grasp_plugin.commands.outline import announce_loading\n"
        "announce_loading('lerobot-grasp-x')\n"
        "sys.modules['torch'] = sys\n"
        "announce_loading('lerobot-grasp-y')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "lerobot-grasp-x: loading PyTorch and LeRobot, which can take half a minute ..."
    ]
