"""What LeRobot's main branch changes, by doubles of it: the same code copes with both."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lerobot.datasets.lerobot_dataset as dataset_module
import lerobot.scripts.lerobot_record as record_module
import pytest
import torch
from lerobot.configs.default import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.dataset_reader import DatasetReader
from lerobot.rewards.classifier import RewardClassifierConfig
from torch.utils.data import DataLoader

from lerobot_grasp_plugin.core.selection import select_episodes, without_episodes
from lerobot_grasp_plugin.dataset.info import read_info, read_json
from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError, VideoError
from lerobot_grasp_plugin.learning import registration
from lerobot_grasp_plugin.learning.classifier import configs as classifier_configs
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierEvalConfig, ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.data import open_data, open_metadata
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.frame_cache import FrameCache
from lerobot_grasp_plugin.learning.data.frame_reader import FrameReader
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.rl import configs as rl_configs
from lerobot_grasp_plugin.learning.rl.configs import GraspDatasetConfig
from lerobot_grasp_plugin.learning.rl.dataset_cache import cached_dataset
from lerobot_grasp_plugin.lerobot_seams import version
from lerobot_grasp_plugin.lerobot_seams.access import SeamError, _parameters, require
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.preflight import preflight
from lerobot_grasp_plugin.preflight.facts import load_facts
from lerobot_grasp_plugin.recording.session import Session
from tests.support import preflight_case

WRIST = "observation.images.wrist"
SMALL = ImagePreprocessing({WRIST: (2, 10, 60, 60)}, (24, 24))


def later(kind: type, **settings: Any) -> Any:
    """A config class of LeRobot's with further fields, as a later version has it."""
    entries = [(name, Any, dataclasses.field(default=value)) for name, value in settings.items()]
    present = {entry.name for entry in dataclasses.fields(kind)}
    return dataclasses.make_dataclass(
        kind.__name__, [entry for entry in entries if entry[0] not in present], bases=(kind,), kw_only=True
    )


# -- dataset.exclude_episodes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("episodes", "excluded", "chosen"),
    [
        (None, [1], (0, 2, 3, 4)),
        ([4, 1, 0], [1], (4, 0)),
        ("0-3", [1, 2], (0, 3)),
        ("[0, 3]", [3], (0,)),
        ("!4", [0], (1, 2, 3)),
        ([4, 1], None, (4, 1)),
        (None, [], (0, 1, 2, 3, 4)),
    ],
)
def test_excluded_episodes_are_left_out_of_any_selection(episodes, excluded, chosen):
    assert select_episodes(without_episodes(episodes, excluded), 5) == chosen


@pytest.mark.parametrize(("episodes", "excluded"), [(None, [5]), (None, [-1]), ([0], [1]), ([1], [1])])
def test_an_exclusion_without_effect_is_an_error(episodes, excluded):
    with pytest.raises(UsageError):
        select_episodes(without_episodes(episodes, excluded), 5)


def test_the_learners_dataset_has_no_excluded_episode_and_none_is_excluded_twice(
    recorded, tmp_path, monkeypatch
):
    monkeypatch.setattr(rl_configs, "DatasetConfig", later(DatasetConfig, exclude_episodes=None))
    config = GraspDatasetConfig(repo_id="lab/set", root=str(recorded("av1")), exclude_episodes=[1])
    cached = cached_dataset(config, lambda sources: ImagePreprocessing(), tmp_path / "cache")
    assert read_info(cached.root).total_episodes == 4
    episodes: Any = read_json(cached.root / "meta/grasp_provenance.json")
    assert [entry["source_episode"] for entry in episodes["episodes"]] == [0, 2, 3, 4]
    plain = config.plain(cached.repo_id, cached.root)
    assert (plain.episodes, plain.exclude_episodes) == (None, None)


@pytest.mark.parametrize(
    "block",
    [
        {"repo_id": "lab/all", "sources": [SourceConfig(repo_id="lab/set")], "exclude_episodes": [1]},
        {"annotations": Path("labels.txt"), "exclude_episodes": [1]},
        {"annotations": Path("labels.txt"), "episodes": [1]},
    ],
)
def test_an_exclusion_that_belongs_to_no_single_dataset_is_refused(block):
    with pytest.raises(UsageError, match="episodes") as raised:
        GraspDatasetConfig(**block).source_configs()
    assert [problem.code for problem in raised.value.problems] == ["contradicting-options"]


