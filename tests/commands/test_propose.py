"""``lerobot-grasp-propose``: a draft for a whole dataset, nothing overwritten, nothing heavy loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lerobot_grasp_plugin import RelabelConfig, relabel
from lerobot_grasp_plugin.commands.propose import main
from tests.support.factories import tree
from tests.support.labelled_set import labelled_set


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset whose rewards come from an annotation file."""
    return labelled_set(tmp_path)


def test_a_draft_of_recorded_rewards_gives_the_same_labels(root: Path, tmp_path: Path, capsys) -> None:
    draft = tmp_path / "draft.txt"
    before = tree(root)
    assert main(["--root", str(root), "--labeler.type=column", "--output_path", str(draft)]) == 0
    out, err = capsys.readouterr()
    assert (err, out.splitlines()) == (
        "",
        [
            "column proposes 8 of 35 frames of 5 episodes as success",
            f"Wrote the draft to {draft}; look through it before you use it",
        ],
    )
    assert tree(root) == before
    report = relabel(RelabelConfig(root=root, annotations=draft, new_root=tmp_path / "new"))
    assert [row.success_frames for row in report.episodes] == [2, 1, 2, 0, 3]


def test_episodes_without_a_proposal_are_named(root: Path, tmp_path: Path, capsys) -> None:
    theirs, draft = tmp_path / "theirs.txt", tmp_path / "draft.txt"
    theirs.write_text("01: 2-\n03: all fail\n")
    call = ["--root", str(root), "--episodes", "1-4", "--labeler.type=file"]
    assert main([*call, f"--labeler.path={theirs}", f"--output_path={draft}"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "file proposes 4 of 11 frames of 2 episodes as success",
        "No proposal for episodes 2, 4",
    ]
    assert [line for line in draft.read_text().splitlines() if line[0] != "#"] == ["01: 2-", "03: all fail"]


def test_an_existing_file_is_never_overwritten(root: Path, tmp_path: Path, capsys) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_text("00: 3-\n")
    assert main(["--root", str(root), "--labeler.type=column", "--output_path", str(draft)]) == 2
    assert "[target-exists]" in capsys.readouterr().err
    assert draft.read_text() == "00: 3-\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "--labeler.type and --output_path must be given (labelers: "),
        (["--labeler.type=gripper"], "--output_path must be given"),
        (["--labeler.type=grippr", "--output_path=x"], "gripper"),
        (["--labeler.type=gripper", "--labeler.readin=held", "--output_path=x"], "--labeler.reading"),
        (["--labeler.type=gripper", "--labeler.reading=hold", "--output_path=x"], "let_go"),
    ],
)
def test_a_wrong_call(args: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("labeler", ["gripper", "column", "file"])
def test_neither_lerobot_nor_torch_nor_pandas_is_loaded(labeler: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("00: 2-\n")
    call = ["--root", str(root), f"--labeler.type={labeler}", "--output_path=draft.txt"]
    call += ["--labeler.path=theirs.txt"] if labeler == "file" else []
    program = (
        "import sys\n"
        "from lerobot_grasp_plugin.commands.propose import main\n"
        f"code = main({call!r})\n"
        "print(code, sorted({'torch', 'lerobot', 'pandas', 'datasets'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
