"""The SO101 leader in LeRobot's gym_manipulator, its real driver on an emulated bus."""

import json
import os
import pty
import sys
import threading
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import RelabelConfig, UsageError, relabel
from tests.support import preloaded
from tests.support.deadline import DEADLINE_S, wait_until
from tests.support.feetech_bus import CENTRE, JOINTS, write_calibration
from tests.support.project import environment
from tests.support.servos import Servos, patient


@pytest.fixture
def bus():
    pytest.importorskip("scservo_sdk")
    from tests.support import patient_feetech  # noqa: F401  # acts on import

    bus = Servos()
    yield bus
    bus.unplug()


def leader(bus, folder, **options):
    from lerobot_grasp_plugin.teleop.config_so101_leader_hil import So101LeaderHilConfig
    from lerobot_grasp_plugin.teleop.so101_leader_hil import So101LeaderHil

    write_calibration(folder / "leader.json")
    return So101LeaderHil(So101LeaderHilConfig(port=bus.port, id="leader", calibration_dir=folder, **options))


def test_actions_are_joints_in_order_and_each_press_is_told_once(bus, tmp_path):
    from lerobot.teleoperators.utils import TeleopEvents

    teleop = leader(bus, tmp_path)
    teleop.connect()
    bus.move("elbow_flex", CENTRE + 1024)
    action = teleop.get_action()
    assert action.dtype == np.float32
    assert teleop.action_features == {
        "dtype": "float32",
        "shape": (6,),
        "names": [f"{joint}.pos" for joint in JOINTS],
    }
    assert action == pytest.approx([0, 0, 90, 0, 0, 50], abs=0.3)

    def told():
        return {event.value for event, holds in teleop.get_teleop_events().items() if holds}

    assert told() == {"is_intervention"}
    teleop.press("s")
    assert told() == {"is_intervention", "success", "terminate_episode"}
    assert told() == {"is_intervention"}
    teleop.press("space")
    teleop.press("f")
    teleop.press("s")
    teleop.press("x")
    assert told() == {"failure", "terminate_episode"}
    teleop.press("left")
    teleop.press("s")
    assert told() == {"rerecord_episode", "terminate_episode"}
    assert set(teleop.get_teleop_events()) == set(TeleopEvents)
    teleop.disconnect()


def test_one_key_for_two_events_is_refused(bus, tmp_path):
    with pytest.raises(UsageError, match="key-twice"):
        leader(bus, tmp_path, failure_key="s")


def test_a_policys_action_reaches_the_arm_without_its_batch(monkeypatch):
    from lerobot_grasp_plugin.teleop.joint_actions import ENVIRONMENT, accept_policy_actions

    taken = []

    class RobotEnv:
        def step(self, action):
            taken.append(action.tolist())

    monkeypatch.setitem(sys.modules, ENVIRONMENT, SimpleNamespace(RobotEnv=RobotEnv))
    for _ in range(2):
        accept_policy_actions()
    for action in (np.arange(6.0)[None], np.arange(6.0)):
        RobotEnv().step(action)
    assert taken == [list(range(6))] * 2
    monkeypatch.delitem(sys.modules, ENVIRONMENT)
    accept_policy_actions()


@pytest.mark.in_turn
def test_gym_manipulator_records_with_it_and_the_recording_is_complete(bus, tmp_path):
    if find_spec("so101_nexus") is None:
        pytest.skip("the extra sim is not installed")
    write_calibration(tmp_path / "calibration/leader.json")
    root = tmp_path / "hil"
    config = {
        "env": {
            "name": "real_robot",
            "fps": 30,
            "robot": {"type": "so101_sim", "cameras": {"wrist": {"width": 128, "height": 128}}},
            "teleop": {
                "type": "so101_leader_hil",
                "port": bus.port,
                "id": "leader",
                "calibration_dir": str(tmp_path / "calibration"),
            },
            "processor": {"gripper": {"use_gripper": False}, "reset": None},
        },
        "dataset": {"repo_id": "me/hil", "root": str(root), "task": "pick", "num_episodes_to_record": 2},
        "mode": "record",
    }
    path = tmp_path / "record.json"
    path.write_text(json.dumps(config))
    ends, printed = {0: b"s", 1: b"f"}, []
    master, slave = pty.openpty()
    command = [
        *patient("lerobot.rl.gym_manipulator"),
        f"--config_path={path}",
        "--env.discover_packages_path=lerobot_grasp_plugin",
    ]
    process = preloaded.start(command, environment(), stdin=slave)

    def read():
        for line in process.stdout:
            printed.append(line.decode(errors="replace"))

    reader = threading.Thread(target=read)
    reader.start()
    images = root / "images/observation.images.wrist"
    try:
        for episode, key in ends.items():
            waited_for = images / f"episode-{episode:06d}/frame-000012.png"
            wait_until(lambda: waited_for.exists() or process.poll() is not None, f"no {waited_for}")  # noqa: B023
            os.write(master, key)
        process.wait(DEADLINE_S)
    finally:
        process.kill()
        reader.join()
        os.close(master)
        os.close(slave)
    assert process.returncode == 0, "".join(printed)

    rows = pq.read_table(next((root / "data").rglob("*.parquet")))
    episodes = np.array(rows["episode_index"].to_pylist())
    rewards = np.array(rows["next.reward"].to_pylist()).ravel()
    done = np.array(rows["next.done"].to_pylist()).ravel()
    assert sorted(set(episodes)) == [0, 1]
    last = [int(np.flatnonzero(episodes == one)[-1]) for one in (0, 1)]
    assert np.flatnonzero(rewards).tolist() == [last[0]]
    assert np.flatnonzero(done).tolist() == last

    marked = last[0] - 3
    (tmp_path / "labels.txt").write_text(f"0: {marked}-\n1: all fail\n")
    relabelled = tmp_path / "relabelled"
    relabel(
        RelabelConfig(
            repo_id="me/hil",
            root=root,
            annotations=tmp_path / "labels.txt",
            index_base=0,
            new_repo_id="me/hil_labelled",
            new_root=relabelled,
            alignment="next",
            done="keep",
        )
    )
    labelled = pq.read_table(next((relabelled / "data").rglob("*.parquet")))
    found = np.flatnonzero(np.array(labelled["next.reward"].to_pylist()).ravel())
    assert found.tolist() == list(range(marked - 1, last[0] + 1))
