"""The register: each kind of finding that this package reports, by its code."""

from __future__ import annotations

from collections.abc import Mapping

from lerobot_grasp_plugin.findings.code import Code, Family
from lerobot_grasp_plugin.findings.codes.annotations import ANNOTATIONS
from lerobot_grasp_plugin.findings.codes.calls import CALLS
from lerobot_grasp_plugin.findings.codes.classifier import CLASSIFIER
from lerobot_grasp_plugin.findings.codes.editing import EDITING
from lerobot_grasp_plugin.findings.codes.files import FILES
from lerobot_grasp_plugin.findings.codes.labelers import LABELERS
from lerobot_grasp_plugin.findings.codes.labels import LABELS
from lerobot_grasp_plugin.findings.codes.merging import MERGING
from lerobot_grasp_plugin.findings.codes.metadata import METADATA
from lerobot_grasp_plugin.findings.codes.recording import RECORDING
from lerobot_grasp_plugin.findings.codes.rows import ROWS
from lerobot_grasp_plugin.findings.codes.statistics import STATISTICS
from lerobot_grasp_plugin.findings.codes.training import TRAINING
from lerobot_grasp_plugin.findings.codes.videos import VIDEOS

FAMILIES: tuple[Family, ...] = (
    ANNOTATIONS,
    FILES,
    METADATA,
    ROWS,
    VIDEOS,
    STATISTICS,
    LABELS,
    LABELERS,
    MERGING,
    EDITING,
    TRAINING,
    CLASSIFIER,
    RECORDING,
    CALLS,
)

CODES: Mapping[str, Code] = {code.name: code for family in FAMILIES for code in family.codes}
