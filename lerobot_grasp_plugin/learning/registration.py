"""Registers ``GraspDataset`` with LeRobot's dataset factory.

``lerobot.datasets.factory.make_dataset`` builds its dataset through a global of its module,
``LeRobotDataset``; lerobot-train and lerobot.rl.learner both go through it. ``install_dataset`` puts a class
in its place that builds a ``GraspDataset`` for a dataset with a sidecar of this package, and a plain
``LeRobotDataset`` for every other. With the first ``GraspDataset``, LeRobot's ``ReplayBuffer`` also learns
to fill itself with one in a single pass (``offline_buffer``).

``lerobot_seams.table`` lists these and all other places that reach into LeRobot.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.learning import has_sidecar
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.lerobot_seams.access import SeamError, current, replace, require
from lerobot_grasp_plugin.lerobot_seams.reset_config import repair_reset_config
from lerobot_grasp_plugin.lerobot_seams.version import SUPPORTED, installed

SEAM_MODULE: Final = "lerobot.datasets.factory"
SEAM_NAME: Final = "LeRobotDataset"


def install_dataset() -> None:
    """Makes LeRobot's dataset factory build a ``GraspDataset`` for datasets of this package; once is enough.

    Raises:
        SeamError: The installed lerobot is a version this was not written for.
    """
    if not installed().startswith(SUPPORTED):
        raise _seam_error(f"lerobot {installed()} is installed")
    require("factory")
    from lerobot.datasets import LeRobotDataset

    found = current(SEAM_MODULE, SEAM_NAME)
    if getattr(found, "builds_grasp_datasets", False):
        return
    if found is not LeRobotDataset:
        raise _seam_error(f"lerobot {installed()} has {found!r} as {SEAM_MODULE}.{SEAM_NAME}")
    replace(SEAM_MODULE, SEAM_NAME, _factory_class(LeRobotDataset))
    repair_reset_config()


def _seam_error(finding: str) -> SeamError:
    message = f"GraspDataset cannot be registered with LeRobot's dataset factory: {finding}"
    hint = f"this works with released versions of lerobot {SUPPORTED}x"
    return SeamError(Problem("unknown-seam", message, hint=hint))


def _factory_class(plain: Any) -> Any:
    """A class that is called, and otherwise behaves, like ``LeRobotDataset``."""

    class FactoryType(type):
        builds_grasp_datasets = True

        def __call__(cls, repo_id: str, root: str | Path | None = None, *args: Any, **kwargs: Any) -> Any:
            return _build(plain, repo_id, root, *args, **kwargs)

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, plain)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, plain)

        def __getattr__(cls, name: str) -> Any:
            return getattr(plain, name)

    return FactoryType(plain.__name__, (), {"__doc__": plain.__doc__})


def _build(plain: Any, repo_id: str, root: str | Path | None, *args: Any, **kwargs: Any) -> Any:
    is_remote = "://" in str(root) or kwargs.get("repo_type", "dataset") != "dataset"
    if is_remote or not has_sidecar(_folder(repo_id, root, kwargs.get("revision"))):
        return plain(repo_id, root, *args, **kwargs)
    from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
    from lerobot_grasp_plugin.learning.rl import offline_buffer

    offline_buffer.install_offline_buffer()
    # LeRobot's learner takes uint8 for floats; its training scales only what is uint8
    return GraspDataset(repo_id, root, *args, **{**kwargs, "return_uint8": False})


def _folder(repo_id: str, root: str | Path | None, revision: str | None) -> Path:
    """Where a dataset is; LeRobot is asked, which takes a while, only where the call does not say it."""
    if root is not None and (Path(root) / layout.INFO_PATH).is_file():
        return Path(root)
    from lerobot.datasets import LeRobotDatasetMetadata

    return Path(LeRobotDatasetMetadata(repo_id, root=root, revision=revision).root)