def test_the_classifier_does_not_see_excluded_episodes(recorded):
    kind = later(DatasetConfig, exclude_episodes=None)
    config = kind("lab/set", root=str(recorded("av1")), video_backend="pyav", exclude_episodes=[1, 4])
    meta = open_metadata(config)

    def seen(episodes: Any) -> list[int]:
        data = open_data(config, meta, ImagePreprocessing(), {}, episodes)
        return [episode.episode_index for episode in data.episodes]

    assert seen(None) == [0, 2, 3]
    assert seen([1, 2]) == [2]
    with pytest.raises(UsageError, match="excludes all episodes"):
        seen([1, 4])
    config.exclude_episodes = [7]
    with pytest.raises(UsageError, match="episode 7 does not exist"):
        seen(None)


def test_preflight_looks_at_the_episodes_that_are_left(tmp_path):
    case = preflight_case.sound(tmp_path)
    path = case.write()
    before = load_facts(path).datasets[0].episodes.tolist()
    case.config["dataset"]["exclude_episodes"] = [before[0]]
    preflight_case.dump(path, case.config)
    assert load_facts(path).datasets[0].episodes.tolist() == before[1:]


# -- settings of later configs --------------------------------------------------------------------


def test_new_blocks_of_a_training_config_are_named(monkeypatch):
    kind = later(TrainPipelineConfig, ema=None, parallelism=None)
    monkeypatch.setattr(classifier_configs, "TrainPipelineConfig", kind)
    monkeypatch.setattr(classifier_configs, "DatasetConfig", later(DatasetConfig, weights=None))
    config: Any = ClassifierTrainConfig(
        dataset=DatasetConfig("lab/set"), reward_model=RewardClassifierConfig(device="cpu")
    )
    config.ema, config.parallelism, config.dataset.weights = None, None, None
    config.classifier()
    config.ema, config.dataset.weights = SimpleNamespace(enable=True), [1.0]
    with pytest.raises(UsageError) as raised:
        config.classifier()
    assert [problem.message for problem in raised.value.problems] == [
        "this command does not support ema",
        "this command does not support dataset.weights",
    ]
    evaluated = ClassifierEvalConfig(pretrained_path=Path("somewhere"), dataset=config.dataset)
    with pytest.raises(UsageError, match=r"this command does not support dataset\.weights"):
        evaluated.check()


def test_new_settings_of_a_dataset_block_are_named(monkeypatch):
    monkeypatch.setattr(rl_configs, "DatasetConfig", later(DatasetConfig, weights=None))
    config: Any = GraspDatasetConfig(repo_id="lab/set")
    config.weights = None
    assert len(config.source_configs()) == 1
    config.weights = [0.5, 0.5]
    with pytest.raises(UsageError, match=rf"dataset\.weights is a setting of LeRobot {version.installed()}"):
        config.source_configs()


@pytest.mark.parametrize(("installed", "is_error"), [("0.6.1", True), ("0.6.2", False)])
def test_save_freq_0_is_an_error_where_the_learner_divides_by_it(tmp_path, monkeypatch, installed, is_error):
    monkeypatch.setattr(version, "version", lambda _: installed)
    case = preflight_case.sound(tmp_path)
    case.config["save_freq"] = 0
    found = preflight(case.write()).findings
    assert [finding.place.field for finding in found if finding.code == "frequency"] == [
        "save_freq"
    ] * is_error


