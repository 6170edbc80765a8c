"""Without annotations, sidecar and cache a GraspDataset is a LeRobotDataset: each test runs with both."""

from __future__ import annotations

import pickle
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import lerobot.datasets.dataset_metadata as metadata_module
import lerobot.datasets.lerobot_dataset as dataset_module
import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import DEFAULT_FEATURES
from lerobot.utils.import_utils import get_safe_default_video_backend
from torch.utils.data import DataLoader

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, write_learning
from tests.support import factories
from tests.support.verifying import DATA, EPISODES, change_column, change_table

CLASSES = (LeRobotDataset, GraspDataset)
WRIST = "observation.images.wrist"
STATE = {"observation.state": {"dtype": "float32", "shape": (2,), "names": None}}

type Opened = Callable[..., LeRobotDataset]


class Hub:
    """A stand-in for the Hub: one repository, and what was asked of it.

    Args:
        files: The folder of the repository's files; None for a Hub that cannot be reached.
    """

    def __init__(self, files: Path | None) -> None:
        self.files = files
        self.asked: list[dict[str, Any]] = []

    def versions(self, repo_id: str, version: str, **options: Any) -> str:
        if self.files is None:
            raise ConnectionError("the Hub cannot be reached")
        return version

    def download(self, repo_id: str, **options: Any) -> str:
        if self.files is None:
            raise ConnectionError("the Hub cannot be reached")
        self.asked.append(options)
        target = Path(options.get("local_dir") or options["cache_dir"] / "snapshots")
        for path in sorted(self.files.rglob("*")):
            name = path.relative_to(self.files).as_posix()
            if path.is_file() and _wanted(name, options):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / name)
        return str(target)


def _wanted(name: str, options: dict[str, Any]) -> bool:
    def matches(patterns: Any) -> bool:
        patterns = [patterns] if isinstance(patterns, str) else patterns
        return any(fnmatch(name, f"{pattern}*" if pattern.endswith("/") else pattern) for pattern in patterns)

    allowed, ignored = options.get("allow_patterns"), options.get("ignore_patterns")
    return (allowed is None or matches(map(str, allowed) if isinstance(allowed, list) else allowed)) and not (
        ignored and matches(ignored)
    )


@contextmanager
def connected(hub: Hub, home: Path) -> Iterator[Hub]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (metadata_module, dataset_module):
            patch.setattr(module, "get_safe_version", hub.versions)
            patch.setattr(module, "snapshot_download", hub.download)
            patch.setattr(module, "HF_LEROBOT_HUB_CACHE", home / "hub")
        patch.setattr(metadata_module, "HF_LEROBOT_HOME", home)
        patch.setenv("HF_LEROBOT_HOME", str(home))
        yield hub


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., tuple[Any, Any]]:
    """Does something with each class, in a folder and with a Hub of its own, and returns what came out.

    What was asked of the Hub is the same with both.
    """

    def run(action: Callable[[Any, Path], Any], files: Path | None = None) -> tuple[Any, Any]:
        outcomes, asked = [], []
        for number, kind in enumerate(CLASSES):
            folder = tmp_path / f"with-{number}"
            folder.mkdir()
            with connected(Hub(files), folder / "home") as hub:
                try:
                    outcomes.append(action(kind, folder))
                except Exception as error:
                    outcomes.append(error)
            asked.append(
                [
                    {
                        name: str(value).replace(str(folder), "")
                        if isinstance(value, Path)
                        else sorted(value)
                        if isinstance(value, list)
                        else value
                        for name, value in options.items()
                    }
                    for options in hub.asked
                ]
            )
        assert asked[0] == asked[1]
        return outcomes[0], outcomes[1]

    return run


def reading(source: Path, spoil: Callable[[Path], Any] = lambda root: None, **options: Any) -> Any:
    """Copies a dataset, spoils the copy, opens it and reads every item."""

    def action(kind: Any, folder: Path) -> dict[str, Any]:
        root = Path(shutil.copytree(source, folder / "set"))
        spoil(root)
        return contents(kind("lab/set", root, video_backend="pyav", **options))

    return action


def contents(dataset: LeRobotDataset) -> dict[str, Any]:
    return {
        "items": [dataset[index] for index in range(len(dataset))],
        "shuffled": [dataset[index] for index in (len(dataset) - 1, 0, 3)],
        "slice": dataset[1:4],
        "frames": (len(dataset), dataset.num_frames, dataset.num_episodes, dataset.episodes),
        "features": dataset.features,
        "stats": dataset.meta.stats,
        "raw": dataset.get_raw_item(1),
        "columns": dataset.select_columns("index")[:2],
        "relative": dataset.absolute_to_relative_idx,
        "writer": dataset.writer,
        "kept": (dataset.image_transforms, dataset.delta_timestamps, dataset.tolerance_s, dataset.revision),
        "described": repr(dataset).replace("GraspDataset", "LeRobotDataset"),
    }


