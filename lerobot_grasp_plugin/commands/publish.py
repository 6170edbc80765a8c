"""``lerobot-grasp-publish``: uploads a dataset's folder to its repository on the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import command, fail, guarded, parse_call

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.recipe import OutputOptions
    from lerobot_grasp_plugin.merging.report import MergeReport
    from lerobot_grasp_plugin.merging.sources import Source

PROGRAM = "lerobot-grasp-publish"
GUIDE = Guide(
    example=f"{PROGRAM} --repo_id me/so101_grasp --root labelled --private",
    required=("repo_id",),
)


@dataclass(kw_only=True)
class PublishConfig:
    """Uploads a dataset in one commit; files of the repository that the folder does not have are deleted."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder / repo_id)
    root: Path | None = None
    # create a new repository as private
    private: bool = False
    # replace the repository's contents, even if they are another dataset
    replace: bool = False


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse_call(PublishConfig, args, program=PROGRAM, guide=GUIDE)
    if config.repo_id is None:
        fail(PROGRAM, "the dataset's name on the Hub is missing; give --repo_id owner/name")
    repo_id = config.repo_id

    def upload() -> int:
        from lerobot_grasp_plugin.dataset.hub import lerobot_home, locate

        root = config.root if config.root is not None else lerobot_home() / repo_id
        push_folder(repo_id, locate(repo_id, root).root, private=config.private, replace=config.replace)
        return 0

    return guarded(upload)


def check_publishing(config: OutputOptions, repo_id: str, sources: Sequence[Source]) -> None:
    """Refuses, before any work starts, what the Hub would refuse at the end.

    Raises:
        UsageError: With all problems.
    """
    from lerobot_grasp_plugin.findings.problem import Problem, UsageError

    if not config.push_to_hub:
        idle = [f"--{name}" for name in ("private", "replace") if getattr(config, name)]
        if idle:
            message = f"{' and '.join(idle)} have no effect without --push_to_hub"
            raise UsageError(Problem("contradicting-options", message, hint="add --push_to_hub"))
        return
    from lerobot_grasp_plugin.dataset.publish import Publication, check

    names = [source.repo_id for source in sources]
    check(Publication(repo_id=repo_id, sources=names, private=config.private, replace=config.replace))


def push(config: OutputOptions, report: MergeReport) -> None:
    """Publishes an output where its recipe asks for it.

    Raises:
        UsageError: The Hub refuses it. The dataset stays where it is.
    """
    if config.push_to_hub:
        push_folder(report.repo_id, report.root, private=config.private, replace=config.replace)


def push_folder(repo_id: str, root: Path, *, private: bool, replace: bool = False) -> None:
    """Publishes a dataset's folder.

    Raises:
        UsageError: The Hub refuses it.
    """
    import shlex

    from lerobot_grasp_plugin.dataset.publish import Publication, publish, sources_of

    again = [PROGRAM, "--repo_id", repo_id, "--root", str(root)]
    again += [flag for flag, wanted in (("--private", private), ("--replace", replace)) if wanted]
    publication = Publication(repo_id=repo_id, sources=sources_of(root), private=private, replace=replace)
    print(f"Published {repo_id} at {publish(publication, root, shlex.join(again))}")


if __name__ == "__main__":
    raise SystemExit(main(None))
