"""``lerobot-grasp-learner``: HIL-SERL's learner, on a dataset that is merged and labelled first."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import ArgumentError
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse
from lerobot_grasp_plugin.errors import DataError, Problem

if TYPE_CHECKING:
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    from lerobot_grasp_plugin.learning.dataset_cache import CachedDataset
    from lerobot_grasp_plugin.learning.rl_configs import GraspTrainRLConfig

PROGRAM = "lerobot-grasp-learner"


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the learner until it is interrupted; returns the command's exit code."""
    given = list(sys.argv[1:] if args is None else args)
    sys.argv = [PROGRAM, *given]  # LeRobot's validation reads --config_path and --policy.path from it
    config = _parse(given)

    def action() -> int:
        from lerobot_grasp_plugin.learning.registration import install
        from lerobot_grasp_plugin.learning.upstream_faults import check_config

        check_config(config)
        assert config.dataset is not None
        install()
        if config.resume:  # the checkpoint has its own copy of the offline buffer
            return _run(config.plain(config.dataset.of_checkpoint()))
        _preflight(config)
        cached = _dataset(config)
        return _run(config.plain(config.dataset.plain(cached.repo_id, cached.root)))

    return guarded(action)


def _parse(given: list[str]) -> GraspTrainRLConfig:
    """Reads flags and file as LeRobot's ``parser.wrap`` does, plugins and pretrained paths included."""
    if not any(flag.split("=")[0] in ("--config_path", "--help", "-h") for flag in given):
        fail(PROGRAM, "no config is named; give --config_path")
    from lerobot.configs import parser

    try:
        import_module("lerobot.rl.learner")  # makes robots, cameras and teleoperators known by name

        from lerobot_grasp_plugin.learning.rl_configs import GraspTrainRLConfig
    except ImportError as error:
        fail(PROGRAM, f"LeRobot's learner cannot be imported: {error}; install lerobot_grasp_plugin[learn]")
    given = load_plugins(given, partial(fail, PROGRAM))
    named: str | None = None
    try:
        fields = GraspTrainRLConfig.__get_path_fields__()
        given = parser.filter_path_args(fields, given)
        named = parser.parse_arg("config_path", given)
        if named is not None:
            if Path(named).is_dir():
                named = str(Path(named) / "train_config.json")
            cleaned = parser.extract_path_fields_from_config(named, fields)
            given = [*parser.filter_arg("config_path", given), f"--config_path={cleaned}"]
    except ArgumentError as error:
        fail(PROGRAM, str(error))
    except OSError as error:
        fail(PROGRAM, f"--config_path: {named}: {(error.strerror or str(error)).lower()}")
    except ValueError as error:
        fail(PROGRAM, f"--config_path: {named} is not valid YAML or JSON: {error}")
    return parse(GraspTrainRLConfig, given, program=PROGRAM, plugins=True)


def _run(config: TrainRLServerPipelineConfig) -> int:
    from lerobot_grasp_plugin.learning.learner_run import LearnerError, run_learner

    try:
        run_learner(config)
    except LearnerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _dataset(config: GraspTrainRLConfig) -> CachedDataset:
    from lerobot_grasp_plugin.commands.render import merge_report
    from lerobot_grasp_plugin.dataset.info import read_info
    from lerobot_grasp_plugin.learning.dataset_cache import cached_dataset
    from lerobot_grasp_plugin.learning.offline_pictures import offline_preprocessing
    from lerobot_grasp_plugin.learning.upstream_faults import check_dataset

    assert config.dataset is not None
    inputs = config.policy.input_features
    progress = TerminalProgress()
    try:
        cached = cached_dataset(
            config.dataset,
            lambda sources: offline_preprocessing(config.env, inputs, sources),
            config.cache_dir,
            progress,
        )
    finally:
        progress.close()
    if cached.report is not None:
        print(merge_report(cached.report))
    else:
        print(f"Nothing has changed since {cached.repo_id} was made: {cached.root}")
    check_dataset(config.policy, read_info(cached.root), str(cached.root))
    return cached


def _preflight(config: GraspTrainRLConfig) -> None:
    """Compares the config, flags included, with what it names; errors end the command.

    Raises:
        DataError: Preflight found an error; all findings are printed.
    """
    from lerobot_grasp_plugin.commands.preflight import preflight_lines
    from lerobot_grasp_plugin.learning.preflight import preflight

    with tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-") as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config.encoded()), encoding="utf-8")
        report = preflight(path, parse=False, plugin_learner=True)
    print("\n".join(preflight_lines(report)))
    if not report.ok:
        count = report.count("error")
        message = f"preflight found {count} error{'s' * (count != 1)}, see above"
        raise DataError(Problem("preflight", message, hint="training on it would be in vain"))
