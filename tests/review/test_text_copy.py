"""Labels in JSON or CSV go on as text; what the command says where it starts."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.review import main
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.findings.problem import AnnotationError, UsageError
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.review.change import Change
from lerobot_grasp_plugin.review.session import Session
from lerobot_grasp_plugin.review.text_copy import other_form, text_copy
from tests.support.deadline import DEADLINE_S

JSON = """{"index_base": 0, "episodes": {"0": {"success_start": 3},
 "1": {"ranges": [[0, 1], [3, null]], "exclude": [1]}, "4": null}}"""


def label(session: Session, episode: int, ranges: list[FrameInterval] | None) -> None:
    session.apply(Change("tab", session.serial + 1, episode, session.labels.get(episode), ranges))


def test_json_goes_on_as_text(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    given = tmp_path / "mine.json"
    given.write_text(JSON)
    assert other_form(given) == "JSON"
    (source,) = open_sources([SourceConfig(root=recorded("av1"))], [])
    path = text_copy(given, None, source)
    assert path.read_text() == "# index_base: 0\n00: 3-\n01: 0, 3-\n04: all fail\n"
    session = Session(source, path, None)
    label(session, 4, None)
    label(session, 0, [])
    assert Session(source, path, None).labels == session.labels  # a restart finds them
    assert path.read_text() == "# index_base: 0\n00: all fail\n01: 0, 3-\n"
    assert given.read_text() == JSON
    with pytest.raises(UsageError, match=r"mine\.txt already"):
        text_copy(given, None, source)
    assert path.read_text() == "# index_base: 0\n00: all fail\n01: 0, 3-\n"


def test_csv_goes_on_as_text(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    given = tmp_path / "mine.csv"
    given.write_text("# left_arm\n# index_base: 0\nepisode,start,end\r\n0,3,\r\n1,0,0\r\n1,3,\r\n4,,\r\n")
    assert other_form(given) == "CSV"
    (source,) = open_sources([SourceConfig(root=recorded("av1"))], [])
    path = text_copy(given, None, source)
    assert path.read_text() == "# index_base: 0\n# left_arm\n00: 3-\n01: 0, 3-\n04: all fail\n"
    session = Session(source, path, None)
    label(session, 0, [])
    assert "# left_arm\n00: all fail\n" in path.read_text()
    given.with_name("short.csv").write_text("episode,frame,reward\n0,0,1\n")
    with pytest.raises(AnnotationError, match="frames-missing"):
        text_copy(given.with_name("short.csv"), 0, source)
    assert not (tmp_path / "short.txt").exists()


def test_a_remark_stays_and_a_doubtful_header_is_named(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("0: 3-\n# re-check\n1: 4-\n")
    (source,) = open_sources([SourceConfig(root=recorded("av1"))], [])
    session = Session(source, path, None)
    assert sorted(session.labels) == [0, 1]
    label(session, 1, [])
    assert path.read_text() == "0: 3-\n# re-check\n01: all fail\n".replace("01:", "1:")
    path.write_text("0: 3-\n# left/right\n1: 4-\n")
    with pytest.raises(AnnotationError, match="header-doubtful"):
        Session(source, path, None)
    path.write_text("0: 3-\n# av1\n1: 4-\n")
    assert sorted(Session(source, path, None).labels) == [0, 1]


@pytest.mark.parametrize(
    ("text", "code"), [('{"0": {"success_start": 3}}', 1), ('{"index_base": 1, "episodes": {}}', 1)]
)
def test_json_that_cannot_go_on(
    recorded: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int
) -> None:
    given = tmp_path / "labels.txt"
    given.write_text(text)
    assert main(["--root", str(recorded("av1")), "--annotations", str(given)]) == code
    assert "labels.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["labels.txt"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Open http://"),
        ("# soon\n", "Open http://"),
        (
            "# dataset path: me/other\n0: 3-\n1: all fail\n",
            "(sections found: me/other (line 1, 2 episodes)); the first ",
        ),
    ],
)
def test_a_file_without_labels_of_this_dataset(
    recorded: Callable[[str], Path],
    tmp_path: Path,
    text: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    (tmp_path / "labels.txt").write_text(text)
    call = ["--root", str(recorded("av1")), "--annotations", f"{tmp_path}/labels.txt", "--port", "0"]
    assert main(call) == 0
    assert said in capsys.readouterr().out.splitlines()[1]


def test_it_says_where_labels_are_and_warns_when_others_can_reach_it(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text(JSON)
    program = Path(sys.executable).parent / "lerobot-grasp-review"
    call = [program, "--root", recorded("av1"), "--annotations", tmp_path / "mine.json"]
    call += ["--port", "0", "--host", "0.0.0.0"]
    process = subprocess.Popen(
        [str(part) for part in call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    address = said[2].removeprefix("Open ").strip()
    assert urllib.request.urlopen(address, timeout=DEADLINE_S).status == 200
    assert process.stderr is not None
    errors = process.stderr.readline()
    process.terminate()
    errors += process.communicate(timeout=DEADLINE_S)[1]
    assert (
        said[0]
        == f"mine.json is JSON; its labels are copied to {tmp_path / 'mine.txt'}, where all changes go.\n"
    )
    assert said[2].startswith("Open http://")
    assert "0.0.0.0" not in said[2]
    assert "other machines can reach this page" in errors
