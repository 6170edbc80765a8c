"""LeRobot datasets labelled frame by frame, and merged without re-encoding.

Public names are loaded when they are first used; importing this package is cheap and needs neither
torch nor lerobot.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
    from lerobot_grasp_plugin.core.grammar import ParsedAnnotations, format_text, parse
    from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
    from lerobot_grasp_plugin.core.labels import EpisodeLabels, label_episode
    from lerobot_grasp_plugin.dataset.opening import open_dataset
    from lerobot_grasp_plugin.dataset.reader import DatasetReader
    from lerobot_grasp_plugin.findings.problem import (
        AnnotationError,
        DataError,
        DatasetError,
        GraspError,
        MergeError,
        Problem,
        UsageError,
        VerificationError,
        VideoError,
    )
    from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
    from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
    from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning, write_learning
    from lerobot_grasp_plugin.merging.merge import merge
    from lerobot_grasp_plugin.merging.recipe import MergeConfig, RelabelConfig, SourceConfig
    from lerobot_grasp_plugin.merging.relabel import relabel
    from lerobot_grasp_plugin.merging.report import EpisodeReport, MergeReport, SourceReport
    from lerobot_grasp_plugin.verify.report import VerifyReport
    from lerobot_grasp_plugin.verify.verifier import verify_dataset

_HOMES = {
    "core.annotations": ("AnnotationSection", "Annotations", "EpisodeAnnotation"),
    "core.grammar": ("ParsedAnnotations", "format_text", "parse"),
    "core.intervals": ("FrameInterval", "IntervalSet"),
    "core.labels": ("EpisodeLabels", "label_episode"),
    "dataset.opening": ("open_dataset",),
    "dataset.reader": ("DatasetReader",),
    "findings.problem": (
        "AnnotationError",
        "DataError",
        "DatasetError",
        "GraspError",
        "MergeError",
        "Problem",
        "UsageError",
        "VerificationError",
        "VideoError",
    ),
    "learning.data.dataset": ("GraspDataset",),
    "learning.data.preprocessing": ("ImagePreprocessing",),
    "learning.data.sidecar": ("LearningSidecar", "read_learning", "write_learning"),
    "merging.merge": ("merge",),
    "merging.recipe": ("MergeConfig", "RelabelConfig", "SourceConfig"),
    "merging.relabel": ("relabel",),
    "merging.report": ("EpisodeReport", "MergeReport", "SourceReport"),
    "verify.report": ("VerifyReport",),
    "verify.verifier": ("verify_dataset",),
}
_WHERE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AnnotationError",
    "AnnotationSection",
    "Annotations",
    "DataError",
    "DatasetError",
    "DatasetReader",
    "EpisodeAnnotation",
    "EpisodeLabels",
    "EpisodeReport",
    "FrameInterval",
    "GraspDataset",
    "GraspError",
    "ImagePreprocessing",
    "IntervalSet",
    "LearningSidecar",
    "MergeConfig",
    "MergeError",
    "MergeReport",
    "ParsedAnnotations",
    "Problem",
    "RelabelConfig",
    "SourceConfig",
    "SourceReport",
    "UsageError",
    "VerificationError",
    "VerifyReport",
    "VideoError",
    "format_text",
    "label_episode",
    "merge",
    "open_dataset",
    "parse",
    "read_learning",
    "relabel",
    "verify_dataset",
    "write_learning",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
