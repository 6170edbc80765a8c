"""The options of relabel and merge, spelled as LeRobot's flags.

The same dataclasses are the arguments of the Python functions and, through draccus, the command
line and the recipe files. The comment above a field is its ``--help`` text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lerobot_grasp_plugin.core.choices import Alignment, Done, Unlisted
from lerobot_grasp_plugin.findings.problem import Problem, UsageError

Link = Literal["auto", "hard", "copy"]
Timestamps = Literal["fix", "keep"]
Names = Literal["match", "first"]
Actions = Literal["keep", "ee_delta"]
State = Literal["keep", "full"]
JointUnit = Literal["degrees", "range"]
SO101_URDF = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"


@dataclass(kw_only=True)
class KinematicsOptions:
    """The recorded arm and its end effector, for ``actions: ee_delta`` and ``state: full``."""

    # URDF of the arm: a path, or package://name/path of an installed package
    urdf_path: str = SO101_URDF
    # frame of the URDF that is the end effector
    target_frame_name: str = "gripper_frame_link"
    # longest step along x, y and z in metres; actions from -1 to 1 are shares of it
    end_effector_step_sizes: dict[str, float] = field(default_factory=lambda: dict.fromkeys("xyz", 0.02))
    # largest share of steps that may be clipped
    max_clipped_share: float = 0.05
    # unit of the recorded joints: degrees, or range (-100 to 100 of each joint's range)
    joint_unit: JointUnit = "degrees"
    # with range: LeRobot's calibration file of the follower (default: the URDF's limits)
    calibration: Path | None = None
    # the joints in order, for features whose dimensions have no names
    joint_names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if isinstance(self.calibration, str):
            self.calibration = Path(self.calibration)


@dataclass(kw_only=True)
class LabelOptions:
    """How annotations become labels."""

    # next.reward of success frames
    success_value: float = 1.0
    # next.reward of all other frames
    failure_value: float = 0.0
    # frame: row t has the label of frame t; next: row t has the label of frame t+1
    alignment: Alignment = "frame"
    # next.done: keep the source's, or episode_end, first_success, last_frame_of_success
    # (default: keep if the source has next.done, else episode_end)
    done: Done | None = None
    # episodes without annotation: error, fail (all failure), keep (their labels), drop (leave out)
    unlisted: Unlisted = "error"
    # column that labels the episodes without annotation: next.success, next.reward or another one
    labels_from: str | None = None
    # values of that column above this are success (default: true, or the larger of two values)
    labels_threshold: float | None = None
    # also write next.success
    next_success: bool = False
    # index base of `frames` and of annotations that do not state one: 0 or 1
    index_base: int | None = None

    def __post_init__(self) -> None:
        _take_paths(self)

    def label_options(self) -> dict[str, Any]:
        """These options by name, without those of a class that adds some."""
        return {name: getattr(self, name) for name in LabelOptions.__dataclass_fields__}


@dataclass(kw_only=True)
class OutputOptions(LabelOptions):
    """The output's place, and how to write it."""

    # leave out the episodes that the annotation file flags (`# flag 07: bad`)
    exclude_flagged: bool = False
    # name of the new dataset, owner/name
    new_repo_id: str | None = None
    # folder of the new dataset (default: LeRobot's home folder / new_repo_id)
    new_root: Path | None = None
    # how to copy video files: auto (reflink, else copy), hard (hard link), copy
    link: Link = "auto"
    # timestamps that differ from frame_index / fps, which LeRobot cannot read: fix (set), keep (refuse)
    timestamps: Timestamps = "fix"
    # follow links in data/ and videos/ of a source that lead outside its folder
    follow_links: bool = False
    # use the intact episodes of a damaged dataset or an interrupted recording, and report what is lost
    rescue: bool = False
    # action: keep, or ee_delta (HIL-SERL's end-effector steps and gripper command, from joint positions)
    actions: Actions = "keep"
    # observation.state: keep, or full (joint positions, joint velocities, end-effector pose)
    state: State = "keep"
    # the arm, for actions ee_delta and state full
    kinematics: KinematicsOptions = field(default_factory=KinematicsOptions)
    # features to leave out, by their names in the new dataset
    drop_features: list[str] = field(default_factory=list)
    # licence of the new dataset, as the Hub names it: cc-by-4.0 (default: the sources' licence)
    license: str | None = None
    # upload the new dataset to the Hub, in one commit
    push_to_hub: bool = False
    # with push_to_hub: create a new repository as private
    private: bool = False
    # with push_to_hub: replace the repository's contents, even if they are another dataset
    replace: bool = False


