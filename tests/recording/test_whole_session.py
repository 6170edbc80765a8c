"""A whole session in this process: LeRobot's own loop, on an arm and a leader that are made up."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from lerobot.configs.dataset import DatasetRecordConfig
from lerobot.teleoperators import Teleoperator

from lerobot_grasp_plugin.commands.session_end import finish
from lerobot_grasp_plugin.dataset.writer_lock import lock_path
from lerobot_grasp_plugin.recording import session as module
from lerobot_grasp_plugin.recording.options import GraspOptions
from lerobot_grasp_plugin.recording.session import Session
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support.file_schemas import read

JOINTS = {"elbow.pos": float, "gripper.pos": float}


class Arm:
    """Is where it was sent."""

    name = robot_type = "arm"
    cameras: dict = {}  # noqa: RUF012
    is_connected = True
    observation_features = action_features = JOINTS

    def __init__(self):
        self.sent = []
        self.connect, self.disconnect, self.continue_recording = Mock(), Mock(), Mock()

    def get_observation(self):
        return dict(self.sent[-1]) if self.sent else dict.fromkeys(JOINTS, 0.0)

    def send_action(self, action):
        self.sent.append(dict(action))
        return action


class Leader:
    """Moves by a tenth of a degree with each frame, and does what the script has for it."""

    is_connected = True

    def __init__(self, script):
        self.calls, self._script = -1, script
        self.connect, self.disconnect = Mock(), Mock()

    def get_action(self):
        self.calls += 1
        for action in self._script.get(self.calls, ()):
            action()
        return dict.fromkeys(JOINTS, self.calls / 10)


Teleoperator.register(Leader)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A function that records; keys are pressed as the leader is read for the n-th time."""
    root = tmp_path / "picks"

    def made(keys, episodes, answers=(), *, resume=False, **grasp):
        dataset = DatasetRecordConfig("lab/picks", "grasp", root, fps=50, no_stamp=True, video=False)
        dataset.num_episodes, dataset.episode_time_s, dataset.reset_time_s = episodes, 100000, 0
        dataset.push_to_hub = False
        config = SimpleNamespace(
            dataset=dataset,
            grasp=GraspOptions(ask=bool(answers), **grasp),
            resume=resume,
            robot=None,
            teleop=None,
            display_data=False,
            display_ip=None,
            display_port=None,
            display_mode="rerun",
            display_compressed_images=False,
            play_sounds=False,
        )
        arm, said, script = Arm(), [], {}
        leader = Leader(script)
        monkeypatch.setattr(module, "make_robot_from_config", lambda config: arm)
        monkeypatch.setattr(module, "make_teleoperator_from_config", lambda config: leader)
        given = iter(answers)
        monkeypatch.setattr(module, "Keys", Mock(return_value=Mock(ask=lambda question: next(given))))
        session = Session(config, said.append)

        def press(key):
            session._mark_keys.press(key, time.perf_counter())

        script.update(
            {
                number: [action if callable(action) else lambda key=action: press(key) for action in actions]
                for number, actions in keys.items()
            }
        )
        return session.run(), arm, said

    made.root = root
    return made


def test_marks_pauses_and_edits_of_a_session_that_is_resumed(recorded):
    root = recorded.root
    annotations = root.with_name("picks_annotations.txt")

    def edited():
        assert lock_path(root).exists()
        text = annotations.read_text()
        assert "00: 4-" in text
        annotations.write_text(text.replace("00: 4-", "00: 1-2   # slipped"))

    keys = {3: ["S"], 5: ["p"], 9: ["p"], 14: ["n"], 16: [edited], 18: ["s", "n"]}
    report, arm, said = recorded(keys, 2)
    assert report.failure is None, report
    assert (report.recorded, report.total, report.shutdown) == (2, 2, [])
    sidecar = read(root / "meta/grasp_recording.json")["episodes"]
    assert [episode["length"] for episode in sidecar.values()] == [11, 4]
    assert [episode["success"] for episode in sidecar.values()] == [[[3, 11]], [[3, 4]]]
    assert [frame for frame, _ in sidecar["0"]["pauses"]] == [5]
    assert set(sidecar["0"]["timing"]) >= {"rate", "dropped_frames", "slow", "max_period_ms"}
    places = [action["elbow.pos"] for action in arm.sent[:15]]
    assert places == [0.0, 0.1, 0.2, 0.3, 0.4, *[0.4] * 4, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]
    assert annotations.read_text() == "# dataset path: lab/picks\n00: 1-2   # slipped\n01: 4-\n"
    assert "picks_annotations.txt was edited: it has new labels for episode 0." in said
    assert any(line.startswith("PAUSED") for line in said)
    arm.continue_recording.assert_not_called()
    assert not lock_path(root).exists()

    report, arm, said = recorded({2: ["n"]}, 1, resume=True)
    assert (report.failure, report.recorded, report.total) == (None, 1, 3)
    arm.continue_recording.assert_called_once_with(root, 2)
    assert annotations.read_text().splitlines()[1:] == ["00: 1-2   # slipped", "01: 4-", "02: all fail"]
    assert verify_dataset(root, thorough=False).ok


def test_an_earlier_episode_is_replaced_and_one_deleted(recorded, capsys):
    root = recorded.root
    keys = {2: ["n"], 5: ["n"], 9: ["n"], 14: ["s"], 15: ["n"]}
    answers = ["", "", "r 0", "d 1", "2-3", "", ""]
    report, _, said = recorded(keys, 3, answers)
    assert (report.failure, report.recorded) == (None, 4)  # the replacement is one more
    assert "  episode 0 is replaced by the next accepted episode: this one, if accepted" in said
    lengths = [len(rows) for rows in actions(root)]
    options = GraspOptions(relabel="always")
    assert finish(options, report, lambda question: "", False, False)
    printed = capsys.readouterr().out
    assert "  episode 0 is replaced by episode 3\n  episode 1 is deleted\n" in printed
    assert [len(rows) for rows in actions(root)] == [lengths[3], lengths[2]]
    assert "Labels changed" not in printed
    text = root.with_name("picks_annotations.txt").read_text()
    assert text.splitlines()[2] == "01: 2-3"
    assert verify_dataset(root, thorough=False).ok


def test_the_display_shows_the_state_of_the_mark(recorded, monkeypatch):
    shown = []
    loop = module.record_loop

    def watched(*, robot_observation_processor, **given):
        def processor(raw):
            seen = robot_observation_processor(raw)
            shown.append(seen["success"])
            return seen

        loop(robot_observation_processor=processor, **given)

    monkeypatch.setattr(module, "record_loop", watched)
    report, _, _ = recorded({2: ["s"], 5: ["f", "n"]}, 1)
    assert (report.failure, report.recorded) == (None, 1)
    assert shown == [0, 0, 0, 1, 1, 1]
    assert "success" not in json.loads((recorded.root / "meta/info.json").read_text())["features"]


def actions(root):
    """The recorded actions, by episode."""
    import pyarrow.dataset

    files = sorted(str(path) for path in (root / "data").rglob("*.parquet"))
    rows = pyarrow.dataset.dataset(files).to_table(columns=["episode_index", "index", "action"])
    found = {}
    for row in rows.sort_by("index").to_pylist():
        found.setdefault(row["episode_index"], []).append(row["action"])
    return [found[episode] for episode in sorted(found)]
