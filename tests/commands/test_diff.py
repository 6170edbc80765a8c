"""``lerobot-grasp-diff`` as it is typed: text, JSON, exit codes, revisions of the Hub."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.diff import main
from tests.support import fake_hub
from tests.support.command_call import ended_by
from tests.support.differing import Rows, write_rows
from tests.support.factories import Legacy, tree, write_legacy

EPISODES = [Rows.made(seed, length) for seed, length in enumerate((9, 7, 12, 8, 6, 10, 11, 5))]


ended = partial(ended_by, main)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_rows(tmp_path / "a", EPISODES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def relabelled(rows: Rows, *frames: int) -> Rows:
    reward = rows.reward.copy()
    reward[list(frames)] += 1
    return replace(rows, reward=reward)


def test_equal_datasets_end_in_0(here: Path, capsys) -> None:
    write_rows(here / "b", EPISODES)
    before = tree(here)
    assert ended(["a", "b"], capsys) == (
        0,
        "A: a (v2.1, 8 episodes, 68 frames)\n"
        "B: b (v2.1, 8 episodes, 68 frames)\n"
        "=== Episodes ===\n"
        "same: 8\n"
        "The datasets are equal.\n",
        "",
    )
    assert tree(here) == before


def test_every_kind_in_its_place(here: Path, capsys) -> None:
    """Frames count from 1, as in an annotation file; three lines of each kind."""
    zero, one, two, three, four, five, six, seven = EPISODES
    action = five.action.copy()
    action[[2, 3]] += 1
    new = [
        *(relabelled(zero, 3, 4, 8), relabelled(one, 0), relabelled(two, 1), relabelled(three, 2)),
        *(four, six, seven.cut(1, 4), replace(five, action=action), Rows.made(99, 4)),
    ]
    write_rows(here / "b", [replace(rows, task="place") if rows is four else rows for rows in new])
    code, out, err = ended(["a", "b"], capsys)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "A: a (v2.1, 8 episodes, 68 frames)",
        "B: b (v2.1, 9 episodes, 70 frames)",
        "=== Dataset ===",
        "task 'place': only in B",
        "=== Episodes ===",
        "moved: 1",
        "  A 6 -> B 5",
        "relabelled: 4",
        "  episode 0: next.reward differs in frames 4-5, 9",
        "  episode 1: next.reward differs in frame 1",
        "  episode 2: next.reward differs in frame 2",
        "  ... and 1 more (--format json lists all)",
        "retasked: 1",
        "  episode 4: task 'pick' in A, 'place' in B",
        "cut: 1",
        "  B 6 is frames 2-4 of A 7 (5 frames)",
        "changed: 1",
        "  A 5 -> B 7: action differs in 2 of 10 frames (first frame 3)",
        "only in B: 1",
        "  episode 8",
        "The datasets differ.",
    ]


def test_json(here: Path, capsys) -> None:
    write_rows(here / "b", [EPISODES[0], relabelled(EPISODES[1], 0, 1)])
    code, out, _ = ended(["a", "--format", "json", "b"], capsys)
    assert code == 1
    report = json.loads(out)
    assert (report["format"], report["index_base"], report["equal"]) == (1, 0, False)
    assert report["a"] == {
        "repo_id": "a",
        "root": "a",
        "codebase_version": "v2.1",
        "episodes": 8,
        "frames": 68,
    }
    assert report["episodes"][1]["labels"] == {"next.reward": [[0, 2]]}
    assert report["counts"]["only in A"] == 6


def test_packets_are_named_as_packets(tmp_path: Path, capsys) -> None:
    a = write_legacy(tmp_path / "a", Legacy(lengths=(6, 4)))
    b = write_legacy(tmp_path / "b", Legacy(lengths=(6, 4)))
    video = sorted((b / "videos").rglob("*.mp4"))
    video[0].write_bytes(sorted((a / "videos").rglob("*.mp4"))[1].read_bytes())
    code, out, _ = ended([a, b], capsys)
    assert code == 1
    camera = "observation.images.wrist"
    assert f"  episode 0: packets of {camera} differ in 6 of 6 frames (first frame 1)" in out.splitlines()
    assert "Video packets differ; the decoded images were not compared." in out
    code, out, _ = ended([a, b, "--level", "data"], capsys)
    assert code == 0
    assert "Videos were not compared (--level data)." in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], ["give two datasets, not 0"]),
        (["a"], ["give two datasets, not 1"]),
        (["a", "a", "a"], ["give two datasets, not 3"]),
        (["a", "./none"], ["the folder does not exist"]),
        (["no/one", "./none"], ["'no/one' is not at", "the folder does not exist"]),
        (["a", "lab/x y"], ["bad-repo-id"]),
        (["a", "a", "--levle", "data"], ["did you mean --level?"]),
        (["a", "a", "--format", "yaml"], ["must be one of text, json"]),
    ],
)
def test_calls_at_fault_end_in_2(args: list[str], said: list[str], here: Path, lerobot_home, capsys) -> None:
    code, out, err = ended(args, capsys)
    assert (code, out) == (2, "")
    for text in said:
        assert text in err
    assert "--root" not in err


def test_damaged_data_ends_in_1(here: Path, capsys) -> None:
    write_rows(here / "b", EPISODES)
    next((here / "b/data").rglob("*.parquet")).write_bytes(b"PAR1")
    code, out, err = ended(["a", "b"], capsys)
    assert (code, out) == (1, "")
    assert "bad-parquet" in err


def test_linked_videos(tmp_path: Path, capsys) -> None:
    a = write_legacy(tmp_path / "a", Legacy(lengths=(4,)))
    b = write_legacy(tmp_path / "b", Legacy(lengths=(4,)))
    (b / "videos").rename(tmp_path / "elsewhere")
    (b / "videos").symlink_to(tmp_path / "elsewhere")
    code, _, err = ended([a, b], capsys)
    assert code == 1
    assert "--follow_links true" in err
    assert ended(["--follow_links", a, b], capsys)[0] == 0


def test_revisions_of_the_hub(here: Path, lerobot_home: Path) -> None:
    """``owner/name@revision``, each from the Hub, whatever is in LeRobot's home folder."""

    def files(root: Path) -> dict[str, bytes]:
        return {
            path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
        }

    changed = write_rows(here / "b", [relabelled(EPISODES[0], 2), *EPISODES[1:]])
    program = [sys.executable, "-m", "lerobot_grasp_plugin.commands.diff"]
    with fake_hub.serving() as hub:
        repo = hub.add("lab/set", files(here / "a"))
        repo.tags["first"] = repo.head
        repo.commit(files(changed), "new labels")
        variables = {"PATH": "", "HF_LEROBOT_HOME": str(lerobot_home), **hub.environment()}

        def run(*args: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*program, *args], env=variables, check=False, capture_output=True, text=True
            )

        done = run("lab/set@first", "lab/set@main")
        assert done.returncode == 1, done.stderr
        assert "  episode 0: next.reward differs in frame 3" in done.stdout.splitlines()
        assert run("lab/set@first", str(here / "a")).returncode == 0
        done = run("lab/set@gone", "lab/set")
        assert done.returncode == 2
        assert "revision 'gone' of 'lab/set' cannot be downloaded from the Hub" in done.stderr


def test_it_compares_without_what_takes_long(recorded: Callable[[str], Path]) -> None:
    program = (
        "import sys\nfrom lerobot_grasp_plugin.commands.diff import main\n"
        f"assert main([{str(recorded('av1'))!r}] * 2) == 0\n"
        "print('slow:', sorted({'torch', 'lerobot', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.endswith("slow: []\n")