@dataclass(kw_only=True)
class SourceConfig:
    """A dataset to take episodes from."""

    # its name, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # episodes to use: "0-14", [2, 7, 8], "!19,23" for all but these (default: all)
    episodes: list[int] | str | None = None
    # frames to keep of some episodes: {3: "20-180", 5: "1-90, 120-"}; each range becomes an episode,
    # all other episodes stay whole; 1-based, or as index_base says
    frames: dict[int, str] = field(default_factory=dict)
    # its annotation file (default: the recipe's)
    annotations: Path | None = None
    # the column that labels its episodes without annotation (default: the recipe's)
    labels_from: str | None = None
    # values of that column above this are success
    labels_threshold: float | None = None
    # new names of its features, old: new
    rename: dict[str, str] = field(default_factory=dict)
    # the task of all its episodes, instead of their own
    task: str | None = None
    # the task of some of its episodes, instead of their own: {3: "pick the cube"}
    tasks: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _take_paths(self)
        if isinstance(self.episodes, int):
            self.episodes = [self.episodes]


@dataclass(kw_only=True)
class JoinOptions:
    """What the output has where sources differ."""

    # robot_type of the new dataset, if the sources differ
    robot_type: str | None = None
    # names of feature dimensions: match (all sources must agree) or first (use the first source's)
    names: Names = "match"
    # allow one camera to change codec from file to file
    mixed_codecs: bool = False


@dataclass(kw_only=True)
class MergeConfig(JoinOptions, OutputOptions):
    """Merges episodes of several datasets into a new one, labelled from annotations in the same pass."""

    # the datasets, in output order, each with repo_id, root, episodes, frames, annotations, rename, task,
    # tasks (default: those the annotation file names)
    sources: list[SourceConfig] = field(default_factory=list)
    # annotation file for all sources
    annotations: Path | None = None


@dataclass(kw_only=True)
class CopyConfig(OutputOptions):
    """One dataset, and where its changed copy goes."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # the annotation file
    annotations: Path | None = None
    # replace the dataset itself; the old one is kept next to it, under the name in the report
    in_place: bool = False

    def as_merge(self, sources: Sequence[SourceConfig]) -> MergeConfig:
        """The same output, made of these sources."""
        known = MergeConfig.__dataclass_fields__
        options = {name: getattr(self, name) for name in known if name in self.__dataclass_fields__}
        return MergeConfig(sources=list(sources), **options)


@dataclass(kw_only=True)
class RelabelConfig(CopyConfig):
    """Writes the labels of an annotation file into a copy of a dataset."""


def _take_paths(config: Any) -> None:
    """Lets Python callers write paths as strings."""
    for name in ("root", "new_root", "annotations"):
        value = getattr(config, name, None)
        if isinstance(value, str):
            setattr(config, name, Path(value))


def check_choices(config: OutputOptions) -> None:
    """Refuses invalid values of options; the command line has refused them before.

    Raises:
        UsageError: With every such option.
    """
    problems = []
    for name, hint in get_type_hints(type(config)).items():
        options = [part for part in (hint, *get_args(hint)) if get_origin(part) is Literal]
        known = get_args(options[0]) if options else ()
        value = getattr(config, name)
        if known and value not in known and not (value is None and type(None) in get_args(hint)):
            message = f"{name} must be one of {', '.join(known)}, not {value!r}"
            problems.append(Problem("unknown-choice", message))
    if problems:
        raise UsageError(problems)
