"""The page that shows what a classifier says, on the simulated arm."""

from __future__ import annotations

import base64
import http.client
import io

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.recording.live_classifier import LiveClassifier, live_app

BASE = "http://127.0.0.1:8766"
ORIGIN = {"origin": BASE}


class Judge:
    """Says the mean brightness; looks at the wrist camera."""

    camera_keys = ("observation.images.wrist",)

    def problems_of(self, cameras):
        if cameras.get(self.camera_keys[0]) != (48, 64, 3):
            yield Problem("missing-camera", f"the robot has {cameras}")

    def probability(self, images):
        (image,) = images.values()
        return float(image.mean() / 255)


@pytest.fixture
def robot(simulator):
    from lerobot_grasp_plugin.sim.config_so101_sim import SimCameraConfig, So101SimConfig
    from lerobot_grasp_plugin.sim.so101_sim import So101Sim

    robot = So101Sim(So101SimConfig(cameras={"wrist": SimCameraConfig(width=64, height=48)}))
    robot.connect()
    yield robot
    robot.disconnect()


class Still:
    """A teleoperator that sends the joints where they are."""

    def __init__(self, robot):
        self.robot, self.actions = robot, 0

    def get_action(self):
        self.actions += 1
        return self.robot.get_observation()


def test_the_page_has_the_images_their_probability_and_a_threshold_to_change(robot):
    teleop = Still(robot)
    live = LiveClassifier(robot, Judge(), fps=10, threshold=0.5, teleop=teleop)
    client = TestClient(live_app(live, token="secret", host="127.0.0.1"), base_url=BASE)
    assert client.get("/secret/api/latest").json() == {"number": -1, "threshold": 0.5}
    live.step()
    live.step()
    assert teleop.actions == 2
    latest = client.get("/secret/api/latest").json()
    assert latest["number"] == 1
    data = latest["images"]["observation.images.wrist"].partition("base64,")[2]
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert image.shape == (48, 64, 3)
    assert image.mean() / 255 == pytest.approx(latest["probability"], abs=0.02)
    assert live.threshold == 0.5
    assert client.post("/secret/api/threshold", json={"threshold": 0.62}, headers=ORIGIN).json() == {
        "threshold": 0.62
    }
    assert live.threshold == 0.62
    for wrong in ({"threshold": 1.5}, {"threshold": "much"}, {}, [1]):
        assert client.post("/secret/api/threshold", json=wrong, headers=ORIGIN).status_code == 400
    assert client.post("/secret/api/threshold", json={"threshold": 0.1}).status_code == 403
    assert client.get("/wrong/api/latest").status_code == 403
    for path in ("", "live.js", "live.css"):
        assert client.get(f"/secret/{path}").status_code == 200
    assert live.threshold == 0.62


def test_a_robot_without_the_classifiers_camera_is_refused(robot):
    robot.cameras.clear()
    robot.__dict__.pop("observation_features", None)
    with pytest.raises(UsageError, match="missing-camera"):
        LiveClassifier(robot, Judge(), fps=10, threshold=0.5)


def test_the_page_is_served_while_the_loop_runs_and_no_longer(capsys):
    from starlette.responses import PlainTextResponse

    from lerobot_grasp_plugin.commands.serving import check_port, listen, print_addresses, served

    with pytest.raises(UsageError, match="0 to 65535"):
        check_port(70000)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    print_addresses("127.0.0.1", listening, "secret")
    assert capsys.readouterr().out == f"Open http://127.0.0.1:{port}/secret/\n"
    with pytest.raises(UsageError, match="another --port"):
        listen("127.0.0.1", port)
    page = http.client.HTTPConnection("127.0.0.1", port)
    with served(PlainTextResponse("images"), listening):
        page.request("GET", "/secret/")
        assert page.getresponse().read() == b"images"
        page.close()
    with pytest.raises(ConnectionRefusedError):
        page.request("GET", "/secret/")


def test_a_page_that_others_can_reach_is_a_warning(capsys):
    from lerobot_grasp_plugin.commands.serving import warn_of_visitors

    warn_of_visitors("127.0.0.1", "see the cameras")
    assert capsys.readouterr().err == ""
    warn_of_visitors("0.0.0.0", "see the cameras")
    assert "anyone with the address can see the cameras" in (capsys.readouterr().err)


def test_a_camera_that_the_robot_refuses_is_an_error_in_its_own_words(simulator, tmp_path, capsys):
    from lerobot_grasp_plugin.commands.live_classifier import main

    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    flags = [
        "--robot.type=so101_sim",
        "--robot.cameras={gripper: {width: 64}}",
        f"--pretrained_path={tmp_path}",
    ]
    assert main(flags) == 2
    assert "no view 'gripper' [unknown-choice]" in capsys.readouterr().err
