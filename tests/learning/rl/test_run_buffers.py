"""Replay buffers come back from disk as they were; a kill leaves those of the checkpoint before."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lerobot.rl.buffer")

from lerobot.rl.buffer import ReplayBuffer  # noqa: E402

from lerobot_grasp_plugin.core.run_files import BUFFERS  # noqa: E402
from lerobot_grasp_plugin.findings.problem import DataError  # noqa: E402
from lerobot_grasp_plugin.learning.rl import run_buffers  # noqa: E402
from lerobot_grasp_plugin.learning.rl.run_buffers import (  # noqa: E402
    OFFLINE,
    ONLINE,
    initialized,
    load_buffer,
    save_buffers,
    save_with_buffers,
)

IMAGE, STATE = "observation.images.wrist", "observation.state"


def empty(capacity=10):
    return ReplayBuffer(
        capacity=capacity, device="cpu", state_keys=[STATE, IMAGE], use_drq=False, optimize_memory=True
    )


def filled(count, *, capacity=10, levels=True, info=True):
    """A buffer of ``count`` transitions; images are n / 255 where ``levels``."""
    random, buffer = np.random.default_rng(count), empty(capacity)

    def state():
        pixels = random.integers(0, 256, (1, 3, 4, 4)) / 255 if levels else random.random((1, 3, 4, 4))
        return {
            STATE: torch.tensor(random.normal(size=(1, 6)), dtype=torch.float32),
            IMAGE: torch.tensor(pixels, dtype=torch.float32),
        }

    for number in range(count):
        buffer.add(
            state=state(),
            action=torch.tensor(random.normal(size=(1, 4)), dtype=torch.float32),
            reward=float(number),
            next_state=state(),
            done=number % 3 == 2,
            truncated=number % 4 == 3,
            complementary_info={"discrete_penalty": torch.tensor([-0.02 * number])} if info else None,
        )
    return buffer


def transitions(buffer):
    """Every tensor of a buffer, oldest transition first."""
    order = (torch.arange(buffer.size) + buffer.position - buffer.size) % buffer.capacity
    tensors = run_buffers._tensors(buffer)
    return {key: tensor[order] for key, tensor in tensors.items()}


def assert_equal(one, other):
    one, other = transitions(one), transitions(other)
    assert one.keys() == other.keys()
    for key, tensor in one.items():
        assert tensor.dtype == other[key].dtype
        assert torch.equal(tensor, other[key]), key


@pytest.mark.parametrize("rows", [1, 3, 1024])
@pytest.mark.parametrize("levels", [True, False])
@pytest.mark.parametrize("info", [True, False])
@pytest.mark.parametrize("count", [1, 7, 10, 14])
def test_a_buffer_comes_back_as_it_was(tmp_path, monkeypatch, count, info, levels, rows):
    monkeypatch.setattr(run_buffers, "_ROWS", rows)
    buffer, other = filled(count, info=info, levels=levels), filled(5)
    save_buffers(tmp_path / BUFFERS, {ONLINE: buffer, OFFLINE: other})
    for name, saved in ((ONLINE, buffer), (OFFLINE, other)):
        loaded = empty()
        load_buffer(tmp_path / BUFFERS, name, loaded)
        assert_equal(loaded, saved)
    with np.load(tmp_path / BUFFERS) as archive:
        assert archive[f"online/states/{IMAGE}"].dtype == (np.uint8 if levels else np.float32)


def test_a_buffer_goes_on_where_it_was(tmp_path):
    buffer, loaded = filled(14), empty()
    save_buffers(tmp_path / BUFFERS, {ONLINE: buffer})
    load_buffer(tmp_path / BUFFERS, ONLINE, loaded)
    for one in (buffer, loaded):
        for number in range(4):
            state = {STATE: torch.full((1, 6), float(number)), IMAGE: torch.zeros(1, 3, 4, 4)}
            one.add(state, torch.zeros(1, 4), 1.0, state, False, False, {"discrete_penalty": torch.zeros(1)})
    assert_equal(loaded, buffer)
    assert loaded.sample(4)["action"].shape == (4, 4)


def test_a_smaller_buffer_keeps_the_newest_transitions(tmp_path):
    loaded = empty(capacity=4)
    save_buffers(tmp_path / BUFFERS, {ONLINE: filled(9)})
    load_buffer(tmp_path / BUFFERS, ONLINE, loaded)
    assert transitions(loaded)["rewards"].tolist() == [5.0, 6.0, 7.0, 8.0]


class Killed(BaseException):
    """Stands for ``kill -9``."""


@pytest.mark.parametrize("killed_at", range(5))
def test_a_kill_leaves_the_buffers_of_the_checkpoint_before(tmp_path, monkeypatch, killed_at):
    first = filled(7)
    save_buffers(tmp_path / BUFFERS, {ONLINE: first})
    write, moments = run_buffers._write, iter(range(100))

    def killed(*arguments):
        if next(moments) == killed_at:
            raise Killed
        write(*arguments)

    monkeypatch.setattr(run_buffers, "_write", killed)
    with pytest.raises(Killed):
        save_buffers(tmp_path / BUFFERS, {ONLINE: filled(9)})
    loaded = empty()
    load_buffer(tmp_path / BUFFERS, ONLINE, loaded)
    assert_equal(loaded, first)


def test_what_a_killed_save_left_is_removed_by_the_next_one(tmp_path):
    (tmp_path / f".{BUFFERS}.0a1b").write_bytes(b"torn")
    (tmp_path / "notes.txt").write_text("mine")
    save_buffers(tmp_path / BUFFERS, {ONLINE: filled(2)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", BUFFERS]


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / BUFFERS
    if content is None:
        save_buffers(path, {"another": filled(2)})
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"(?s){BUFFERS}.*bad-replay-buffer.*copy the whole folder"):
        load_buffer(path, ONLINE, empty())


def test_lerobot_saves_its_checkpoint_and_not_the_buffers(tmp_path):
    saved = []

    def save(*, cfg, replay_buffer, offline_replay_buffer=None, **arguments):
        replay_buffer.to_lerobot_dataset("lab/run", fps=10, root=tmp_path / "dataset")
        saved.append((offline_replay_buffer, arguments))

    config = SimpleNamespace(output_dir=str(tmp_path))
    save_with_buffers(
        save, cfg=config, replay_buffer=filled(3), offline_replay_buffer=filled(4), fps=10, policy="policy"
    )
    assert saved == [(None, {"fps": 10, "policy": "policy"})]
    assert [path.name for path in tmp_path.iterdir()] == [BUFFERS]


def test_a_resumed_run_reads_the_file_and_another_one_is_lerobots(tmp_path):
    features = dict.fromkeys([STATE, IMAGE])
    policy = SimpleNamespace(input_features=features, online_buffer_capacity=10, offline_buffer_capacity=20)
    config = SimpleNamespace(resume=True, policy=policy)

    def lerobots(*arguments):
        return "LeRobot's"

    path, buffer = tmp_path / BUFFERS, filled(6)
    assert (
        initialized(lerobots, ONLINE, path, cfg=config, device="cpu", storage_device="cpu") == "LeRobot's"
    )  # saved by LeRobot
    save_buffers(path, {ONLINE: filled(3), OFFLINE: buffer})
    loaded = initialized(lerobots, OFFLINE, path, cfg=config, device="cpu", storage_device="cpu")
    assert loaded.capacity == 20
    assert transitions(loaded)["rewards"].tolist() == transitions(buffer)["rewards"].tolist()
    config.resume = False
    assert initialized(lerobots, ONLINE, path, cfg=config, device="cpu", storage_device="cpu") == "LeRobot's"
