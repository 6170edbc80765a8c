"""Settings LeRobot crashes on."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import is_folder, named_path
from lerobot_grasp_plugin.preflight.facts import OWN_TYPES, Facts

_LEADERS = ("so100_leader", "so101_leader")
BLOCKS = ("dataset", "policy", "env")
"""What LeRobot's learner needs of a config."""


def check_upstream(facts: Facts) -> Iterator[Problem]:
    """Each was seen; see ``TrainPipelineConfig.validate`` and ``learner.train``."""
    config = facts.config
    yield from missing_blocks([name for name in BLOCKS if config.get(name) is not None])
    types = {config.text("env.robot.type"), config.text("env.teleop.type")}
    with_plugin = facts.plugin_learner or bool(types & {*OWN_TYPES})
    if config.get("env.processor.reset") is not None and not with_plugin:
        message = "LeRobot's learner alone crashes whenever it is set (a TypeError of cfg.to_dict(), for its "
        message += "field of type Any)"
        change = "start lerobot-grasp-learner, or name the plugin: "
        change += "--dataset.discover_packages_path=lerobot_grasp_plugin"
        named = any(dataset.ours for dataset in facts.datasets)  # it has to be, or images are 0-255
        yield Problem(
            "reset-crash", message, "env.processor.reset", change, severity="note" if named else "error"
        )
    kind = config.text("env.type")
    if kind is None and config.get("env") is not None:
        change = 'write "type": "gym_manipulator"; gym_manipulator itself wants a config without it'
        yield Problem("env-type", "missing, and the learner requires it", "env.type", change)
    elif kind is not None and kind != "gym_manipulator":
        message = f"{kind!r} is no real robot of HIL-SERL"
        yield Problem("env-type", message, "env.type", 'write "gym_manipulator"')
    kind = config.text("policy.type")
    if kind is not None and kind != "gaussian_actor":
        message = f"{kind!r}, and LeRobot's learner trains a gaussian_actor only"
        yield Problem("policy-type", message, "policy.type", 'write "gaussian_actor"')
    if config.flag("dataset.streaming", False):
        message = "true, and the replay buffer reads frame by frame, which a stream cannot"
        yield Problem("dataset-streaming", message, "dataset.streaming", "set it to false")
    yield from check_output_dir(facts)
    if config.flag("policy.push_to_hub", True) and not config.text("policy.repo_id"):
        message = "true (LeRobot's default), and there is no policy.repo_id: validation fails"
        yield Problem("push-to-hub", message, "policy.push_to_hub", "set it to false, or give policy.repo_id")
    if config.text("env.teleop.type") in _LEADERS:
        message = f"{config.text('env.teleop.type')} has no get_teleop_events(): HIL-SERL ends in a TypeError"
        yield Problem("teleop-events", message, "env.teleop.type", "use a gamepad, or a leader that has them")


def missing_blocks(named: Collection[str]) -> Iterator[Problem]:
    """The blocks that LeRobot's learner reads and a config does not have.

    Args:
        named: Names of the blocks that it has.
    """
    if "dataset" not in named:
        message = "null, and LeRobot reads dataset.repo_id all the same (an AttributeError)"
        hint = "give a dataset block with repo_id or root; lerobot-grasp-learner takes sources or annotations"
        yield Problem("no-dataset", message, "dataset", hint)
    for name in ("policy", "env"):
        if name not in named:
            yield Problem("missing-setting", f"the config has no {name}", name, f"give a {name} block")


def existing_output_dir(output_dir: str) -> Iterator[Problem]:
    """A folder that exists, which no new run can write to."""
    if is_folder(named_path(output_dir)):
        message = f"{output_dir} exists and resume is false (a FileExistsError)"
        hint = "set it to null (LeRobot makes a folder by date and time) or to a new folder, or resume"
        yield Problem("output-dir-exists", message, "output_dir", hint)


def check_output_dir(facts: Facts) -> Iterator[Problem]:
    """A run writes into a folder of its own."""
    output_dir = facts.config.text("output_dir")
    if output_dir is None or facts.config.flag("resume", False):
        return
    if found := list(existing_output_dir(output_dir)):
        yield from found
    elif facts.model == "policy" and not facts.plugin_learner:
        message = "actor and learner of one config share it: the second to start ends in a FileExistsError"
        yield Problem("output-dir-shared", message, "output_dir", "set it to null; each then gets its own")
