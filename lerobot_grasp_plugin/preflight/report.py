"""Runs all checks on one config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.findings.code import SEVERITIES, Severity
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.preflight.checks.actions import check_actions
from lerobot_grasp_plugin.preflight.checks.buffers import check_buffers
from lerobot_grasp_plugin.preflight.checks.classifier import check_classifier
from lerobot_grasp_plugin.preflight.checks.columns import check_columns
from lerobot_grasp_plugin.preflight.checks.encoders import check_encoders
from lerobot_grasp_plugin.preflight.checks.features import check_features
from lerobot_grasp_plugin.preflight.checks.images import check_images
from lerobot_grasp_plugin.preflight.checks.labels import check_labels
from lerobot_grasp_plugin.preflight.checks.machine import check_machine
from lerobot_grasp_plugin.preflight.checks.recipe import check_recipe, check_scale
from lerobot_grasp_plugin.preflight.checks.resuming import check_resuming
from lerobot_grasp_plugin.preflight.checks.reward_model import check_reward_model
from lerobot_grasp_plugin.preflight.checks.schema import check_schema
from lerobot_grasp_plugin.preflight.checks.splits import check_splits
from lerobot_grasp_plugin.preflight.checks.states import check_states
from lerobot_grasp_plugin.preflight.checks.statistics import check_statistics
from lerobot_grasp_plugin.preflight.checks.timing import check_readable, check_timing
from lerobot_grasp_plugin.preflight.checks.upstream import check_output_dir, check_upstream
from lerobot_grasp_plugin.preflight.checks.workspace import check_workspace
from lerobot_grasp_plugin.preflight.facts import Facts, load_facts

Check = Callable[[Facts], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    check_schema,
    check_upstream,
    check_columns,
    check_features,
    check_images,
    check_actions,
    check_recipe,
    check_scale,
    check_states,
    check_statistics,
    check_labels,
    check_timing,
    check_readable,
    check_buffers,
    check_classifier,
    check_encoders,
    check_resuming,
    check_splits,
    check_workspace,
    check_machine,
)
REWARD_CHECKS: tuple[Check, ...] = (
    check_schema,
    check_reward_model,
    check_readable,
    check_output_dir,
    check_encoders,
    check_splits,
)


@dataclass(frozen=True)
class PreflightReport:
    """The report of preflight: what was compared, and all findings.

    Attributes:
        config_path: The config.
        looked_at: The opened datasets and classifier, as text.
        findings: Errors first, then warnings, then notes.
    """

    config_path: Path
    looked_at: Sequence[str]
    findings: Sequence[Problem]

    @property
    def ok(self) -> bool:
        """Whether the report has no errors."""
        return not self.count("error")

    @property
    def codes(self) -> frozenset[str]:
        """Codes of all findings."""
        return frozenset(finding.code for finding in self.findings)

    def count(self, severity: Severity) -> int:
        """Number of findings of a severity."""
        return Counter(finding.severity for finding in self.findings)[severity]


def preflight(
    config_path: str | Path,
    *,
    dataset_root: str | Path | None = None,
    plugin_learner: bool = False,
    parsing: Sequence[Check] = (),
    machine: Sequence[Check] = (),
) -> PreflightReport:
    """Compares a training config with the datasets, the classifier and the files it names.

    Args:
        config_path: A ``TrainRLServerPipelineConfig`` as JSON, one whose ``dataset`` has sources, or the
            config of a reward classifier's training.
        dataset_root: The dataset's folder, in place of the config's ``dataset.root``.
        plugin_learner: lerobot-grasp-learner will run it, which builds its dataset and works around faults of
            LeRobot's learner. True for configs with options of the plugin.
        parsing: Checks by LeRobot's own parser (``learning.config_checks``), which import lerobot: several
            seconds. They are left out where another finding explains why the parser would refuse the config.
        machine: Checks of this machine by torch (``learning.config_checks``).

    Raises:
        UsageError: The config cannot be read, or trains nothing. All other problems are findings.
    """
    path = Path(config_path).expanduser()
    facts = load_facts(path, dataset_root=dataset_root, plugin_learner=plugin_learner)
    findings = [*facts.unreadable]
    for check in REWARD_CHECKS if facts.model == "reward_model" else CHECKS:
        findings += check(facts)
    explained = {effect.codes for finding in findings for effect in CODES[finding.code].explains}
    for check in () if "config-rejected" in explained else parsing:
        findings += check(facts)
    for check in machine:
        findings += check(facts)
    findings = list(dict.fromkeys(findings))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return PreflightReport(path, list(_looked_at(facts)), findings)


def _looked_at(facts: Facts) -> Iterable[str]:
    for dataset in facts.datasets:
        stored = "stored image preprocessing" if dataset.preprocessing else "no stored image preprocessing"
        yield (
            f"{dataset.where} {dataset.repo_id}: {count(len(dataset.lengths), 'episode')}, "
            f"{count(dataset.frames, 'frame')}, {dataset.fps} fps, {stored}"
        )
    if facts.classifier is not None:
        crop = "crop recorded" if facts.classifier.preprocessing else "crop not recorded"
        cameras = ", ".join(facts.classifier.image_features)
        yield f"classifier {facts.classifier.root}: {cameras}, {crop}"
