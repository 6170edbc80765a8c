"""The replay buffer filled in one pass, judged by the one LeRobot fills from single items."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.rl.buffer import ReplayBuffer

from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.learning.data import blocks
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.rl import offline_buffer

WRIST, FRONT, EYE = (f"observation.images.{name}" for name in ("wrist", "front", "eye"))
CROPPED = ImagePreprocessing({WRIST: (2, 10, 60, 60)}, (24, 24))
MARKS = "# index_base: 1\n00: 3-4, 6-\n01: all fail\n02: 2-\n03: all success\n04: 8\n"


class Single(GraspDataset):
    """Items one by one, as LeRobot reads them."""

    def __getitem__(self, idx: Any) -> Any:
        return LeRobotDataset.__getitem__(self, idx)


@pytest.fixture
def stock_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seam for one test; what comes to LeRobot's own way is noted."""
    calls: list[int] = []
    stock = ReplayBuffer.from_lerobot_dataset.__func__

    def noted(cls, lerobot_dataset, **options):
        calls.append(len(lerobot_dataset))
        return stock(cls, lerobot_dataset, **options)

    noted.__signature__ = offline_buffer.inspect.signature(stock)
    monkeypatch.setattr(ReplayBuffer, "from_lerobot_dataset", classmethod(noted))
    offline_buffer.install_offline_buffer()
    return calls


def filled(dataset: GraspDataset, keys: list[str], **options: Any) -> ReplayBuffer:
    return ReplayBuffer.from_lerobot_dataset(dataset, device="cpu", state_keys=keys, **options)


def parts(buffer: ReplayBuffer) -> dict[str, torch.Tensor]:
    rows = slice(buffer.size)
    return {
        **{key: values[rows] for key, values in buffer.states.items()},
        **{f"next {key}": values[rows] for key, values in buffer.next_states.items()},
        **{f"info {key}": values[rows] for key, values in buffer.complementary_info.items()},
        **{name: getattr(buffer, name)[rows] for name in ("actions", "rewards", "dones", "truncateds")},
    }


def assert_same(made: ReplayBuffer, expected: ReplayBuffer) -> None:
    for name in ("size", "position", "capacity", "device", "optimize_memory", "state_keys"):
        assert getattr(made, name) == getattr(expected, name), name
    assert (made.next_states is made.states) == (expected.next_states is expected.states)
    ours, theirs = parts(made), parts(expected)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        assert ours[name].dtype == values.dtype, name
        assert torch.equal(ours[name], values), name


@pytest.mark.parametrize(
    ("name", "keys", "dataset_options", "buffer_options"),
    [
        ("av1", [WRIST, "observation.state"], {}, {"optimize_memory": True}),
        ("av1", [WRIST], {"preprocessing": CROPPED}, {"optimize_memory": False}),
        ("av1", ["observation.state"], {}, {"capacity": 50}),
        ("av1", ["observation.state"], {"done": "first_success"}, {"optimize_memory": True}),
        ("av1", [WRIST], {"episodes": [3, 1], "done": "first_success"}, {"optimize_memory": False}),
        ("av1", [WRIST], {"return_uint8": True}, {"capacity": 36, "optimize_memory": True}),
        ("split", [WRIST, FRONT, "observation.state"], {}, {}),
        ("odd", [EYE], {"preprocessing": ImagePreprocessing({}, (16, 20))}, {}),
    ],
)
def test_it_is_lerobots_buffer(recorded, annotated, stock_calls, name, keys, dataset_options, buffer_options):
    labels: dict[str, Any] = {"annotations": annotated(MARKS)} if name == "av1" else {}
    options = {"video_backend": "pyav", **labels, **dataset_options}
    expected = filled(Single("lab/set", recorded(name), **options), keys, **buffer_options)
    assert len(stock_calls) == 1
    made = filled(GraspDataset("lab/set", recorded(name), **options), keys, **buffer_options)
    assert len(stock_calls) == 1
    assert_same(made, expected)


def test_each_image_is_decoded_once(recorded, stock_calls, monkeypatch):
    decoded: Counter[tuple[Path, int]] = Counter()
    decode = blocks.decode_segment

    def counted(path, start, length, fps):
        for frame, pixels in decode(path, start, length, fps):
            decoded[path, start + frame] += 1
            yield frame, pixels

    monkeypatch.setattr(blocks, "decode_segment", counted)
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 1)  # two items a block, so that episodes are cut up
    dataset = GraspDataset("lab/set", recorded("split"), video_backend="pyav")
    buffer = filled(dataset, [FRONT])
    assert len(decoded) == decoded.total() == len(dataset) == buffer.size
    assert not stock_calls


def test_complementary_info_comes_along(tmp_path, stock_calls):
    features = {
        "observation.state": {"dtype": "float32", "shape": (3,), "names": None},
        "action": {"dtype": "float32", "shape": (4,), "names": None},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
        "complementary_info.discrete_penalty": {"dtype": "float32", "shape": (1,), "names": ["penalty"]},
    }
    made = LeRobotDataset.create("lab/set", 10, features, tmp_path / "set", use_videos=False)
    draw = np.random.default_rng(3)
    for length in (4, 1, 3):
        for frame in range(length):
            row = {key: draw.normal(size=value["shape"]).astype("float32") for key, value in features.items()}
            made.add_frame(row | {"next.done": np.array([frame == 1]), "task": "push"})
        made.save_episode()
    made.finalize()
    keys = ["observation.state"]
    expected = filled(Single("lab/set", tmp_path / "set"), keys)
    assert_same(filled(GraspDataset("lab/set", tmp_path / "set"), keys), expected)
    assert len(stock_calls) == 1


def test_what_cannot_be_read_in_one_pass_is_left_to_lerobot(recorded, copied, stock_calls):
    whole = GraspDataset("lab/set", recorded("av1"), video_backend="pyav")
    with pytest.raises(ValueError, match="State keys must be provided"):
        filled(whole, None)
    with pytest.raises(ValueError, match="capacity of the ReplayBuffer"):
        filled(whole, [WRIST], capacity=10)
    with pytest.raises(KeyError, match=r"next\.reward"):
        filled(GraspDataset("lab/set", recorded("unlabelled"), video_backend="pyav"), [WRIST])
    windows = GraspDataset(
        "lab/set", recorded("av1"), video_backend="pyav", delta_timestamps={"observation.state": [0.0]}
    )
    filled(windows, ["observation.state"])
    plain = LeRobotDataset("lab/set", recorded("av1"), video_backend="pyav")
    filled(plain, ["observation.state"])
    damaged = copied("av1")
    video = next((damaged / "videos").rglob("*.mp4"))
    half = bytearray(video.read_bytes())
    half[len(half) // 3 : len(half) // 2] = bytes(len(half) // 2 - len(half) // 3)
    video.write_bytes(half)
    outcomes = []
    for kind in (Single, GraspDataset):
        try:
            outcomes.append(parts(filled(kind("lab/set", damaged, video_backend="pyav"), [WRIST])).keys())
        except Exception as error:
            outcomes.append(type(error.__cause__ if isinstance(error, VideoError) else error))
    assert outcomes[0] == outcomes[1]
    assert len(stock_calls) == 7


def test_a_buffer_that_is_not_loaded_is_left_alone(monkeypatch):
    monkeypatch.delitem(offline_buffer.sys.modules, offline_buffer.MODULE)
    before = ReplayBuffer.from_lerobot_dataset.__func__
    offline_buffer.install_offline_buffer()
    assert ReplayBuffer.from_lerobot_dataset.__func__ is before