def assert_alike(plain: Any, made: Any) -> None:
    if isinstance(plain, Exception):
        assert type(made) is type(plain), "".join(traceback.format_exception(made))
        return
    assert not isinstance(made, Exception), "".join(traceback.format_exception(made))
    if isinstance(plain, dict):
        assert list(made) == list(plain)
        for name in plain:
            assert_alike(plain[name], made[name])
    elif isinstance(plain, (list, tuple)):
        assert type(made) is type(plain)
        assert len(made) == len(plain)
        for one, other in zip(plain, made, strict=True):
            assert_alike(one, other)
    elif isinstance(plain, torch.Tensor):
        assert made.dtype == plain.dtype
        assert torch.equal(made, plain)
    elif isinstance(plain, np.ndarray):
        np.testing.assert_array_equal(made, plain)
    else:
        assert made == plain


# -- what lies on disk ----------------------------------------------------------------------------


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


# -- a stand-in Hub -------------------------------------------------------------------------------


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


# -- errors ---------------------------------------------------------------------------------------


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


# -- writing --------------------------------------------------------------------------------------


def test_the_deprecated_write_mode_takes_images_as_they_are_recorded(both, recorded):
    def action(kind: Any, folder: Path) -> Any:
        root = Path(shutil.copytree(recorded("av1"), folder / "set"))
        write_learning(root, LearningSidecar(preprocessing=ImagePreprocessing(resize=(16, 16))))
        with pytest.warns(DeprecationWarning, match="write-mode parameters"):
            dataset = kind("lab/set", root, batch_encoding_size=2, video_backend="pyav")
        labels = {"next.reward": np.array([0.5], np.float32), "next.done": np.array([False])}
        frame = factories.recorded_frame(factories.RECORDINGS["av1"], 0, 0)
        dataset.add_frame({**frame, **labels})
        return [dataset.features, dataset.has_pending_frames()]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


LABELS: tuple[tuple[str, dict[str, Any], Any, bool], ...] = (
    ("next.done", {"dtype": "float32", "shape": (1,), "names": None}, np.float32(0), True),
    ("next.done", {"dtype": "int64", "shape": (1,), "names": None}, np.int64(0), True),
    ("next.done", {"dtype": "bool", "shape": (2,), "names": ["a", "b"]}, np.array([True, False]), False),
    ("next.done", {"dtype": "string", "shape": (1,), "names": None}, "no", False),
    ("next.reward", {"dtype": "float64", "shape": (1,), "names": None}, np.float64(0.25), True),
    ("next.reward", {"dtype": "int32", "shape": (1,), "names": None}, np.int32(3), True),
    ("next.reward", {"dtype": "bool", "shape": (1,), "names": None}, np.bool_(True), True),
    ("next.reward", {"dtype": "float32", "shape": (3,), "names": None}, np.ones(3, np.float32), False),
    ("next.reward", {"dtype": "string", "shape": (1,), "names": None}, "good", False),
    ("next.success", {"dtype": "float32", "shape": (1,), "names": None}, np.float32(1), True),
)


@pytest.mark.parametrize(("name", "feature", "value", "filled"), LABELS)
def test_labels_declared_otherwise_hold_what_the_caller_gives(both, name, feature, value, filled):
    """Every frame brings its value, and the file has it; a column of one number is filled without it."""

    def recorded_with(kind: Any, root: Path, given: bool) -> list[Any]:
        dataset = kind.create("lab/new", 10, {**STATE, name: feature}, root / "new", use_videos=False)
        own = value if isinstance(value, str) else np.asarray(value).reshape(feature["shape"])
        for number in range(3):
            frame = {"observation.state": np.full(2, number, np.float32), "task": "pick"}
            dataset.add_frame({**frame, **({name: own} if given else {})})
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/new", root / "new")
        assert again.features[name]["dtype"] == feature["dtype"]
        return [again[index][name] for index in range(3)]

    plain, made = both(lambda kind, folder: recorded_with(kind, folder, given=True))
    assert isinstance(plain, list)
    assert_alike(plain, made)


