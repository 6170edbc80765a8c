"""``lerobot-grasp-review``: serves a page for labelling episodes by looking at them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lerobot_grasp_plugin.commands import labeler_types  # noqa: F401  # makes them known by name
from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_packages
from lerobot_grasp_plugin.commands.run import command, fail, guarded, parse_call, require_extra
from lerobot_grasp_plugin.labelers.gripper import GripperLabelerConfig
from lerobot_grasp_plugin.labelers.labeler import LabelerConfig

PROGRAM = "lerobot-grasp-review"
GUIDE = Guide(
    example=f"{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 --annotations labels.txt",
    required=("root|repo_id", "annotations"),
)


@dataclass(kw_only=True)
class ReviewConfig:
    """Serves a page for labelling a dataset by looking at it; saves the annotation file on every change."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # follow links in data/ and videos/ that lead outside the dataset's folder
    follow_links: bool = False
    # the annotation file; created if missing; for JSON or CSV, changes go to a text file next to it
    annotations: Path | None = None
    # index base of a file that does not state one: 0 or 1
    index_base: int | None = None
    # labelers to show as tracks; for a slow one use its draft: '[{type: file, path: draft.txt}]'
    labelers: list[LabelerConfig] = field(default_factory=lambda: [GripperLabelerConfig()])
    # folder for datasets written with the labels (default: the annotation file's folder)
    output_dir: Path | None = None
    # address to serve at; any other than 127.0.0.1 lets other machines reach the page
    host: str = "127.0.0.1"
    # port to serve at; 0 for any free port
    port: int = 8765


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command until Ctrl+C; returns its exit code."""
    given = load_packages(list(args or []), partial(fail, PROGRAM))
    config = parse_call(ReviewConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)
    require_extra(PROGRAM, "review", "starlette", "uvicorn")
    return guarded(lambda: _serve(config))


def _serve(config: ReviewConfig) -> int:
    from lerobot_grasp_plugin.commands.serving import check_port
    from lerobot_grasp_plugin.dataset.layout import check_links
    from lerobot_grasp_plugin.dataset.links import LINKABLE
    from lerobot_grasp_plugin.findings.gathering import Gathered
    from lerobot_grasp_plugin.merging.annotation_file import contents
    from lerobot_grasp_plugin.merging.recipe import SourceConfig
    from lerobot_grasp_plugin.merging.sources import open_sources
    from lerobot_grasp_plugin.review.proposals import Proposals
    from lerobot_grasp_plugin.review.session import Session
    from lerobot_grasp_plugin.review.text_copy import other_form, text_copy

    problems = Gathered()
    with problems:
        path = _annotation_file(config)
    with problems:
        check_port(config.port)
    with problems:
        dataset = SourceConfig(repo_id=config.repo_id, root=config.root)
        (source,) = open_sources([dataset], [], follow_links=config.follow_links)
        for folder in LINKABLE:
            check_links(source.reader.root, folder, source.reader.location.links)
    problems.raise_all()
    proposals = Proposals(source, config.labelers)
    for notice in filter(None, (labeler.notice for labeler in config.labelers)):
        print(f"{PROGRAM}: {notice}", file=sys.stderr)
    if form := other_form(path):
        path, given = text_copy(path, config.index_base, source), path
        print(f"{given.name} is {form}; its labels are copied to {path}, where all changes go.")
    session = Session(source, path, config.index_base, follow_links=config.follow_links)
    import secrets

    from lerobot_grasp_plugin.commands.render import merge_report
    from lerobot_grasp_plugin.commands.serving import listen, print_addresses, serve, warn_of_visitors
    from lerobot_grasp_plugin.review.app import Review, create_app
    from lerobot_grasp_plugin.review.images import Images

    listening = listen(config.host, config.port)
    token = secrets.token_urlsafe(24)
    review = Review(
        session,
        Images(source.reader),
        proposals,
        (config.output_dir or path.parent).absolute(),
        merge_report,
    )
    app = create_app(review, token=token, host=config.host)
    warn_of_visitors(config.host, "see the images and change the labels")
    print(f"Labels of {source.repo_id}: {path}")
    if session.strangers:
        found = contents(session.strangers)
        print(f"The file has no section for this dataset ({found}); the first label adds one.")
    if trouble := session.trouble():
        print(f"warning: labels cannot be saved: {trouble}", file=sys.stderr)
    print_addresses(config.host, listening, token)
    print("Every change is saved at once. Press Ctrl+C to stop.", flush=True)
    serve(app, listening)
    return 0


def _annotation_file(config: ReviewConfig) -> Path:
    """The path of the annotation file, which may not exist yet, after checking it.

    Raises:
        GraspError: The path is missing, its folder does not exist, or the file has errors.
    """
    from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem, UsageError
    from lerobot_grasp_plugin.merging.annotate import check_annotations
    from lerobot_grasp_plugin.merging.recipe import LabelOptions
    from lerobot_grasp_plugin.review.text_copy import other_form

    options = LabelOptions(index_base=config.index_base)
    if config.annotations is None:
        hint = "give --annotations FILE; the file is created if it does not exist"
        raise UsageError(Problem("no-annotations", "--annotations is missing", hint=hint))
    path = config.annotations.expanduser().absolute()
    if not path.parent.is_dir():
        raise UsageError(Problem("no-folder", "the annotation file's folder does not exist", path))
    try:
        check_annotations([path] if path.exists() else [], options)
    except AnnotationError as error:
        if other_form(path) or any(problem.code != "no-episodes" for problem in error.problems):
            raise
    return path


if __name__ == "__main__":
    raise SystemExit(main(None))
