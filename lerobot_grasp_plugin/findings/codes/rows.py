"""Codes of the rows of tables: indices, timestamps, types and values."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Effect, Family, Line, by

_GLOBAL: Line = "Global indices"
_EPISODE: Line = "Episode indices"
_FILE_AND_EPISODE: tuple[Line, ...] = ("Parquet files", _EPISODE)
_EXTRA = (Effect("extra-file", severity="warning"),)

ROWS = Family(
    "Rows and values",
    (
        Code("bad-column", "Values of a column have the wrong type.", ERROR),
        Code(
            "bad-index-column",
            "An index column contains values that are not integers.",
            ERROR,
            breaks=(_GLOBAL,),
        ),
        Code("check-failed", "A check could not be finished.", ERROR),
        Code("constant-action", "An action, or one of its values, never changes.", WARNING),
        Code("constant-state", "A value of the state never changes.", NOTE),
        Code("dtype-mismatch", "The type of a column differs from info.json.", ERROR),
        Code(
            "duplicate-episode",
            "Rows of an episode are duplicated.",
            by(error="with the same episode_index", warning="as two episodes"),
        ),
        Code("episode-order", "Episodes are not in order in the tables.", ERROR, breaks=(_EPISODE,)),
        Code("episode-wrong", "episode_index of some rows is not a number.", ERROR, breaks=(_EPISODE,)),
        Code("frame-order", "frame_index does not count the rows of an episode one by one.", ERROR),
        Code(
            "frame-unreadable", "LeRobot does not find the frame of a row by its timestamp.", ERROR, breaks=()
        ),
        Code(
            "frame-wrong",
            "frame_index is not 0, 1, 2, ... within an episode.",
            ERROR,
            breaks=("Frame indices",),
        ),
        Code(
            "index-dtype",
            "An index column is not int64.",
            by(error="LeRobot fails on it", warning="LeRobot converts it"),
            breaks=(_GLOBAL,),
        ),
        Code("index-wrong", "index is not 0, 1, 2, ... over all rows.", ERROR, breaks=(_GLOBAL,)),
        Code(
            "missing-column",
            "A table lacks a column.",
            by(error="it is needed", warning="LeRobot reads the dataset without it"),
        ),
        Code(
            "missing-rows",
            "Rows of a listed episode are missing.",
            ERROR,
            breaks=_FILE_AND_EPISODE,
            fix="lerobot-grasp-merge",
        ),
        Code("mixed-units", "Episodes have one value in degrees and others in radians.", WARNING),
        Code(
            "not-finite",
            "Values are NaN or infinite.",
            by(warning="training can do without the rows", error="the policy would learn from them"),
            breaks=(),
        ),
        Code("null-values", "Values are empty (null).", ERROR, breaks=()),
        Code("picture-damaged", "An image in a table cannot be decoded.", ERROR),
        Code(
            "picture-not-embedded",
            "An image is not in the table, only its path.",
            ERROR,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "picture-size",
            "The size of images in a table differs from info.json.",
            by(error="sizes differ and cannot be batched", warning="all have the other size"),
        ),
        Code("scattered-episode", "The rows of an episode are not contiguous.", ERROR, breaks=(_EPISODE,)),
        Code("shape-mismatch", "The shape of a column differs from info.json.", ERROR),
        Code("short-episode", "An episode is shorter than a second.", WARNING),
        Code(
            "state-jump",
            "The state jumps back to the start within an episode.",
            WARNING,
            fix="lerobot-grasp-edit",
        ),
        Code("still-episode", "The state or action of an episode does not change.", WARNING),
        Code(
            "timestamp-not-finite",
            "A timestamp is NaN or infinite.",
            ERROR,
            breaks=(),
            fix="lerobot-grasp-merge",
        ),
        Code(
            "timestamp-off-grid",
            "A timestamp differs from frame_index / fps.",
            ERROR,
            breaks=(),
            fix="lerobot-grasp-merge",
        ),
        Code("timestamp-order", "Timestamps do not increase within an episode.", ERROR, breaks=()),
        Code("timestamps", "Timestamps do not fit the config's fps.", ERROR),
        Code(
            "undeclared-column",
            "A table has a column that info.json does not declare.",
            by(error="LeRobot refuses the table", warning="merge leaves the column out"),
        ),
        Code("uneven-lists", "Lists of a column have different lengths.", ERROR),
        Code("unknown-index", "A number is not in the table of names.", ERROR),
        Code("unknown-rows", "The episode of rows is unknown.", ERROR, breaks=_FILE_AND_EPISODE),
        Code("unknown-task", "task_index of a row is not in the list of tasks.", ERROR, breaks=()),
        Code(
            "unlisted-rows",
            "Rows belong to an episode that is not listed.",
            by(error="the dataset is wrong", warning="merge leaves them out"),
            explains=_EXTRA,
            breaks=_FILE_AND_EPISODE,
        ),
        Code(
            "wrong-file",
            "Rows of an episode are in another table than listed.",
            by(error="LeRobot's converter loses them", warning="LeRobot reads them"),
            explains=_EXTRA,
            breaks=_FILE_AND_EPISODE,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "wrong-length",
            "An episode has more or fewer rows than the list says.",
            ERROR,
            breaks=_FILE_AND_EPISODE,
        ),
        Code(
            "wrong-range",
            "The list of episodes gives the wrong rows for an episode.",
            ERROR,
            breaks=(_GLOBAL,),
        ),
        Code(
            "zero-action",
            "The actions of an episode are all zero.",
            by(warning="in a dataset", error="in a dataset for training a policy"),
        ),
        Code(
            "zero-width",
            "A feature has no values.",
            by(error="LeRobot cannot open the dataset", warning="LeRobot's items contain None"),
            fix="lerobot-grasp-merge",
        ),
    ),
)
