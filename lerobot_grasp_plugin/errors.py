"""The names that moved to ``findings``, for code that is not moved yet."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.collect import folded
from lerobot_grasp_plugin.findings.problem import (
    AnnotationError,
    DataError,
    DatasetError,
    GraspError,
    MergeError,
    Problem,
    Severity,
    UsageError,
    VerificationError,
    VideoError,
)

__all__ = [
    "AnnotationError",
    "DataError",
    "DatasetError",
    "GraspError",
    "MergeError",
    "Problem",
    "Severity",
    "UsageError",
    "VerificationError",
    "VideoError",
    "folded",
]
