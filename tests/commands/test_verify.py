"""``lerobot-grasp-verify``: sound datasets pass, and every kind of damage is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import verify_dataset
from lerobot_grasp_plugin.commands.verify import main
from tests.support.factories import RECORDINGS, Legacy, change_info, tree, write_legacy

type Recorded = Callable[[str], Path]

SCRIPT = str(Path(sys.executable).with_name("lerobot-grasp-verify"))


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_lerobot_wrote_is_sound(name: str, recorded: Recorded, capsys) -> None:
    root = recorded(name)
    before = tree(root)
    capsys.readouterr()  # what LeRobot said while it recorded
    assert main(["--root", str(root)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    videos = len(list(root.rglob("*.mp4")))
    data = len(list((root / "data").rglob("*.parquet")))
    assert out.splitlines()[:8] == [
        "=== Verification ===",
        f"Parquet files: {data}",
        f"Video files: {videos}",
        "Global indices: OK (contiguous)",
        "Episode indices: OK",
        "Frame indices: OK",
        "Totals in info.json: OK",
        f"Episodes in metadata: {len(RECORDINGS[name].lengths)}",
    ]
    found = {problem.code for problem in verify_dataset(root).problems if problem.severity != "note"}
    assert found <= {"short-episode", "reward-all-zero"}  # as these recordings are
    assert tree(root) == before


def changed_column(name: str, change: Callable[[list], list]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        path = next((root / "data").rglob("*.parquet"))
        table = pq.ParquetFile(path).read()
        number = table.column_names.index(name)
        values = pa.array(change(table[name].to_pylist()), table[name].type)
        pq.write_table(table.set_column(number, name, values), path)

    return spoil


def fewer_rows(root: Path) -> None:
    path = next((root / "data").rglob("*.parquet"))
    pq.write_table(pq.ParquetFile(path).read().slice(0, 30), path)


def no_video(root: Path) -> None:
    next(root.rglob("*.mp4")).unlink()


def cut_video(root: Path) -> None:
    path = next(root.rglob("*.mp4"))
    path.write_bytes(path.read_bytes()[:900])


def no_data(root: Path) -> None:
    next((root / "data").rglob("*.parquet")).unlink()


def broken_data(root: Path) -> None:
    next((root / "data").rglob("*.parquet")).write_bytes(b"PAR1")


def missing_index(root: Path) -> None:
    path = next((root / "data").rglob("*.parquet"))
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["index"]), path)


def shifted_video(root: Path) -> None:
    path = next((root / "meta/episodes").rglob("*.parquet"))
    table = pq.ParquetFile(path).read()
    name = "videos/observation.images.wrist/from_timestamp"
    starts = [start + 0.03 for start in table[name].to_pylist()]
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(starts)), path)


def late_video(root: Path) -> None:
    path = next((root / "meta/episodes").rglob("*.parquet"))
    table = pq.ParquetFile(path).read()
    name = "videos/observation.images.wrist/from_timestamp"
    starts = [start + 1.0 for start in table[name].to_pylist()]
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(starts)), path)


SPOILERS = {
    "a hole in the index": (changed_column("index", lambda v: [*v[:9], *(n + 1 for n in v[9:])]), "Global"),
    "an index twice": (changed_column("index", lambda v: [*v[:9], v[8], *v[10:]]), "Global"),
    "another episode": (changed_column("episode_index", lambda v: [*v[:9], 4, *v[10:]]), "Episode indices"),
    "a frame twice": (changed_column("frame_index", lambda v: [*v[:9], v[8], *v[10:]]), "Frame"),
    "fewer rows": (fewer_rows, "Parquet"),
    "no video": (no_video, "Video"),
    "a cut video": (cut_video, "Video"),
    "no data": (no_data, "Parquet"),
    "broken data": (broken_data, "Parquet"),
    "no index column": (missing_index, "Parquet"),
    "video off the grid": (shifted_video, "Video"),
    "video past its end": (late_video, "Video"),
    "wrong frames": (lambda root: change_info(root, total_frames=36), "Totals"),
}


@pytest.mark.parametrize("damage", SPOILERS)
def test_damage_is_found(damage: str, copied: Recorded, capsys) -> None:
    root = copied("av1")
    spoil, line = SPOILERS[damage]
    spoil(root)
    capsys.readouterr()
    assert main(["--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    marked = [text for text in out.splitlines() if "WRONG" in text]
    assert any(text.startswith(line) for text in marked), out
    assert f"{root}" in out


@pytest.mark.parametrize(
    ("name", "content"),
    [("meta/info.json", "{"), ("meta/tasks.parquet", "x"), ("meta/episodes/chunk-000/file-000.parquet", "x")],
)
def test_unreadable_metadata(name: str, content: str, copied: Recorded, capsys) -> None:
    root = copied("av1")
    (root / name).write_text(content)
    assert main(["--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert str(root / name) in out + err


def test_wrong_total_episodes(copied: Recorded, capsys) -> None:
    root = copied("av1")
    change_info(root, total_episodes=6)
    assert main(["--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert "6" in out + err


def test_as_a_function_it_never_raises(tmp_path: Path, copied: Recorded) -> None:
    assert not verify_dataset(tmp_path / "nothing").ok
    root = copied("av1")
    (root / "meta/info.json").write_text(json.dumps([]))
    report = verify_dataset(root)
    assert not report.ok
    assert report.problems


def test_a_legacy_dataset(tmp_path: Path) -> None:
    """v2.x can be verified too: its episodes, tables and videos are where they should be."""
    root = write_legacy(tmp_path / "set", Legacy(lengths=(3, 4)))
    report = verify_dataset(root)
    assert report.ok, report.problems


def test_no_folder_ends_in_2(tmp_path: Path, capsys) -> None:
    assert main(["--root", str(tmp_path / "nothing")]) == 2
    assert "[no-dataset]" in capsys.readouterr().err


@pytest.mark.parametrize("inner", ["", "meta", "data/notes.txt", "images/a.png"])
def test_a_folder_without_a_file_of_a_dataset_ends_in_2(inner: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "set" / inner
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch() if path.suffix else path.mkdir(exist_ok=True)
    assert main(["--root", str(tmp_path / "set")]) == 2
    assert "[no-dataset]" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["meta/tasks.parquet", "data", "videos"])
def test_what_is_left_of_a_dataset_ends_in_1(kept: str, copied: Recorded, tmp_path: Path, capsys) -> None:
    (tmp_path / "left" / kept).parent.mkdir(parents=True)
    shutil.move(copied("av1") / kept, tmp_path / "left" / kept)
    assert main(["--root", str(tmp_path / "left")]) == 1
    assert "meta/info.json: error: the file is missing" in capsys.readouterr().out


def test_a_folder_without_info_ends_in_1(copied: Recorded, capsys) -> None:
    root = copied("av1")
    (root / "meta/info.json").unlink()
    assert main(["--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert (err, f"{root / 'meta/info.json'}: error: the file is missing [missing-file]" in out) == ("", True)


def test_as_a_process(recorded: Recorded, copied: Recorded) -> None:
    done = subprocess.run([SCRIPT, "--root", recorded("av1")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    root = copied("av1")
    no_data(root)
    failed = subprocess.run([SCRIPT, "--root", root], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr


def test_several_datasets_in_one_call(tmp_path: Path, capsys) -> None:
    """The worst of them decides the exit code, and each is looked at."""
    sound = write_legacy(tmp_path / "sound", Legacy(cameras=(), lengths=(12, 11)))
    broken = write_legacy(tmp_path / "broken", Legacy(cameras=(), lengths=(12, 11)))
    (broken / "meta/tasks.jsonl").unlink()
    report = tmp_path / "report.json"
    assert main(["--roots", f"[{sound}, {broken}]", "--level", "data", "--report", str(report)]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert [line for line in out.splitlines() if line.startswith("=== ")] == [
        f"=== sound: {sound} ===",
        "=== Verification ===",
        f"=== broken: {broken} ===",
        "=== Verification ===",
    ]
    written = json.loads(report.read_text())["datasets"]
    assert [(each["root"], each["level"], each["ok"]) for each in written] == [
        (str(sound), "data", True),
        (str(broken), "data", False),
    ]
    assert written[0]["problems"] == []
    assert written[1]["problems"][0] == {
        "code": "missing-file",
        "severity": "error",
        "message": "the file is missing",
        "file": str(broken / "meta/tasks.jsonl"),
        "line": None,
        "column": None,
        "field": None,
        "episode": None,
        "frame": None,
        "episodes": None,
        "hint": "copy it again from the dataset's source",
    }
    assert main(["--roots", f"[{sound}, {tmp_path / 'nothing'}]"]) == 2
    assert "[no-dataset]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "number", "code"),
    [("episodes", 2, 0), ("episodes", 3, 1), ("frames", 23, 0), ("frames", 24, 1)],
)
def test_another_number_than_the_expected_is_an_error(
    option: str, number: int, code: int, tmp_path: Path, capsys
) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 11)))
    for level in ("meta", "data"):
        assert main(["--root", str(root), f"--expected_{option}", str(number), "--level", level]) == code
        assert (f"[unexpected-{option}]" in capsys.readouterr().out) == bool(code)


def test_one_episode_that_was_not_expected(tmp_path: Path, capsys) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12,)))
    assert main(["--root", str(root), "--expected_episodes", "20"]) == 1
    assert "--expected_episodes 20: the dataset has 1 episode [" in capsys.readouterr().out


def test_strict_counts_warnings(tmp_path: Path) -> None:
    root = str(write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 3))))
    assert [main(["--root", root]), main(["--root", root, "--strict"])] == [0, 1]


def test_a_wrong_call_ends_in_2(tmp_path: Path, capsys) -> None:
    for args in (
        [],
        ["--root", str(tmp_path), "--level", "deep"],
        ["--root", "x", "--report", "/no/folder/r"],
    ):
        with pytest.raises(SystemExit) as leaving:
            main(args)
        assert leaving.value.code == 2
        assert "error: " in capsys.readouterr().err


def test_many_findings_alike_are_summarised(tmp_path: Path, capsys) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(2,) * 40, stats=False))
    for path in sorted(root.rglob("*.parquet"))[:30]:
        path.write_bytes(b"")
    assert main(["--root", str(root)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("[empty-file]" in line for line in lines) == 4
    assert "error: 27 more like it [empty-file]; --report FILE.json lists all" in lines
    assert lines[-1].startswith("30 errors, ")


def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    root = ["--root", str(write_legacy(tmp_path / "set", Legacy()))]
    for report, said in ((tmp_path, f"{tmp_path} is a folder"), (tmp_path / "r", "cannot be written")):
        with monkeypatch.context() as patched:
            patched.setattr("os.access", lambda *_, **__: False)
            with pytest.raises(SystemExit) as ended:
                main([*root, "--report", str(report)])
        assert ended.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert said in err
