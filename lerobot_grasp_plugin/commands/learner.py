"""``lerobot-grasp-learner``: merge and label the offline dataset, then run HIL-SERL's learner."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.rl_config import run_rl
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, sigterm_ends
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count

if TYPE_CHECKING:
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    from lerobot_grasp_plugin.commands.outline import Outline
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig
    from lerobot_grasp_plugin.learning.rl.dataset_cache import CachedDataset

PROGRAM = "lerobot-grasp-learner"
GUIDE = Guide(
    purpose="Merges and labels the offline dataset, checks the config, then runs LeRobot's learner.",
    example=f"{PROGRAM} --config_path configs/sim/hilserl.json --with_actor true",
    required=("config_path",),
    upstream="lerobot.rl.learner",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the learner until it is interrupted; returns the command's exit code."""
    return run_rl(args, PROGRAM, GUIDE, _learn, _check)


def _check(call: Outline) -> None:
    """Checks what a call names before LeRobot is imported.

    Raises:
        GraspError: With all that is wrong.
    """
    from lerobot_grasp_plugin.findings.gathering import Gathered
    from lerobot_grasp_plugin.merging.annotate import check_annotations
    from lerobot_grasp_plugin.merging.recipe import LabelOptions
    from lerobot_grasp_plugin.preflight.checks.upstream import BLOCKS, existing_output_dir, missing_blocks

    new_run = call["output_dir"] is not None and call["resume"] is not True
    annotations, base = call["dataset.annotations"], call["dataset.index_base"]
    problems = Gathered()
    with problems:
        blocks = [name for name in BLOCKS if call.names_block(name)]
        folder = existing_output_dir(str(call["output_dir"])) if new_run else ()
        _refuse([*missing_blocks(blocks), *folder])
    if annotations is not None:
        with problems:
            check_annotations([Path(str(annotations))], LabelOptions(index_base=base))
    problems.raise_all()


def _learn(config: GraspTrainRLConfig, given: list[str]) -> int:
    from lerobot_grasp_plugin.preflight.checks.address import check_address
    from lerobot_grasp_plugin.preflight.checks.upstream import BLOCKS, missing_blocks

    _refuse(missing_blocks([name for name in BLOCKS if getattr(config, name) is not None]))
    assert config.dataset is not None
    address = config.policy.actor_learner_config
    _refuse(check_address(address.learner_host, address.learner_port))
    if config.resume:  # the checkpoint has its own copy of the offline buffer
        dataset = config.dataset.of_checkpoint()
    else:
        _preflight(config, given)
        cached = _dataset(config)
        dataset = config.dataset.plain(cached.repo_id, cached.root)
    with sigterm_ends():  # until LeRobot handles signals itself: the actor ends, too
        return _run(config, config.plain(dataset), given)


def _refuse(problems: Iterable[Problem]) -> None:
    """Raises one error with all problems of a call.

    Raises:
        UsageError: There are problems.
    """
    if found := list(problems):
        raise UsageError(found)


def _run(config: GraspTrainRLConfig, plain: TrainRLServerPipelineConfig, given: list[str]) -> int:
    from lerobot.utils.constants import CHECKPOINTS_DIR, LAST_CHECKPOINT_LINK

    from lerobot_grasp_plugin.commands.actor_process import ActorProcess
    from lerobot_grasp_plugin.learning.rl.learner_run import check_accepted, run_learner
    from lerobot_grasp_plugin.learning.rl.rerun_view import RerunView
    from lerobot_grasp_plugin.learning.rl.trainer import TrainerSettings

    actor = None
    try:
        sinks = [RerunView(config.display_ip, config.display_port)] if config.display_data else []
        if config.with_actor:
            check_accepted(plain)  # fills in output_dir, which both are to share
            actor = ActorProcess([*given, f"--output_dir={plain.output_dir}"])
        settings = TrainerSettings(
            bc_steps=config.bc_steps,
            bc_ratio=config.bc_ratio,
            critic_steps=config.critic_steps,
            image_shift=config.image_shift,
        )
        run_learner(plain, settings, sinks)
    finally:
        if actor is not None:
            actor.end()
    run = Path(str(plain.output_dir))
    is_simulated = getattr(getattr(config.env, "robot", None), "type", None) == "so101_sim"
    if is_simulated and (run / CHECKPOINTS_DIR / LAST_CHECKPOINT_LINK).exists():
        print(f"Count its grasps: lerobot-grasp-eval-policy --run {shlex.quote(str(run))}")
    return 0 if actor is None or not actor.failed else 1


def _dataset(config: GraspTrainRLConfig) -> CachedDataset:
    from lerobot_grasp_plugin.commands.render import merge_report
    from lerobot_grasp_plugin.learning.rl.dataset_cache import cached_dataset
    from lerobot_grasp_plugin.learning.rl.offline_images import offline_preprocessing

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
        print(f"{cached.repo_id} is up to date: {cached.root}")
    return cached


def _preflight(config: GraspTrainRLConfig, given: list[str]) -> None:
    """Runs preflight on the config, flags included; errors end the command.

    Args:
        config: The config.
        given: The command's arguments, for the name of the file.

    Raises:
        DataError: Preflight found an error; all findings are printed.
    """
    from lerobot.configs import parser

    from lerobot_grasp_plugin.commands.preflight import preflight_lines
    from lerobot_grasp_plugin.learning.config_checks import MACHINE
    from lerobot_grasp_plugin.preflight import preflight

    with tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-") as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config.encoded()), encoding="utf-8")
        report = preflight(path, plugin_learner=True, machine=MACHINE)
    named = parser.parse_arg("config_path", given)
    print("\n".join(preflight_lines(replace(report, config_path=Path(named or path)))))
    if not report.ok:
        message = f"preflight found {count(report.count('error'), 'error')}, see above"
        raise DataError(Problem("preflight-errors", message, hint="fix the errors above, then start again"))


if __name__ == "__main__":
    raise SystemExit(main(None))
