"""Compares a HIL-SERL config with everything it names, before a robot moves."""

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.report import PreflightReport, preflight

__all__ = ["PreflightReport", "Problem", "preflight"]
