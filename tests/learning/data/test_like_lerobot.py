"""Without annotations, sidecar and cache a GraspDataset is a LeRobotDataset: each test runs with both."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot.datasets.lerobot_dataset as dataset_module
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from torch.utils.data import DataLoader

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from tests.support import factories
from tests.support.both_classes import assert_alike, contents, reading
from tests.support.verifying import DATA, EPISODES, change_column, change_table

WRIST = "observation.images.wrist"
type Opened = Callable[..., LeRobotDataset]


def moved_data(root: Path) -> None:
    """The rows are in files of other names, as after a conversion by hand."""
    for number, path in enumerate(sorted(root.glob("data/*/*.parquet"))):
        target = root / f"data/all/rows-{number}.parquet"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def wrong_data_path(root: Path) -> None:
    factories.change_info(root, data_path="rows/{chunk_index}/{file_index}.parquet")


@pytest.mark.parametrize("spoil", [moved_data, wrong_data_path])
@pytest.mark.parametrize("options", [{}, {"episodes": [3, 1]}, {"return_uint8": True}])
def test_rows_are_read_wherever_lerobot_finds_them(both, recorded, spoil, options):
    plain, made = both(reading(recorded("split"), spoil, **options))
    assert isinstance(plain, dict)
    assert_alike(plain, made)


OPTIONS: tuple[dict[str, Any], ...] = (
    {"episodes": [4, 0]},
    {"episodes": [0, 99]},
    {"episodes": [-1]},
    {"episodes": []},
    {"episodes": [1, 1]},
    {"episode_filter": lambda row: row["length"] > 4},
    {"episode_filter": lambda row: row["length"] > 4, "episodes": [0, 2, 3]},
    {"episode_filter": lambda row: False},
    {"episode_filter": lambda row: row["none such"]},
    {"image_transforms": lambda image: 1 - image},
    {"image_transforms": "no function"},
    {"delta_timestamps": {WRIST: [-0.1, 0.0], "action": [0.0, 0.1]}},
    {"delta_timestamps": {"action": [0.03]}},
    {"tolerance_s": 1e-9},
    {"revision": "main"},
    {"force_cache_sync": True},
    {"download_videos": False},
    {"video_backend": "none such"},
    {"depth_output_unit": "m"},
    {"none_such": 3},
)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options)))
def test_every_argument_means_what_it_means_to_lerobot(both, recorded, options):
    def action(kind: Any, folder: Path) -> dict[str, Any]:
        root = Path(shutil.copytree(recorded("av1"), folder / "set"))
        return contents(kind("lab/set", root, **{"video_backend": "pyav", **options}))

    assert_alike(*both(action, recorded("av1")))


def test_arguments_by_position(both, recorded):
    def action(kind: Any, folder: Path) -> dict[str, Any]:
        return contents(kind("lab/set", recorded("av1"), [2, 1], None, None, None, 1e-4, None, False, True))

    plain, made = both(action)
    assert isinstance(plain, dict)
    assert_alike(plain, made)


def emptied(name: str, row: int) -> Callable[[Path], None]:
    """Leaves a value out (null)."""

    def spoil(root: Path) -> None:
        change_column(root, DATA, name, lambda values: [*values[:row], None, *values[row + 1 :]])

    return spoil


def unlisted(root: Path) -> None:
    """The list of episodes lacks the last one."""
    change_table(root, EPISODES, lambda table: table.slice(0, table.num_rows - 1))
    factories.change_info(root, total_episodes=factories.read_info(root)["total_episodes"] - 1)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("odd", emptied("odd.text", 2)),
        ("odd", emptied("odd.byte", 5)),
        ("odd", emptied("task_index", 9)),
        ("h264", emptied("next.reward", 7)),
        ("h264", unlisted),
    ],
)
def test_what_is_odd_about_an_item_is_no_matter_of_those_before_it(both, recorded, name, spoil):
    """Items read in order are read together."""

    def action(kind: Any, folder: Path) -> list[Any]:
        root = Path(shutil.copytree(recorded(name), folder / "set"))
        spoil(root)
        dataset = kind("lab/set", root, video_backend="pyav")
        items: list[Any] = []
        for index in range(len(dataset.hf_dataset)):
            try:
                items.append(dataset[index])
            except Exception as error:
                items.append(error)
        return items

    plain, made = both(action)
    assert isinstance(plain[0], dict)
    assert_alike(plain, made)


def test_an_item_may_be_changed_in_place_and_read_again(both, recorded):
    def action(kind: Any, folder: Path) -> list[Any]:
        dataset = kind("lab/set", recorded("av1"), video_backend="pyav")
        for index in range(4):
            for value in dataset[index].values():
                if isinstance(value, torch.Tensor):
                    value.zero_()
            dataset[index]["action"] += 1
        return [dataset[index] for index in (3, 3, 2, 1, 0, 0, 1, 2)]

    assert_alike(*both(action))


def test_an_item_is_kept_and_saved_without_its_neighbours(recorded):
    made = GraspDataset("lab/set", recorded("av1"), video_backend="pyav")
    read = [made[index] for index in range(6)]
    tensors = [value for item in read for value in item.values() if isinstance(value, torch.Tensor)]
    assert all(value.untyped_storage().nbytes() == value.nbytes for value in tensors)


def test_another_video_backend_reads_every_item(both, recorded, monkeypatch):
    """Items read in order come from the backend that was asked for, as all others do."""
    decoded: list[str] = []
    stock = dataset_module.DatasetReader._query_videos

    def counted(reader: Any, *args: Any) -> Any:
        decoded.append(reader._video_backend)
        return stock(reader, *args)

    monkeypatch.setattr(dataset_module.DatasetReader, "_query_videos", counted)

    def action(kind: Any, folder: Path) -> int:
        decoded.clear()
        dataset = kind("lab/set", recorded("av1"), video_backend="pyav")
        dataset.reader._video_backend = "torchcodec"
        monkeypatch.setattr(
            "lerobot.datasets.dataset_reader.decode_video_frames", lambda *args, **options: torch.zeros(1, 3)
        )
        return len([dataset[index] for index in range(6)]) and len(decoded)

    plain, made = both(action)
    assert plain == made == 6


def test_transforms_that_are_set_and_cleared_between_items(both, recorded):
    def action(kind: Any, folder: Path) -> list[Any]:
        dataset = kind("lab/set", recorded("av1"), video_backend="pyav")
        items = [dataset[0], dataset[1]]
        dataset.set_image_transforms(lambda image: image.flip(-1))
        items += [dataset[2], dataset[3]]
        dataset.clear_image_transforms()
        return [*items, dataset[4], dataset[5], dataset[2]]

    assert_alike(*both(action))


def test_batched_and_pickled(both, recorded):
    """``test_dataset`` has spawned workers."""

    def action(kind: Any, folder: Path) -> list[Any]:
        dataset = pickle.loads(pickle.dumps(kind("lab/set", recorded("av1"), video_backend="pyav")))
        return [batch[WRIST] for batch in DataLoader(dataset, batch_size=4)] + [dataset[2]]

    assert_alike(*both(action))


def test_a_file_that_is_gone_after_opening_is_lerobots_error(both, recorded):
    def action(kind: Any, folder: Path) -> Any:
        root = Path(shutil.copytree(recorded("av1"), folder / "set"))
        dataset = kind("lab/set", root, video_backend="pyav")
        shutil.rmtree(root / "videos")
        return [dataset[0], dataset[1]]

    plain, made = both(action)
    assert isinstance(plain, FileNotFoundError)
    assert_alike(plain, made)


@pytest.mark.parametrize("episodes", [None, [4, 1]])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("videos", [True, False])
def test_downloaded(both, recorded, episodes, inside, videos):
    def action(kind: Any, folder: Path) -> Any:
        root = folder / "set" if inside else None
        dataset = kind(
            "lab/set", root, episodes=episodes, download_videos=videos, token=True, video_backend="pyav"
        )
        assert factories.tree(Path(dataset.root))
        return contents(dataset) if videos or episodes else sorted(factories.tree(Path(dataset.root)))

    plain, made = both(action, recorded("split"))
    assert not isinstance(plain, Exception) or not videos
    assert_alike(plain, made)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: shutil.rmtree(root / "data"),
        lambda root: shutil.rmtree(root / f"videos/{WRIST}"),
        lambda root: max(root.glob("data/*/*.parquet")).unlink(),
        lambda root: max(root.glob("videos/*/*/*.mp4")).unlink(),
        lambda root: shutil.rmtree(root / "meta/episodes"),
        lambda root: (root / "meta/tasks.parquet").unlink(),
        lambda root: (root / "meta/stats.json").unlink(),
        lambda root: (root / "meta/info.json").unlink(),
    ],
)
def test_what_is_missing_is_completed_from_the_hub(both, recorded, spoil):
    plain, made = both(reading(recorded("split"), spoil), recorded("split"))
    assert isinstance(plain, dict)
    assert_alike(plain, made)


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (
            lambda root: shutil.rmtree(root / f"videos/{WRIST}"),
            {},
            "file-000.mp4",
        ),
        (lambda root: shutil.rmtree(root / "data"), {}, "missing"),
        (lambda root: shutil.rmtree(root / "meta/episodes"), {}, "meta/episodes"),
        (lambda root: (root / "meta/info.json").write_text("{"), {}, "meta/info.json"),
        (lambda root: (root / "meta/info.json").unlink(), {}, "has no meta/info.json"),
        (lambda root: None, {"episodes": [1, 99]}, "episode 99 does not exist"),
        (lambda root: factories.change_info(root, codebase_version="v2.1"), {}, "its format is v2.1"),
    ],
)
def test_lerobots_error_says_what_is_missing(both, recorded, spoil, options, said):
    plain, made = both(reading(recorded("av1"), spoil, **options))
    assert isinstance(plain, Exception)
    assert_alike(plain, made)
    assert str(plain).replace("with-0", "with-1") == str(made)
    assert said in "\n".join(made.__notes__)


@pytest.mark.parametrize(
    "options",
    [
        {"episodes": ["0"]},
        {"episodes": [True]},
        {"episodes": "0"},
        {"episodes": 0},
        {"episodes": 0, "unknown": 1},
        {"delta_timestamps": {"action": [0.03]}},
        {"image_transforms": 3},
    ],
    ids=str,
)
def test_arguments_that_lerobot_refuses_are_refused_in_its_words(both, recorded, options):
    plain, made = both(lambda kind, folder: kind("lab/set", recorded("h264"), **options))
    assert isinstance(plain, Exception)
    assert_alike(plain, made)
    assert str(made).replace("GraspDataset", "LeRobotDataset") == str(plain)


@pytest.mark.parametrize("inside", [True, False])
def test_a_dataset_that_is_nowhere(both, inside):
    def action(kind: Any, folder: Path) -> Any:
        return kind("lab/none-such", folder / "nowhere" if inside else None)

    plain, made = both(action)
    assert isinstance(plain, ConnectionError)
    assert_alike(plain, made)
    assert "'lab/none-such' is not at" in made.__notes__[0]


def test_many_problems_are_few_notes(both, recorded, monkeypatch):
    problems = [Problem("missing-file", f"file {number} is missing") for number in range(7)]
    monkeypatch.setattr("lerobot_grasp_plugin.learning.data.on_disk.what_is_wrong", lambda *_: problems)
    _, made = both(reading(recorded("av1"), lambda root: shutil.rmtree(root / "data")))
    assert made.__notes__[:5] == [str(problem) for problem in problems[:5]]
    assert made.__notes__[5:] == ["and 2 more; lerobot-grasp-verify lists them"]
