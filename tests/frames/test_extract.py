"""``lerobot-grasp-frames``: files as named, images as decoded, and nothing stale or foreign touched."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lerobot_grasp_plugin import UsageError, VideoError
from lerobot_grasp_plugin.commands.frames import main
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from tests.support.factories import Legacy, tree, write_legacy
from tests.support.lerobot_judge import items_of

type Recorded = Callable[[str], Path]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_default_is_frames_in_the_dataset(copied: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    root = copied("av1")
    before = tree(root)
    capsys.readouterr()
    assert main(["--root", str(root), "--episodes", "[1, 3]"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "Wrote 11 frames of 2 episodes, 1 camera",
        "Frame numbers start at 1.",
        f"Folder: {root / 'frames'}",
    ]
    expected = [f"episode_000001/frame_{number:04d}.jpg" for number in range(1, 6)]
    expected += [f"episode_000003/frame_{number:04d}.jpg" for number in range(1, 7)]
    written = names(root / "frames")
    assert [name for name in written if not name.endswith(".json")] == expected
    assert {name: content for name, content in tree(root).items() if "frames/" not in str(name)} == before


def test_png_images_are_lerobots(recorded: Recorded, tmp_path: Path) -> None:
    output = tmp_path / "out"
    config = FramesConfig(root=recorded("split"), episodes="3,7", output_dir=output, format="png")
    report = extract_frames(config)
    assert (report.images, len(report.cameras)) == (20, 2)
    for episode in (3, 7):
        for frame, item in enumerate(items_of(recorded("split"), episode)):
            for key in report.cameras:
                wanted = (item[key] * 255).round().byte().permute(1, 2, 0).numpy()
                path = output / key / f"episode_{episode:06d}" / f"frame_{frame + 1:04d}.png"
                assert np.array_equal(pixels(path), wanted)


def test_stride_crop_and_base_keep_source_numbers(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(images=("eye",)))
    args = ["--root", str(root), "--output_dir", str(tmp_path / "out"), "--episodes", "0"]
    args += ["--stride", "2", "--crop", "10,20,30,40", "--index_base", "0", "--camera_key", "eye"]
    assert main([*args, "--format", "png"]) == 0
    folder = tmp_path / "out/eye/episode_000000"
    assert names(folder) == ["frame_0000.png", "frame_0002.png", "frame_0004.png", "index.json"]
    index = json.loads((folder / "index.json").read_text())
    assert (index["episode_index"], index["camera_key"], index["index_base"]) == (0, "eye", 0)
    assert (index["stride"], index["crop"], index["length"]) == (2, [10, 20, 30, 40], 6)
    assert index["frames"][1] == {
        "file": "frame_0002.png",
        "number": 2,
        "frame_index": 2,
        "timestamp": 0.2,
    }
    from tests.support.factories import image

    assert np.array_equal(pixels(folder / "frame_0002.png"), image(7, 0, 2, 1)[10:40, 20:60])


def test_an_earlier_run_leaves_nothing_behind(recorded: Recorded, tmp_path: Path) -> None:
    root, output = recorded("av1"), tmp_path / "out"
    extract_frames(FramesConfig(root=root, episodes="0-1", output_dir=output))
    other = (output / "episode_000001/frame_0001.jpg").stat().st_ino
    report = extract_frames(
        FramesConfig(root=root, episodes="0", output_dir=output, stride=3, format="png", index_base=0)
    )
    assert names(output / "episode_000000") == [*(f"frame_000{n}.png" for n in (0, 3, 6)), "index.json"]
    assert (output / "episode_000001/frame_0001.jpg").stat().st_ino == other
    assert [path.name for path in sorted(output.iterdir())] == ["episode_000000", "episode_000001"]
    assert [problem.code for problem in report.warnings] == ["mixed-index-base"]


@pytest.mark.parametrize("stranger", ["frame_0001.jpg", "notes.txt"])
def test_somebody_elses_files_are_never_removed(recorded: Recorded, tmp_path: Path, stranger: str) -> None:
    output = tmp_path / "out"
    config = FramesConfig(root=recorded("av1"), episodes="0-1", output_dir=output)
    if stranger == "notes.txt":
        extract_frames(config)
    (output / "episode_000001").mkdir(parents=True, exist_ok=True)
    (output / "episode_000001" / stranger).write_text("mine")
    before = tree(output)
    with pytest.raises(UsageError, match=f"it contains '{stranger}'"):
        extract_frames(config)
    assert tree(output) == before


def test_a_run_that_fails_writes_nothing(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy())
    video = next(root.rglob("episode_000002.mp4"))
    video.write_bytes(video.read_bytes()[:-200])
    before = tree(root)
    args = ["--root", str(root)]
    assert main(args) == 1
    assert tree(root) == before
    assert not (root / "frames").exists()
    assert main([*args, "--episodes", "0-1"]) == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--stride", "0"], "stride must be 1 or more"),
        (["--crop", "1,2,3"], "must be top,left,height,width"),
        (["--crop", "0,60,64,64"], "reaches to row 64 and column 124"),
        (["--index_base", "2"], "index_base must be 0 or 1"),
        (["--camera_key", "wrist"], "has no camera 'wrist'"),
        (["--episodes", "0-9"], "out of range"),
        (["--annotations", "labels.txt"], "contact sheets only"),
    ],
)
def test_a_wrong_call_ends_with_2(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    output = tmp_path / "out"
    assert main(["--root", str(recorded("av1")), "--output_dir", str(output), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_a_file_in_the_place_of_the_output_folder(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    args = ["--root", str(recorded("av1")), "--episodes", "0", "--output_dir", str(tmp_path / "out")]
    assert main(args) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path}/out: error: images cannot be written here: ")
    assert (tmp_path / "out").read_text() == "mine"


def test_contact_sheets_take_the_labels(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("00: 4-5\n02: all fail\n")
    output = tmp_path / "out"
    args = ["--root", str(recorded("av1")), "--episodes", "0-2", "--output_dir", str(output)]
    args += ["--contact_sheet", "--format", "png", "--annotations", str(labels)]
    assert main(args) == 0
    sheets = output / "contact_sheets"
    assert names(sheets) == [f"episode_00000{episode}.png" for episode in (0, 1, 2)]
    greens = [int((pixels(sheets / name) == (17, 122, 62)).all(axis=2).sum()) for name in names(sheets)]
    assert greens[0] > 10_000
    assert greens[1:] == [0, 0]
    old = (sheets / "episode_000001.png").stat().st_ino
    assert main(args) == 0  # its own sheets are replaced
    assert (sheets / "episode_000001.png").stat().st_ino != old
    (sheets / "episode_000001.png").write_bytes(b"mine")
    before = tree(output)
    assert main(args) == 2
    assert tree(output) == before


def test_a_sheet_without_annotations_shows_next_reward(recorded: Recorded, tmp_path: Path) -> None:
    report = extract_frames(
        FramesConfig(
            root=recorded("av1"), episodes="0,3", output_dir=tmp_path, contact_sheet=True, format="png"
        )
    )
    greens = [(pixels(sheet) == (17, 122, 62)).all(axis=2).any() for sheet in report.sheets]
    assert greens == [True, False]


def test_real_jittering_timestamps(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    root = shared_data("cr5_banana_v21")
    report = extract_frames(
        FramesConfig(
            root=root,
            episodes="5",
            stride=10,
            output_dir=tmp_path,
            contact_sheet=True,
            annotations=shared_data("cr5_banana.txt"),
        )
    )
    with Image.open(report.sheets[0]) as sheet:
        assert (sheet.width, sheet.info["comment"]) == (1980, b"lerobot-grasp-frames")


def test_it_starts_without_lerobot_torch_or_pandas(recorded: Recorded, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from lerobot_grasp_plugin.commands.frames import main\n"
        f"main(['--root', {str(recorded('h264'))!r}, '--output_dir', {str(tmp_path / 'out')!r}])\n"
        "print(sorted({'lerobot', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("damaged", [False, True])
def test_several_processes_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    monkeypatch.setattr("lerobot_grasp_plugin.frames.jobs._WORTH_PROCESSES", 1)
    root = write_legacy(tmp_path / "set", Legacy(images=("eye",)))
    if damaged:
        video = next(root.rglob("episode_000002.mp4"))
        video.write_bytes(video.read_bytes()[:-200])
    before = tree(root)
    config = FramesConfig(root=root, output_dir=tmp_path / "two", format="png")
    if damaged:
        with pytest.raises(VideoError, match=r"episode_000002\.mp4"):
            extract_frames(config, workers=2)
        assert not (tmp_path / "two").exists()
    else:
        steps = []
        extract_frames(config, lambda *step: steps.append(step), workers=2)
        config.output_dir = tmp_path / "one"
        extract_frames(config)
        assert tree(tmp_path / "two") == tree(tmp_path / "one")
        assert steps[0] == ("frames", 0, 30)
        assert steps[-1] == ("frames", 30, 30)
    assert tree(root) == before


def test_a_full_disk_is_named_and_nothing_is_left(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lerobot_grasp_plugin.frames.jobs.save_image", full)
    args = ["--root", str(recorded("av1")), "--episodes", "0", "--output_dir", str(tmp_path / "out")]
    capsys.readouterr()
    assert main(args) == 1
    assert capsys.readouterr().err == f"{tmp_path}/out: error: No space left on device.\n"
    assert list(tmp_path.iterdir()) == []


def test_processes_never_see_an_interrupt(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked: list[bool] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int, context: object, begin: object, shared: object) -> None:
            super().__init__(workers)

        def submit(self, *_: object) -> Future[None]:  # type: ignore[override]  # a double
            blocked.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            return super().submit(lambda: None)

    monkeypatch.setattr("lerobot_grasp_plugin.frames.jobs._WORTH_PROCESSES", 1)
    monkeypatch.setattr("lerobot_grasp_plugin.frames.jobs.ProcessPoolExecutor", Pool)
    with suppress(OSError):  # the jobs write nothing
        extract_frames(FramesConfig(root=recorded("av1"), output_dir=tmp_path / "out"), workers=2)
    assert blocked
    assert all(blocked)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
