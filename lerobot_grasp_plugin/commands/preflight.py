"""``lerobot-grasp-preflight``: compares a training config with the datasets and files it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_grasp_plugin.commands.help import Guide, arrange
from lerobot_grasp_plugin.commands.options import DISCOVER, load_plugins, make_strict
from lerobot_grasp_plugin.commands.outline import announce_loading
from lerobot_grasp_plugin.commands.run import command, fail, guarded
from lerobot_grasp_plugin.findings.collect import as_values, counts, folded, summary

if TYPE_CHECKING:
    from lerobot_grasp_plugin.preflight import PreflightReport
    from lerobot_grasp_plugin.preflight.facts import Facts

PROGRAM = "lerobot-grasp-preflight"
GUIDE = Guide(
    purpose="Compares a config of HIL-SERL, or of a reward classifier's training, with the datasets, the "
    "classifier and calibration it names, and reports every mismatch. Writes nothing.",
    example=f"{PROGRAM} --config_path configs/grasp_only_hilserl_train_config.json",
    required=("config_path",),
)

_OPTIONS = {
    "config_path": "the training config, JSON",
    "dataset.root": "the dataset's folder; overrides the config's",
    "report": "write all findings to this file, as JSON",
    "strict": "exit with 1 on warnings too",
}


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 without errors, 1 with, 2 when the config cannot be read."""
    import argparse

    parser = argparse.ArgumentParser(PROGRAM, allow_abbrev=False)
    arrange(parser, GUIDE, lambda: _OPTIONS)
    make_strict(parser, partial(fail, PROGRAM))
    config, root, report, strict = (f"--{name}" for name in _OPTIONS)
    parser.add_argument(config)
    parser.add_argument(root, dest="root", type=Path)
    parser.add_argument(report, type=Path)
    parser.add_argument(strict, action="store_true")
    flags = list(args or [])
    if any(flag.partition("=")[0].endswith(f".{DISCOVER}") for flag in flags):
        announce_loading(PROGRAM)
        flags = load_plugins(flags, partial(fail, PROGRAM))
    given = parser.parse_args(flags)
    if given.config_path is None:
        fail(PROGRAM, "--config_path is missing")
    if given.report is not None and not given.report.parent.is_dir():
        fail(PROGRAM, f"--report: the folder {given.report.parent} does not exist")

    def action() -> int:
        from lerobot_grasp_plugin.commands.verify_formats import write_json_file
        from lerobot_grasp_plugin.learning.config_checks import MACHINE, PARSING
        from lerobot_grasp_plugin.preflight import preflight

        report = preflight(
            Path(given.config_path),
            dataset_root=given.root,
            parsing=(_know_own_types, *PARSING),
            machine=MACHINE,
        )
        print("\n".join(preflight_lines(report, "--report FILE.json lists all")))
        if given.report is not None:
            write_json_file(given.report, _as_json(report))
        return 0 if report.ok and not (given.strict and report.count("warning")) else 1

    return guarded(action)


def _know_own_types(_: Facts) -> tuple[()]:
    """Registers the robots and teleoperators of this package before a config is parsed."""
    announce_loading(PROGRAM)
    from lerobot_grasp_plugin.robots import config_so101_follower_hil  # noqa: F401  # makes their types known
    from lerobot_grasp_plugin.sim import config_so101_script, config_so101_sim  # noqa: F401  # makes their types known
    from lerobot_grasp_plugin.teleop import config_so101_leader_hil  # noqa: F401  # makes their types known

    return ()


def preflight_lines(report: PreflightReport, all_in: str = "") -> Iterator[str]:
    """The report as text, also for the learner's first step; ``all_in`` names the place of the full list."""
    yield f"=== Preflight of {report.config_path} ==="
    yield from report.looked_at
    yield from folded(report.findings, all_in)
    yield summary(report.findings) or "no findings"


def _as_json(report: PreflightReport) -> dict[str, Any]:
    return {
        "format": 1,
        "config": str(report.config_path),
        "read": list(report.looked_at),
        "ok": report.ok,
        "counts": counts(report.findings),
        "problems": [as_values(problem) for problem in report.findings],
    }


if __name__ == "__main__":
    raise SystemExit(main(None))