@pytest.mark.parametrize(("name", "feature", "value", "filled"), LABELS)
def test_labels_declared_otherwise_are_filled_where_they_can_be(tmp_path, name, feature, value, filled):
    dataset = GraspDataset.create("lab/new", 10, {**STATE, name: feature}, tmp_path / "new", use_videos=False)
    for number in range(3):
        dataset.mark_success(number == 1)
        frame = {"observation.state": np.full(2, number, np.float32), "task": "pick"}
        if not filled:
            with pytest.raises(ValueError, match=name):  # LeRobot's, as for every column
                dataset.add_frame(frame)
            return
        dataset.add_frame(frame)
    dataset.save_episode()
    dataset.finalize()
    again = LeRobotDataset("lab/new", tmp_path / "new")
    expected = [0.0, 0.0, 1.0] if name == "next.done" else [0.0, 1.0, 0.0]
    assert [float(again[index][name]) for index in range(3)] == expected
    assert again.features[name]["dtype"] == feature["dtype"]


@pytest.mark.parametrize("value", [None, 0.5, "good", np.float32(1), np.zeros(0, np.float32), [1.0]])
def test_a_label_that_lerobot_refuses_is_refused_by_lerobot(both, value):
    feature = {"dtype": "float32", "shape": (1,), "names": None}

    def action(kind: Any, folder: Path) -> None:
        dataset = kind.create("lab/new", 10, {**STATE, "next.reward": feature}, folder / "new")
        dataset.add_frame(
            {"observation.state": np.zeros(2, np.float32), "task": "pick", "next.reward": value}
        )

    plain, made = both(action)
    assert isinstance(plain, Exception)
    assert_alike(plain, made)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_code_that_gives_a_float_to_every_feature_records(both, value, convert):
    """Label columns that ``create`` added are among the features, and the caller does not know them."""

    def action(kind: Any, folder: Path) -> list[Any]:
        dataset = kind.create("lab/new", 10, STATE, folder / "new", use_videos=False)
        own = [key for key in dataset.features if key not in DEFAULT_FEATURES]
        for _ in range(3):
            frame = {key: convert(np.full(dataset.features[key]["shape"], value, np.float32)) for key in own}
            dataset.add_frame({**frame, "task": "pick"})
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/new", folder / "new")
        for key in set(own) - set(STATE):
            assert [float(again[index][key]) for index in range(3)] == [value] * 3
        return [again[index]["observation.state"] for index in range(3)]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


def test_every_way_to_make_a_dataset_gives_it_the_same_attributes(tmp_path, recorded):
    for number, kind in enumerate(CLASSES):
        created = kind.create("lab/new", 10, STATE, tmp_path / f"new-{number}")
        read = kind("lab/set", recorded("av1"))
        assert set(vars(created)) == set(vars(read))
        again = kind("lab/set", recorded("av1"))
        assert [again[0]["index"], again[1]["index"]] == [0, 1]
        assert set(vars(again)) == set(vars(read))


def test_a_reward_that_the_declared_dtype_would_round_is_refused(tmp_path):
    feature = {"dtype": "int64", "shape": (1,), "names": None}
    with pytest.raises(UsageError, match=r"failure_value -0\.5 cannot be stored in next\.reward") as raised:
        GraspDataset.create(
            "lab/new", 10, {**STATE, "next.reward": feature}, tmp_path / "new", failure_value=-0.5
        )
    assert len(raised.value.problems) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("labels", [True, False])
def test_resumed_without_a_sidecar(both, recorded, labels):
    def action(kind: Any, folder: Path) -> Any:
        name = "av1" if labels else "unlabelled"
        root = Path(shutil.copytree(recorded(name), folder / "set"))
        dataset = kind.resume("lab/set", root)
        own = {"next.reward": np.array([0.5], np.float32), "next.done": np.array([False])} if labels else {}
        for number in range(3):
            frame = factories.recorded_frame(factories.RECORDINGS[name], 0, number)
            dataset.add_frame({**frame, **own})
        pending = dataset.has_pending_frames()
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/set", root, video_backend=get_safe_default_video_backend())
        return [pending, len(again), [again[index] for index in (-3, -2, -1)], again.meta.stats]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


@pytest.mark.parametrize("call", ["add_frame", "save_episode", "clear_episode_buffer"])
def test_a_dataset_that_is_read_cannot_be_written(both, recorded, call):
    def action(kind: Any, folder: Path) -> Any:
        dataset = kind("lab/set", recorded("av1"), video_backend="pyav")
        return getattr(dataset, call)(*([{}] if call == "add_frame" else []))

    plain, made = both(action)
    assert isinstance(plain, RuntimeError)
    assert_alike(plain, made)
