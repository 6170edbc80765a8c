"""Finds settings on which LeRobot crashes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import is_folder, named_path
from lerobot_grasp_plugin.preflight.facts import OWN_TYPES, Facts

_LEADERS = ("so100_leader", "so101_leader")
BLOCKS = ("dataset", "policy", "env")
"""Checks what LeRobot's learner needs from a config."""


def check_upstream(facts: Facts) -> Iterator[Problem]:
    """Each was observed; see ``TrainPipelineConfig.validate`` and ``learner.train``."""
    config = facts.config
    yield from missing_blocks([name for name in BLOCKS if config.get(name) is not None])
    types = {config.text("env.robot.type"), config.text("env.teleop.type")}
    with_plugin = facts.plugin_learner or bool(types & {*OWN_TYPES})
    if config.get("env.processor.reset") is not None and not with_plugin:
        message = (
            "LeRobot's own learner crashes whenever it is set (a TypeError in cfg.to_dict(), because of its "
        )
        message += "field of type Any)"
        change = "use lerobot-grasp-learner, or load the plugin: "
        change += "--dataset.discover_packages_path=lerobot_grasp_plugin"
        named = any(dataset.ours for dataset in facts.datasets)  # required, otherwise images are 0-255
        yield Problem(
            "reset-crash", message, "env.processor.reset", change, severity="note" if named else "error"
        )
    kind = config.text("env.type")
    if kind is None and config.get("env") is not None:
        change = 'set "type": "gym_manipulator"; gym_manipulator itself needs a config without it'
        yield Problem("env-type", "is missing, but the learner requires it", "env.type", change)
    elif kind is not None and kind != "gym_manipulator":
        message = f"must be gym_manipulator, not {kind!r}"
        yield Problem("env-type", message, "env.type", 'set "gym_manipulator"')
    kind = config.text("policy.type")
    if kind is not None and kind != "gaussian_actor":
        message = f"is {kind!r}, but LeRobot's learner only trains gaussian_actor"
        yield Problem("policy-type", message, "policy.type", 'set "gaussian_actor"')
    if config.flag("dataset.streaming", False):
        message = "is true, but the replay buffer reads single frames, which a stream cannot"
        yield Problem("dataset-streaming", message, "dataset.streaming", "set it to false")
    yield from check_output_dir(facts)
    if config.flag("policy.push_to_hub", True) and not config.text("policy.repo_id"):
        message = "is true (LeRobot's default), but policy.repo_id is missing: validation fails"
        yield Problem("push-to-hub", message, "policy.push_to_hub", "set it to false, or give policy.repo_id")
    if config.text("env.teleop.type") in _LEADERS:
        message = (
            f"{config.text('env.teleop.type')} has no get_teleop_events(): HIL-SERL fails with a TypeError"
        )
        yield Problem(
            "teleop-events", message, "env.teleop.type", "use a gamepad, or a leader that has this method"
        )


def missing_blocks(named: Collection[str]) -> Iterator[Problem]:
    """Finds blocks that LeRobot's learner reads and a config lacks.

    Args:
        named: Names of the blocks it has.
    """
    if "dataset" not in named:
        message = "is null, but LeRobot reads dataset.repo_id (an AttributeError)"
        hint = (
            "give a dataset block with repo_id or root; lerobot-grasp-learner accepts sources or annotations"
        )
        yield Problem("no-dataset", message, "dataset", hint)
    for name in ("policy", "env"):
        if name not in named:
            yield Problem("missing-setting", f"the config has no {name}", name, f"add a {name} block")


def existing_output_dir(output_dir: str) -> Iterator[Problem]:
    """Finds an existing folder, which a new run cannot use."""
    if is_folder(named_path(output_dir)):
        message = f"{output_dir} exists, but resume is false (a FileExistsError)"
        hint = "set it to null (LeRobot makes a folder by date and time) or to a new folder, or resume"
        yield Problem("output-dir-exists", message, "output_dir", hint)


def check_output_dir(facts: Facts) -> Iterator[Problem]:
    """Checks that each run has an output folder of its own."""
    output_dir = facts.config.text("output_dir")
    if output_dir is None or facts.config.flag("resume", False):
        return
    if found := list(existing_output_dir(output_dir)):
        yield from found
    elif facts.model == "policy" and not facts.plugin_learner:
        message = "actor and learner of one config share it: the second to start fails with a FileExistsError"
        yield Problem("output-dir-shared", message, "output_dir", "set it to null; each then gets its own")
