"""Learner and actor know this package's robots and teleoperators without a flag."""

from __future__ import annotations

import json

import pytest

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.rl_config import parse_rl_config
from tests.support.project import CONFIGS

CONFIG = CONFIGS / "grasp_only_hilserl_train_config.json"
FOLLOWER = {"type": "so101_follower_hil", "port": "/dev/ttyACM0", "random_ee_reset": {"half_box": [0, 0, 0]}}


@pytest.mark.parametrize("module", ["lerobot.rl.learner", "lerobot.rl.actor"])
@pytest.mark.parametrize("robot", [{"type": "so101_sim", "random_ee_reset": {"seed": 1}}, FOLLOWER])
def test_types_of_this_package_are_known(module, robot, tmp_path):
    pytest.importorskip("grpc")
    raw = json.loads(CONFIG.read_text())
    raw["env"]["robot"] = robot
    raw["env"]["teleop"] = {"type": "so101_script", "action_space": "ee_delta"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(raw))
    config = parse_rl_config([f"--config_path={path}"], "lerobot-grasp-learner", Guide(upstream=module))
    assert config.env.robot.type == robot["type"]
    assert config.env.robot.random_ee_reset.base == [0.25, 0.0, 0.07]
    assert config.encoded()["env"]["robot"]["type"] == robot["type"]