# -- datasets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("preprocessing", [None, SMALL])
@pytest.mark.parametrize("cached", [True, False])
def test_images_of_several_items_at_once(recorded, monkeypatch, preprocessing, cached):
    plain = LeRobotDataset("lab/set", recorded("av1"), video_backend="pyav")
    cache = FrameCache(preprocessing) if cached else None
    reader = FrameReader(plain.reader, preprocessing, cache)
    asked = [{WRIST: [0.0]}, {WRIST: [0.1, 0.2]}, {}]
    episodes = [0, 2, 1]
    single = [reader._query_videos(stamps, episode) for stamps, episode in zip(asked, episodes, strict=True)]
    stock = DatasetReader._query_videos

    def batched(self: Any, query_timestamps: Any, ep_idx: Any) -> Any:
        return [stock(self, stamps, index) for stamps, index in zip(query_timestamps, ep_idx, strict=True)]

    monkeypatch.setattr(DatasetReader, "_query_videos", batched)
    together = reader._query_videos(asked, episodes)
    assert [list(images) for images in together] == [[WRIST], [WRIST], []]
    for one, other in zip(together, single, strict=True):
        for key in one:
            assert torch.equal(one[key], other[key])


def test_a_batch_is_read_at_once_where_lerobot_reads_it_so(recorded, monkeypatch):
    def together(self: Any, indices: list[int]) -> list[Any]:
        return [self.reader.get_item(index) for index in indices]

    monkeypatch.setattr(LeRobotDataset, "__getitems__", together, raising=False)
    options: dict[str, Any] = {"root": recorded("av1"), "video_backend": "pyav"}
    plain = LeRobotDataset("lab/set", **options)
    for dataset, preprocessing in (
        (GraspDataset("lab/set", **options), None),
        (GraspDataset("lab/set", **options, preprocessing=SMALL), SMALL),
    ):
        for batch in DataLoader(dataset, batch_size=3, sampler=[4, 0, 7, 7, 1], collate_fn=list):
            for item in batch:
                expected = plain[int(item["index"])]
                image = expected[WRIST] if preprocessing is None else preprocessing(WRIST, expected[WRIST])
                assert list(item) == list(expected)
                assert torch.equal(item[WRIST], image)


@pytest.mark.parametrize(
    ("options", "error"), [({}, FileNotFoundError), ({"preprocessing": SMALL}, VideoError)]
)
def test_a_file_that_is_gone_in_the_middle_of_a_batch(recorded, monkeypatch, options, error):
    def together(self: Any, indices: list[int]) -> list[Any]:
        raise FileNotFoundError("file-000.mp4")

    monkeypatch.setattr(LeRobotDataset, "__getitems__", together, raising=False)
    dataset = GraspDataset("lab/set", recorded("av1"), video_backend="pyav", **options)
    with pytest.raises(error, match=r"file-000\.mp4"):
        next(iter(DataLoader(dataset, batch_size=3, collate_fn=list)))


def test_episodes_that_do_not_exist_are_left_out_where_lerobot_leaves_them_out(
    recorded, annotated, monkeypatch
):
    stock = DatasetReader.__init__

    def lenient(self: Any, meta: Any, root: Any, episodes: Any, **options: Any) -> None:
        known = episodes and [episode for episode in episodes if 0 <= episode < meta.total_episodes]
        stock(self, meta, root, known, **options)

    monkeypatch.setattr(DatasetReader, "__init__", lenient)
    options: dict[str, Any] = {"episodes": [1, 99], "video_backend": "pyav"}
    plain = LeRobotDataset("lab/set", recorded("av1"), **options)
    made = GraspDataset("lab/set", recorded("av1"), **options)
    assert (len(made), made.episodes) == (len(plain), plain.episodes)
    labels = annotated("# index_base: 1\n01: 2-\n03: all fail\n")
    laid = GraspDataset("lab/set", recorded("av1"), annotations=labels, cache_frames=True, **options)
    laid.fill_frame_cache()
    assert len(laid) == len(plain)
    assert [int(laid[index]["episode_index"]) for index in range(len(laid))] == [1] * len(plain)
    assert [float(laid[index]["next.reward"]) for index in range(3)] == [0.0, 1.0, 1.0]
    listed = {**options, "episodes": [3, 1, 99, 2]}
    kept = GraspDataset("lab/set", recorded("av1"), annotations=labels, unlisted="drop", **listed)
    assert kept.episodes == [3, 1]


class OtherReader:
    """A reader of another storage: it gives items, and has nothing else of ``DatasetReader``."""

    def __init__(self, **options: Any) -> None:
        self._reader = DatasetReader(**options)
        self.episodes = options["episodes"]
        self.num_frames = options["meta"].total_frames
        self.hf_dataset = "elsewhere"
        self.try_load, self.get_item = self._reader.try_load, self._reader.get_item


