"""``lerobot-grasp-verify``: checks whether datasets are sound."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse_call
from lerobot_grasp_plugin.core.choices import Level, ReportFormat
from lerobot_grasp_plugin.findings.words import count

if TYPE_CHECKING:
    from lerobot_grasp_plugin.commands.verify_formats import Verified
    from lerobot_grasp_plugin.commands.verify_left_out import LeftOut
    from lerobot_grasp_plugin.verify.report import VerifyReport

PROGRAM = "lerobot-grasp-verify"
GUIDE = Guide(
    example=f"{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 --level decode",
    required=("root|repo_id|roots|repo_ids",),
)


@dataclass(kw_only=True)
class VerifyConfig:
    """Reports everything that is wrong with datasets of format v2.0, v2.1 or v3.0; changes nothing."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # several datasets by name: "[owner/a, owner/b]"
    repo_ids: list[str] = field(default_factory=list)
    # several datasets by folder: "[a, b]"
    roots: list[Path] = field(default_factory=list)
    # how much to check: meta, data (every row), video (also packet headers), decode (also every frame)
    level: Level = "video"
    # write all findings to this file, as JSON
    report: Path | None = None
    # output format: text, json (as --report), sarif (code scanning), markdown (a page)
    format: ReportFormat = "text"
    # leave out findings with these codes: "[class-balance, no-success]"
    ignore: list[str] = field(default_factory=list)
    # leave out the findings of an earlier --report, so that only new ones are listed
    baseline: Path | None = None
    # follow links in data/ and videos/ that lead outside the dataset's folder
    follow_links: bool = False
    # expected number of episodes; any other is an error
    expected_episodes: int | None = None
    # expected number of frames; any other is an error
    expected_frames: int | None = None
    # exit with 1 on warnings too
    strict: bool = False
    # explain a finding code, and check nothing
    explain: str | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 if all datasets are sound, 1 if one is not, 2 if one is missing."""
    config = parse_call(VerifyConfig, args, program=PROGRAM, guide=GUIDE)
    if config.explain is not None:
        return _explain(config.explain)
    wanted: list[tuple[str | None, Path | None]] = [
        *([(config.repo_id, config.root)] if config.repo_id or config.root else []),
        *((repo_id, None) for repo_id in config.repo_ids),
        *((None, root) for root in config.roots),
    ]
    if not wanted:
        fail(PROGRAM, "no dataset given; use --root, --roots, --repo_id or --repo_ids")
    if config.report is not None:
        _check_report(config.report)
    verified: list[Verified] = []

    def verify_all() -> int:
        from lerobot_grasp_plugin.commands.verify_left_out import LeftOut

        left_out = LeftOut.of(config.ignore, config.baseline)
        several = len(wanted) > 1
        codes = [
            guarded(partial(_verify, config, repo_id, root, several, left_out, verified))
            for repo_id, root in wanted
        ]
        return max(*codes, _finish(config, verified))

    return guarded(verify_all)


def _finish(config: VerifyConfig, verified: Sequence[Verified]) -> int:
    if config.format == "text" and config.report is None:
        return 0
    from lerobot_grasp_plugin.commands.verify_formats import document, write_report

    if config.format != "text":
        print(document(config.format, verified))
    return 0 if config.report is None else write_report(config.report, verified)


def _check_report(path: Path) -> None:
    """Ends the program with exit code 2 where a report cannot be written."""
    if not path.parent.is_dir():
        fail(PROGRAM, f"--report: the folder {path.parent} does not exist")
    if path.is_dir():
        fail(PROGRAM, f"--report: {path} is a folder; name a file, such as {path / 'report.json'}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        fail(PROGRAM, f"--report: {path} cannot be written (permission denied)")


def _explain(code: str) -> int:
    from lerobot_grasp_plugin.findings.codes import CODES
    from lerobot_grasp_plugin.findings.page import explained, similar

    name = code.strip("[]'\" ").lower()
    if name not in CODES:
        meant = ", ".join(similar(name))
        fail(PROGRAM, f"--explain: unknown finding code {code!r}" + f"; similar: {meant}" * bool(meant))
    print(*explained(name), sep="\n")
    return 0


def _verify(
    config: VerifyConfig,
    repo_id: str | None,
    root: Path | None,
    several: bool,
    left_out: LeftOut,
    verified: list[Verified],
) -> int:
    from lerobot_grasp_plugin.dataset.hub import locate_folder

    location = locate_folder(repo_id, root).following(config.follow_links)
    from lerobot_grasp_plugin.commands.render import verify_report
    from lerobot_grasp_plugin.commands.verify_formats import Verified
    from lerobot_grasp_plugin.verify.expected import Expected
    from lerobot_grasp_plugin.verify.verifier import fetch_files, verify_dataset

    fetch_files(location, config.level)
    progress = TerminalProgress()
    try:
        found = verify_dataset(
            location.root,
            location.repo_id,
            level=config.level,
            follow_links=config.follow_links,
            expected=Expected(config.expected_episodes, config.expected_frames),
            progress=progress,
        )
    finally:
        progress.close()
    report = left_out.without(found, location.repo_id)
    if config.format == "text":
        if several:
            print(f"=== {location.repo_id}: {location.root} ===")
        print(verify_report(report))
        if number := len(found.problems) - len(report.problems):
            print(f"{count(number, 'finding')} left out by --ignore or --baseline")
    verified.append(Verified(location.repo_id, report))
    return 0 if _sound(report, config.strict) else 1


def _sound(report: VerifyReport, strict: bool) -> bool:
    return report.ok and not (strict and report.count("warning"))


if __name__ == "__main__":
    raise SystemExit(main(None))
