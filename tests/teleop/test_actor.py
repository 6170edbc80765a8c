"""LeRobot's actor, unmodified, with the SO101 leader and a simulated arm; the test plays the learner.

It takes a while, and runs with ``GRASP_ACTOR=1``.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.deadline import wait_until
from tests.support.feetech_bus import write_calibration
from tests.support.project import environment
from tests.support.servos import Servos, patient
from tests.support.talking import Talk

pytestmark = [
    pytest.mark.in_turn,
    pytest.mark.skipif("GRASP_ACTOR" not in os.environ, reason="takes long; GRASP_ACTOR=1 runs it"),
]

IMAGE, STATE = "observation.images.wrist", "observation.state"
FEATURES = {
    IMAGE: {"type": "VISUAL", "shape": [3, 128, 128]},
    STATE: {"type": "STATE", "shape": [6]},
}
ACTION = {"action": {"type": "ACTION", "shape": [6]}}
DEGREES = {"min": [-180.0] * 5 + [0.0], "max": [180.0] * 5 + [100.0]}
STEPS = 400


def config_for(folder: Path, bus: Servos, port: int) -> dict:
    return {
        "output_dir": str(folder / "run"),
        "job_name": "grasp",
        "dataset": {"repo_id": "lab/none"},  # never opened, but LeRobot asks for a name
        "algorithm": {"type": "sac", "use_torch_compile": False},
        "policy": {
            "type": "gaussian_actor",
            "device": "cpu",
            "storage_device": "cpu",
            "push_to_hub": False,
            "vision_encoder_name": None,
            "freeze_vision_encoder": False,
            "input_features": FEATURES,
            "output_features": ACTION,
            "dataset_stats": {
                IMAGE: {"mean": [0.5] * 3, "std": [0.25] * 3},
                STATE: DEGREES,
                "action": DEGREES,
            },
            "online_steps": STEPS,
            "actor_learner_config": {"learner_host": "127.0.0.1", "learner_port": port},
            "concurrency": {"actor": "threads", "learner": "threads"},
        },
        "env": {
            "type": "gym_manipulator",
            "name": "real_robot",
            "fps": 10,
            "robot": {"type": "so101_sim", "fps": 10, "cameras": {"wrist": {"width": 128, "height": 128}}},
            "teleop": {
                "type": "so101_leader_hil",
                "port": bus.port,
                "id": "leader",
                "calibration_dir": str(folder / "calibration"),
            },
            "processor": {"gripper": {"use_gripper": False}},
            "features": {**FEATURES, **ACTION},
            "features_map": {name: name for name in (*FEATURES, *ACTION)},
        },
    }


@pytest.fixture
def learner():
    """What an actor sends: a list of transitions, and a list of figures by episode; with the port."""
    import grpc
    from lerobot.transport import services_pb2, services_pb2_grpc
    from lerobot.transport.utils import bytes_to_python_object, bytes_to_transitions

    class Learner(services_pb2_grpc.LearnerServiceServicer):
        def __init__(self):
            self.transitions, self.episodes = [], []
            self.over = threading.Event()

        def Ready(self, request, context):  # noqa: N802
            return services_pb2.Empty()

        def StreamParameters(self, request, context):  # noqa: N802
            self.over.wait()
            yield from ()

        def SendTransitions(self, requests, context):  # noqa: N802
            for data in whole(requests):
                self.transitions += bytes_to_transitions(data)
            return services_pb2.Empty()

        def SendInteractions(self, requests, context):  # noqa: N802
            for data in whole(requests):
                self.episodes.append(bytes_to_python_object(data))
            return services_pb2.Empty()

    def whole(requests):
        data = b""
        for request in requests:
            data += request.data
            if request.transfer_state == services_pb2.TRANSFER_END:
                yield data
                data = b""

    made = Learner()
    server = grpc.server(ThreadPoolExecutor(4))
    services_pb2_grpc.add_LearnerServiceServicer_to_server(made, server)
    made.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made
    made.over.set()
    server.stop(1)


def test_the_leader_moves_the_arm_and_its_keys_end_episodes(simulator, learner, tmp_path):
    if find_spec("grpc") is None:
        pytest.skip("the extra learn is not installed")
    bus = Servos("sway")
    write_calibration(tmp_path / "calibration/leader.json")
    path = tmp_path / "actor.json"
    path.write_text(json.dumps(config_for(tmp_path, bus, learner.port)))
    talk = Talk()
    variables = environment(TORCHDYNAMO_DISABLE="1", OMP_NUM_THREADS="2")
    variables.pop("DISPLAY", None)
    flag = "--env.discover_packages_path=lerobot_grasp_plugin"
    talk.begin([*patient("lerobot.rl.actor"), f"--config_path={path}", flag], variables)
    try:
        talk.expect("make_policy")
        bus.wait_for_reads(20)  # LeRobot waits 5 s before an episode, and reads the leader in each step
        talk.send("s")
        talk.expect("Episode reward: 1.0")
        talk.send(" ")
        talk.expect("The policy moves the follower")
        bus.wait_for_reads(20)
        talk.send("f")
        talk.expect("Episode reward: 0.0")
        wait_until(lambda: len(learner.episodes) >= 2, "the actor sends no second episode")
        learner.over.set()  # the actor waits for the end of what the learner streams
        talk.process.send_signal(signal.SIGINT)
        ended, printed = talk.finish()
    finally:
        talk.kill()
        bus.unplug()
    assert ended == 0, printed
    ends = [number for number, item in enumerate(learner.transitions) if item["done"]]
    led, own = learner.transitions[: ends[0] + 1], learner.transitions[ends[0] + 1 : ends[1] + 1]
    assert [item["reward"] for item in led] == [0.0] * (len(led) - 1) + [1.0]
    assert [item["reward"] for item in own] == [0.0] * len(own)
    assert [episode["Episodic reward"] for episode in learner.episodes] == [1.0, 0.0]
    assert learner.episodes[0]["Intervention rate"] == 1.0
    assert learner.episodes[1]["Intervention rate"] < 1.0
    assert all(item["complementary_info"]["is_intervention"] for item in led)
    leader = torch.stack([item["action"].reshape(-1) for item in led]).numpy()
    assert leader.shape == (len(led), 6)
    assert np.ptp(leader, axis=0).min() > 1  # it sways, and its joints are what was sent
    assert {item["state"][STATE].shape[-1] for item in led + own} == {6}
