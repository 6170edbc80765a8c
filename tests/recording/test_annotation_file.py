"""The annotation file while a session writes it and a person edits it."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import AnnotationError
from lerobot_grasp_plugin.recording.annotation_file import AnnotationFile

SUCCESS = IntervalSet([FrameInterval(2, 4)])
NONE = IntervalSet()
HEADER = "# dataset path: lab/arm\n"


@pytest.fixture
def said():
    return []


@pytest.fixture
def file(tmp_path, said):
    return AnnotationFile(tmp_path / "arm", "lab/arm", said.append)


def test_an_edit_from_outside_outlives_the_next_episode(file, said):
    file.put(0, SUCCESS, 4)
    file.put(1, NONE, 4)
    edited = file.path.read_text().replace("00: 3-", "# looked at twice\n00: 1-2   # slipped")
    file.path.write_text(edited)
    file.put(2, SUCCESS, 5)
    assert file.path.read_text() == edited + "02: 3-4\n"
    assert said == ["arm_annotations.txt was edited: it has new labels for episode 0."]
    file.put(3, NONE, 4)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("answer", "line"), [("", "01: 1"), ("w", "01: 3-"), ("W", "01: 3-"), (None, "01: 1")]
)
def test_two_new_labels_of_one_episode_are_a_question(file, said, answer, line):
    file.put(0, NONE, 4)
    file.path.write_text(file.path.read_text() + "01: 1\n")
    asked = []
    file.ask = lambda question: asked.append(question) or answer
    assert file.put(1, SUCCESS, 4) == (answer in ("w", "W"))
    assert file.path.read_text().splitlines()[-1] == line
    assert len(asked) == 1
    assert said[0] == "arm_annotations.txt was edited: it says `01: 1`, this session `01: 3-`."
    assert file.put(1, SUCCESS, 4)  # the same word again, and now nothing is new in the file
    assert len(asked) == 1


def test_with_nobody_to_ask_the_file_keeps_its_label(file):
    file.put(0, NONE, 4)
    file.path.write_text(f"{HEADER}00: 2\n")
    assert not file.put(0, SUCCESS, 4)
    assert file.path.read_text() == f"{HEADER}00: 2\n"


def test_a_file_with_an_error_is_left_alone_until_it_is_corrected(file, said):
    file.put(0, NONE, 4)
    broken = f"{HEADER}00: all fial\n"
    file.path.write_text(broken)
    assert not file.put(1, SUCCESS, 4)
    assert file.path.read_text() == broken
    assert "all fial" in said[0]
    assert "The labels of episode 1 are in the dataset, but not yet in" in said[0]
    file.path.write_text(f"{HEADER}00: all fail\n")
    file.put(2, NONE, 4)
    assert file.path.read_text() == f"{HEADER}00: all fail\n01: 3-\n02: all fail\n"


def test_a_file_that_is_gone_is_written_again(file, said):
    file.put(0, SUCCESS, 4)
    file.path.unlink()
    file.put(1, NONE, 4)
    assert file.path.read_text() == f"{HEADER}00: 3-\n01: all fail\n"
    assert "was deleted" in said[0]


def test_a_write_that_fails_is_made_up_for(file, said, monkeypatch):
    with monkeypatch.context() as patched:

        def full(path, data):
            raise OSError(28, "No space left on device")

        patched.setattr("lerobot_grasp_plugin.writers.whole.replace_file", full)
        assert not file.put(0, SUCCESS, 4)
    assert "No space left on device" in said[0]
    file.write()
    assert file.path.read_text() == f"{HEADER}00: 3-\n"


def test_lines_of_episodes_that_do_not_exist_are_named(tmp_path, file, said):
    file.put(0, NONE, 4)
    file.put(1, NONE, 4)
    file.keep_below(1)
    assert not said
    again = AnnotationFile(tmp_path / "arm", "lab/arm", said.append)
    again.keep_below(0)
    assert said == ["arm_annotations.txt: `00: all fail` is removed with its episode."]
    assert not file.path.exists()


def test_episodes_of_a_recording_go_to_its_own_section(file, tmp_path, said):
    """Below a remark of one word, and not below the header of another dataset."""
    text = f"{HEADER}00: 3-\n# day2\n01: all fail\n\n# lab/other\n07: 2-\n"
    file.path.write_text(text)
    file = AnnotationFile(tmp_path / "arm", "lab/arm", said.append)
    assert sorted(file.episodes()) == [0, 1]
    file.put(2, SUCCESS, 4)
    assert file.path.read_text() == text.replace("01: all fail\n", "01: all fail\n02: 3-\n")
    file.keep_below(1)
    assert file.path.read_text() == f"{HEADER}00: 3-\n# day2\n\n# lab/other\n07: 2-\n"


def test_a_session_does_not_begin_with_a_file_it_cannot_read(tmp_path, file, said):
    file.path.write_text("00: all fial\n")
    with pytest.raises(AnnotationError, match="all fial"):
        AnnotationFile(tmp_path / "arm", "lab/arm", said.append)
