import pytest

from lerobot_grasp_plugin.commands.truth import main
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.sim.truth import EpisodeTruth, Truth
from lerobot_grasp_plugin.sim.truth_labels import truth_annotations
from tests.support.factories import Recording, record

HELD = [False, True, True, False, True, True]
LIFTED = [False, False, True, False, False, True]


def episode(number, held, lifted):
    frames = [Truth(one, other, (0.2, 0.0, 0.01)) for one, other in zip(held, lifted, strict=True)]
    return EpisodeTruth(number, number, frames)


@pytest.mark.parametrize(
    ("what", "line"), [("held", "00: 2-3, 5-"), ("lifted", "00: 3, 6-"), ("grasped", "00: 3, 6-")]
)
def test_frames_become_ranges(what, line):
    text = truth_annotations(
        "me/sim", {0: episode(0, HELD, LIFTED), 3: episode(3, [False] * 2, [False] * 2)}, what
    )
    assert line in text
    assert "03: all fail" in text
    (section,) = parse(text, name="truth").annotations.sections
    assert section.dataset == "me/sim"


def test_the_command_writes_the_file_and_never_over_another(tmp_path, capsys):
    root = record(tmp_path / "set", Recording(lengths=(6,), cameras=()))
    episode(0, HELD, LIFTED).write(tmp_path / "set_sim_truth")
    labels = tmp_path / "labels.txt"
    assert main([f"--root={root}", f"--annotations={labels}", "--what=held"]) == 0
    assert "00: 2-3, 5-" in labels.read_text()
    assert main([f"--root={root}", f"--annotations={labels}"]) == 2
    assert "target-exists" in capsys.readouterr().err


def test_a_truth_of_other_episodes_is_refused(tmp_path, capsys):
    root = record(tmp_path / "set", Recording(lengths=(6, 7, 6), cameras=()))
    for number in (0, 1, 3):
        episode(number, HELD, LIFTED).write(tmp_path / "set_sim_truth")
    assert main([f"--root={root}", f"--annotations={tmp_path / 'labels.txt'}"]) == 1
    error = capsys.readouterr().err
    assert "episode 1 has 6 frames here, but 7 in" in error
    assert "the truth of episode 2 of" in error
    assert "episode 3 is not in" in error
    assert not (tmp_path / "labels.txt").exists()


def test_a_recording_without_truth_is_named(tmp_path, capsys):
    assert main([f"--root={tmp_path}", f"--annotations={tmp_path / 'x.txt'}"]) == 2
    assert "no-truth" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([f"--root={tmp_path}", "--annotations=x.txt", "--what=seen"])
    assert ended.value.code == 2
