"""Options that are misspelt, and values that belong to none."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.support.project import CONFIGS


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        ("relabel", ["--rot=x"], "unknown option --rot, did you mean --root?"),
        (
            "merge",
            ["--annotation", "a.txt", "--new-root=b", "--push_to_hub", "--nothing_like_it"],
            "unknown option --annotation, did you mean --annotations?; "
            "unknown option --new-root, did you mean --new_root?; unknown option --nothing_like_it",
        ),
        ("verify", ["{tmp_path}"], "unexpected value '{tmp_path}': did you mean --root {tmp_path}?"),
        (
            "verify",
            ["--roots", "a", "b"],
            "unexpected value 'b': write several values as a list: --roots '[a, b]'",
        ),
        (
            "verify",
            ["--roots", "{tmp_path}", "{tmp_path}/."],
            "unexpected value '{tmp_path}/.': write several values as a list: "
            "--roots '[{tmp_path}, {tmp_path}/.]'",
        ),
        (
            "relabel",
            ["--done", "last"],
            "--done must be one of keep, episode_end, first_success, last_frame_of_succ",
        ),
        (
            "merge",
            ["--config_path", "{tmp_path}/unclosed.yaml"],
            "--config_path: {tmp_path}/unclosed.yaml is not valid YAML or JSON: expected ',' or ']', but got "
            "'<stream end>' at line 2, column 1",
        ),
        ("eval_policy", ["--rum", "x"], "unknown option --rum, did you mean --run?"),
        (
            "merge",
            ["--sources", "[{{root: a}}, {{root: b]", "--new_root=x"],
            "--sources cannot be read: expected ',' or '}}', but got ']' at line 1, column 21 of [{{root: ",
        ),
        (
            "merge",
            ["--sources=[a, 'b]"],
            "--sources cannot be read: found unexpected end of stream at line 1, column ",
        ),
        ("verify", ["--roots", "one"], "--roots must be a list, even of one value: --roots '[one]'"),
        ("merge", ["--sources", "a,b"], "--sources must be a list, even of one value: --sources '[a,b]'"),
        (
            "merge",
            ["--sources=[{{root: x, episode: 3, tsk: y, zzz: 1}}]"],
            "unknown option episode in sources.0, did you mean episodes?; unknown option tsk in sources.0, "
            "did you mean task or tasks?; unknown option zzz in sources.0",
        ),
        ("record", ["--robot.type=so101_sim"], "--dataset.repo_id must be given"),
        ("eval_classifier", [], "--pretrained_path and --dataset.repo_id must be given"),
        ("train_classifier", ["--dataset.root=x"], "--dataset.repo_id must be given"),
        (
            "train_classifier",
            ["--dataset.repo_id=x", "--make_encoder=maybe"],
            "--make_encoder must be true or false, not 'maybe'",
        ),
        ("learner", ["--config_path=none.json"], "--config_path: none.json: no such file or directory"),
        (
            "learner",
            [
                "--config_path={configs}/grasp_only_hilserl_train_config.json",
                "--policy.path=a",
                "--policy.type=sac",
            ],
            "Cannot specify both --policy.path and --policy.type",
        ),
        ("frames", ["-root", "x"], "unknown option -root, did you mean --root?"),
        (
            "relabel",
            ["--unlisted", "fial", "--rot=x", "--link=soft"],
            "--unlisted must be one of error, fail, keep, drop, not 'fial', did you mean fail?; "
            "--link must be one of auto, hard, copy, not 'soft'; unknown option --rot, did you mean --root?",
        ),
        (
            "relabel",
            ["--done=episodeend"],
            "--done must be one of keep, episode_end, first_success, last_frame_of_success, not "
            "'episodeend', "
            "did you mean episode_end?",
        ),
        (
            "truth",
            ["--what=grasp"],
            "--what must be one of held, lifted, grasped, not 'grasp', did you mean grasped?",
        ),
        ("preflight", ["--config_path=x", "--strct"], "unknown option --strct, did you mean --strict?"),
        ("verify", ["--verison"], "unknown option --verison, did you mean --version?"),
        (
            "record",
            ["--robot.type=so101_folower", "--dataset.repo_id=me/x"],
            "--robot.type must be one of ",
        ),
        ("relabel", ["--root"], "argument --root: expected one argument"),
        ("preflight", ["--config_pat=x"], "unknown option --config_pat, did you mean --config_path?"),
        (
            "train_classifier",
            ["--dataset.repo_id=x", "--datset.repo_id=x", "--reward_model.hiden_dim=3"],
            "unknown option --datset.repo_id, did you mean --dataset.repo_id?; "
            "unknown option --reward_model.hiden_dim, did you mean --reward_model.hidden_dim?",
        ),
        (
            "eval_classifier",
            [
                "--dataset.discover_packages_path=lerobot_grasp_plugin",
                "--pretrained_path={tmp_path}",
                "--dataset.repo_id=me/x",
                "--root",
                "x",
            ],
            "unknown option --root, did you mean --dataset.root?",
        ),
        (
            "record",
            ["--robot.type=so101_follower", "--dataset.repo_id=me/x", "--robt.port=1", "--teleop.prt=2"],
            "unknown option --robt.port, did you mean --robot.port?; unknown option --teleop.prt",
        ),
        (
            "learner",
            [
                "--config_path={configs}/grasp_only_hilserl_train_config.json",
                "--dataset.discover_packages_path=lerobot_grasp_plugin",
                "--datset.root=x",
            ],
            "unknown option --datset.root, did you mean --dataset.root?",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_one_line_for_all_that_is_not_known(command, args, said, tmp_path, monkeypatch, capsys):
    module = import_module(f"lerobot_grasp_plugin.commands.{command}")
    monkeypatch.setattr("sys.argv", [module.PROGRAM])
    (tmp_path / "unclosed.yaml").write_text("sources: [a\n")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(SystemExit) as ended:
        module.main([arg.format(tmp_path=tmp_path, configs=CONFIGS) for arg in args])
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2].startswith(f"{module.PROGRAM}: error: {said.format(tmp_path=tmp_path)}")
    assert lines[-1] == f"See {module.PROGRAM} --help."
    assert not any(line.startswith("usage") for line in lines)


def test_a_robot_in_a_file_that_does_not_exist(tmp_path, monkeypatch, capsys):
    module = import_module("lerobot_grasp_plugin.commands.record")
    monkeypatch.setattr("sys.argv", [module.PROGRAM])
    path = tmp_path / "call.yaml"
    path.write_text("robot: {type: so101_folower}\ndataset: {repo_id: me/x, single_task: y}\n")
    with pytest.raises(SystemExit) as ended:
        module.main([f"--config_path={path}"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"{module.PROGRAM}: error: --robot.type must be one of " in said
    assert "not 'so101_folower', did you mean so101_follower?\n" in said
