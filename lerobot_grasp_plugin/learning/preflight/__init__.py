"""Every disagreement between a HIL-SERL config and what it names, before a robot moves."""

from lerobot_grasp_plugin.learning.preflight.findings import Finding
from lerobot_grasp_plugin.learning.preflight.report import PreflightReport, preflight

__all__ = ["Finding", "PreflightReport", "preflight"]
