"""Codes of metadata: info.json, the lists of episodes and tasks, the card, our own sidecars."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Family, Line, by

_NAMED: Line = "Episodes in metadata"

METADATA = Family(
    "Metadata",
    (
        Code("bad-card", "The card of a dataset, README.md, cannot be read.", WARNING),
        Code(
            "bad-info",
            "A field of info.json has another type or value than it should.",
            by(error="LeRobot reads it", warning="LeRobot reads the dataset without it"),
        ),
        Code(
            "bad-path-template",
            "A path template of info.json cannot be used.",
            by(error="LeRobot finds files by it", warning="LeRobot does not use it here"),
        ),
        Code(
            "bad-sidecar",
            "A sidecar of this package has an invalid form.",
            by(error="it is needed", warning="verify goes on without it"),
        ),
        Code(
            "bad-splits",
            "Splits contain episodes that do not exist, or share episodes.",
            by(error="they are used", warning="nothing here uses them"),
        ),
        Code("codec-name", "LeRobot does not accept the name in video.codec of a camera.", WARNING),
        Code("dtype-alias", "A dtype is written by an alias.", WARNING),
        Code("duplicate-task", "A task, or its number, is listed twice.", WARNING, fix="lerobot-grasp-merge"),
        Code("empty-episode", "An episode has no frames.", ERROR, breaks=(_NAMED,)),
        Code("empty-task", "The text of a task is empty.", ERROR),
        Code(
            "episode-not-listed",
            "An episode that info.json counts is missing in the list of episodes.",
            ERROR,
            of_interruption=True,
            rescue="always",
        ),
        Code(
            "episode-numbering",
            "Episodes are not numbered 0, 1, 2, ...",
            ERROR,
            breaks=(_NAMED,),
            of_interruption=True,
        ),
        Code(
            "episode-tasks",
            "The tasks in the list of episodes differ from those of the rows.",
            WARNING,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "episodes-columns",
            "Tables of the list of episodes have different columns.",
            by(error="LeRobot cannot load them", warning="LeRobot loads them without some"),
        ),
        Code("feature-fps", "fps of a feature differs from the dataset's.", WARNING),
        Code("fractional-fps", "fps is not an integer.", WARNING),
        Code("metadata-left-out", "Metadata that LeRobot does not define is left out.", WARNING),
        Code(
            "missing-episodes-table",
            "No episodes are listed.",
            ERROR,
            breaks=(_NAMED,),
            of_interruption=True,
            rescue="always",
        ),
        Code(
            "missing-feature",
            "A required feature is not declared.",
            by(error="LeRobot returns no item without it", warning="LeRobot reads the dataset without it"),
        ),
        Code(
            "near-tasks",
            "Tasks differ only in case, white space, punctuation or Unicode form.",
            WARNING,
            fix="lerobot-grasp-edit",
        ),
        Code(
            "other-preprocessing",
            "Another image preprocessing is stored or was used before.",
            by(error="training would mix both", warning="the figures are those of the other one"),
        ),
        Code("other-splits", "Other splits are stored with the dataset.", ERROR),
        Code("sidecar-of-other-data", "The sidecar describes another version of the dataset.", WARNING),
        Code(
            "task-index-lost",
            "The list of tasks does not have the sentences as its index.",
            ERROR,
            fix="lerobot-grasp-merge",
        ),
        Code("task-numbering", "Tasks are not numbered in the order of the list.", ERROR),
        Code(
            "template-mismatch",
            "A path template does not lead to the files.",
            by(warning="the files are found without it", error="LeRobot needs it to find them"),
        ),
        Code("unexpected-episodes", "The number of episodes differs from the expected one.", ERROR),
        Code("unexpected-frames", "The number of frames differs from the expected one.", ERROR),
        Code("unknown-codebase-version", "The format of the dataset is unknown.", ERROR),
        Code(
            "version-mismatch",
            "info.json names another format than the metadata has.",
            ERROR,
            breaks=(_NAMED,),
        ),
        Code("version-spelling", "The name of the format is spelled in an unusual way.", NOTE),
        Code("wrong-names", "The names of a feature's values are not a list of names.", WARNING),
        Code(
            "wrong-total",
            "A total in info.json is wrong.",
            by(
                error="LeRobot uses it",
                warning="LeRobot reads the dataset anyway",
                note="LeRobot does not use it",
            ),
            breaks=("Totals in info.json",),
        ),
    ),
)