def test_another_storage_is_read_as_lerobot_reads_it_and_cannot_be_labelled(recorded, annotated, monkeypatch):
    monkeypatch.setattr(dataset_module, "DatasetReader", OtherReader)
    options: dict[str, Any] = {"video_backend": "pyav"}
    plain = LeRobotDataset("lab/set", recorded("av1"), **options)
    made = GraspDataset("lab/set", recorded("av1"), **options)
    for index in (0, 1, 2, 3):
        assert torch.equal(made[index][WRIST], plain[index][WRIST])
    for changed in (
        {"annotations": annotated("# index_base: 1\n01: 2-\n"), "unlisted": "fail"},
        {"preprocessing": SMALL},
        {"cache_frames": True},
    ):
        with pytest.raises(DatasetError, match="OtherReader reads them") as raised:
            GraspDataset("lab/set", recorded("av1"), **options, **changed)
        assert raised.value.problems[0].code == "unsupported-storage"


@pytest.mark.parametrize(
    ("root", "options"),
    [
        ("hf://datasets/lab/set", {}),
        (None, {"repo_type": "bucket"}),
        ("s3://lab/set", {"repo_type": "dataset"}),
    ],
)
def test_the_factory_leaves_datasets_in_an_object_store_to_lerobot(root, options):
    taken: list[Any] = []

    def plain(*args: Any, **kwargs: Any) -> None:
        taken.append((args, kwargs))

    registration._build(plain, "lab/set", root, return_uint8=True, **options)
    assert taken == [(("lab/set", root), {"return_uint8": True, **options})]


# -- recording ------------------------------------------------------------------------------------


def with_timer(monkeypatch: pytest.MonkeyPatch, default: Any) -> list[dict[str, Any]]:
    """Puts a loop in LeRobot's place that takes a timer, too."""
    stock = inspect.Signature(list(_parameters(record_module.record_loop).values()))
    timer = inspect.Parameter("timer", inspect.Parameter.KEYWORD_ONLY, default=default)
    calls: list[dict[str, Any]] = []

    def loop(**options: Any) -> None:
        calls.append(loop.__signature__.bind(**options).arguments)  # type: ignore[attr-defined]

    loop.__signature__ = stock.replace(parameters=[*stock.parameters.values(), timer])  # type: ignore[attr-defined]
    monkeypatch.setattr(record_module, "record_loop", loop)
    monkeypatch.setattr("lerobot_grasp_plugin.recording.session.record_loop", loop)
    require.cache_clear()
    return calls


def test_a_loop_that_takes_a_timer_is_called_without_one(monkeypatch):
    calls = with_timer(monkeypatch, None)
    require("recording")
    config = SimpleNamespace(
        display_data=False,
        display_ip=None,
        display_port=None,
        display_mode="rerun",
        display_compressed_images=False,
        dataset=SimpleNamespace(fps=10, single_task="pick"),
    )
    session: Any = SimpleNamespace(
        _config=config, _processors=(1, 2, 3), _controls=SimpleNamespace(events={}), robot=4, teleop=5
    )
    Session._loop(session, None, 2.0)
    assert calls[0]["control_time_s"] == 2.0
    assert "timer" not in calls[0]
    monkeypatch.undo()
    require.cache_clear()


def test_a_loop_that_asks_for_more_is_an_error_before_the_robot_moves(monkeypatch):
    with_timer(monkeypatch, inspect.Parameter.empty)
    with pytest.raises(SeamError, match="record_loop that also requires timer"):
        require("recording")
    monkeypatch.undo()
    require.cache_clear()


def test_a_decorated_loop_is_looked_into() -> None:
    assert {"robot", "events", "control_time_s"} <= set(_parameters(record_module.record_loop))


def test_the_discovery_of_lerobot_imports_the_seams_without_lerobot():
    """``discover_packages_path`` imports every direct child; this one costs nothing."""
    code = "import sys, lerobot_grasp_plugin.lerobot_seams; print('lerobot' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"
