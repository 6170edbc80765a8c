"""A checkpoint is killed at every moment; the run has a buffer afterwards."""

import pytest

from lerobot_grasp_plugin.errors import DataError
from lerobot_grasp_plugin.learning.rl.run_buffers import BUFFERS, keeping_buffers, restore_buffers


class Killed(BaseException):
    """Stands for ``kill -9``."""


def saver(folder, content, *, killed_at=None):
    """LeRobot's order: delete a buffer, write it, then the next one; killed after some of these."""
    moments = iter(range(100))

    def moment():
        if next(moments) == killed_at:
            raise Killed

    def save():
        moment()
        for name in BUFFERS:
            if (folder / name).exists():
                (folder / name / "rows").unlink()
                (folder / name).rmdir()
            moment()
            (folder / name).mkdir()
            (folder / name / "rows").write_text("torn")
            moment()
            (folder / name / "rows").write_text(content)
            moment()

    return save


def contents(folder):
    return [(folder / name / "rows").read_text() for name in BUFFERS]


def test_a_save_that_ends_leaves_the_new_buffers_alone(tmp_path):
    for content in ("first", "second"):
        keeping_buffers(tmp_path, saver(tmp_path, content))()
        assert contents(tmp_path) == [content, content]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(BUFFERS)
    assert restore_buffers(tmp_path) == []


@pytest.mark.parametrize("killed_at", range(7))
def test_a_kill_in_a_later_save_leaves_the_buffers_of_the_one_before(tmp_path, killed_at):
    keeping_buffers(tmp_path, saver(tmp_path, "first"))()
    with pytest.raises(Killed):
        keeping_buffers(tmp_path, saver(tmp_path, "second", killed_at=killed_at))()
    assert restore_buffers(tmp_path) == list(BUFFERS)
    assert contents(tmp_path) == ["first", "first"]
    keeping_buffers(tmp_path, saver(tmp_path, "third"))()
    assert contents(tmp_path) == ["third", "third"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path):
    keeping_buffers(tmp_path, saver(tmp_path, "first"))()
    (tmp_path / "dataset").rename(tmp_path / "dataset.previous")
    assert restore_buffers(tmp_path) == ["dataset"]
    assert contents(tmp_path) == ["first", "first"]


def test_a_kill_in_the_first_save_is_an_error_that_says_so(tmp_path):
    with pytest.raises(Killed):
        keeping_buffers(tmp_path, saver(tmp_path, "first", killed_at=2))()
    with pytest.raises(DataError, match=r"(?s)first checkpoint .* another output_dir"):
        restore_buffers(tmp_path)
