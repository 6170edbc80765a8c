"""What LeRobot's learner would crash on, found before it starts.

Sources of the rules: ``lerobot/configs/train.py`` (validate), ``lerobot/rl/learner.py``,
``lerobot/rl/buffer.py`` (from_lerobot_dataset) and ``lerobot/rl/algorithms/sac``.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError

ACTION = "action"
DISCRETE_PENALTY = "complementary_info.discrete_penalty"


def check_blocks(blocks: Collection[str], output_dir: Path | None) -> None:
    """Checks which blocks a call of the learner gives, before LeRobot reads them.

    Args:
        blocks: Names of those it gives.
        output_dir: Where a new run is to be written; None where LeRobot chooses, or a run is resumed.

    Raises:
        UsageError: With everything on which the learner would end in an exception.
    """
    problems = list(_block_problems(blocks, output_dir))
    if problems:
        raise UsageError(problems)


def check_config(config: Any) -> None:
    """Checks what can be said of a ``GraspTrainRLConfig`` before its dataset is made.

    Raises:
        UsageError: With everything on which the learner would end in an exception, or wait for ever.
    """
    blocks = [name for name in ("dataset", "policy", "env") if getattr(config, name) is not None]
    output_dir = None if config.resume or config.output_dir is None else Path(config.output_dir)
    problems = list(_block_problems(blocks, output_dir))
    if config.policy is not None:
        problems += _address_problems(config.policy.actor_learner_config)
    if problems:
        raise UsageError(problems)


def _block_problems(blocks: Collection[str], output_dir: Path | None) -> Iterator[Problem]:
    if "dataset" not in blocks:
        yield Problem(
            "no-dataset",
            "dataset is null, on which LeRobot's learner ends in an AttributeError",
            hint="give a dataset block with repo_id, root, sources or annotations",
        )
    for name in ("policy", "env"):
        if name not in blocks:
            yield Problem("missing-setting", f"the config has no {name}", hint=f"give a {name} block")
    if output_dir is not None and output_dir.is_dir():
        yield Problem(
            "output-dir-exists",
            "the output folder exists; actor and learner cannot share one either, whoever starts second "
            "ends in a FileExistsError",
            output_dir,
            "leave output_dir null (LeRobot makes a folder by date and time), give each its own, or resume",
        )


def _address_problems(place: Any) -> Iterator[Problem]:
    if not _is_free(place.learner_host, place.learner_port):
        yield Problem(
            "port-in-use",
            f"{place.learner_host}:{place.learner_port} cannot be listened on, and the learner would "
            "wait for its actor for ever",
            hint="another learner may be running; end it, or change "
            "policy.actor_learner_config.learner_port here and for the actor",
        )


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError:
        return False
    return True


def check_dataset(policy: Any, info: DatasetInfo, root: Path) -> None:
    """Checks that the offline buffer can be filled from a dataset.

    Args:
        policy: LeRobot's ``GaussianActorConfig``.
        info: The dataset's.
        root: The dataset, for messages.

    Raises:
        DatasetError: With everything on which filling or sampling the buffer would end in an exception.
    """
    problems = []
    needed = [*policy.input_features, ACTION, layout.REWARD]
    missing = [name for name in needed if name not in info.features]
    if missing:
        hints = f"features: {', '.join(info.features)}"
        if layout.REWARD in missing:
            hints = f"label it with dataset.annotations; {hints}"
        problems.append(Problem("missing-column", f"it has no {', '.join(missing)}", root, hints))
    if policy.num_discrete_actions is not None and DISCRETE_PENALTY not in info.features:
        message = (
            f"it has no {DISCRETE_PENALTY}, which policy.num_discrete_actions = "
            f"{policy.num_discrete_actions} needs: SAC would end in a size mismatch"
        )
        hint = (
            "record with gym_manipulator and env.processor.gripper.use_gripper, which writes it, or set "
            "policy.num_discrete_actions to null (and the action to its full width)"
        )
        problems.append(Problem("missing-discrete-penalty", message, root, hint))
    if info.total_frames > policy.offline_buffer_capacity:
        message = (
            f"{info.total_frames} frames do not fit into policy.offline_buffer_capacity = "
            f"{policy.offline_buffer_capacity}"
        )
        problems.append(Problem("offline-capacity", message, root, "raise it, or choose fewer episodes"))
    if problems:
        raise DatasetError(problems)
