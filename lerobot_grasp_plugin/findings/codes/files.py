"""Codes of the files of a dataset: missing, damaged, left over, of another format."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Effect, Family, by

_LIST = r"meta/episodes(\.jsonl|/[^/]+/[^/]+\.parquet)"
_OF_A_LIST = (
    Effect("unlisted-rows extra-file", "(data|videos)/.*", of=_LIST),
    Effect("wrong-total bad-splits", r"meta/info\.json", of=_LIST),
    Effect("episode-numbering", "meta/episodes.*", of=_LIST),
)
"""What is found because a part of the list of episodes cannot be read."""
_LACKING = "missing-file missing-episodes-table empty-file missing-stats"
_NO_JSON = Effect("bad-json")

FILES = Family(
    "Files of a dataset",
    (
        Code(
            "bad-json", "A metadata file is not valid JSON of the expected form.", ERROR, explains=_OF_A_LIST
        ),
        Code("bad-link", "A link leads in a circle.", ERROR),
        Code(
            "bad-parquet",
            "A table cannot be read; an interrupted recording leaves it without a footer.",
            by(error="its rows are needed", warning="--rescue uses the intact rows"),
            explains=_OF_A_LIST,
            once_per_file=True,
            rescue="rows",
        ),
        Code("chunk-limit", "A folder holds more files than chunks_size allows.", WARNING),
        Code(
            "dangling-link",
            "A link leads to a missing file.",
            ERROR,
            once_per_file=True,
            of_interruption=True,
        ),
        Code(
            "duplicate-column", "A table has a column twice.", ERROR, explains=_OF_A_LIST, once_per_file=True
        ),
        Code(
            "empty-file",
            "A file is empty.",
            ERROR,
            explains=(*_OF_A_LIST, _NO_JSON),
            once_per_file=True,
            of_interruption=True,
            rescue="rows",
        ),
        Code(
            "empty-table",
            "A table, or its first row group, has no rows.",
            by(error="LeRobot cannot open the dataset", warning="LeRobot reads it"),
        ),
        Code(
            "extra-file",
            "No episode refers to a file in the dataset.",
            by(warning="LeRobot reads it, or nothing does", error="LeRobot reads its rows a second time"),
        ),
        Code("followed-link", "A link to a place outside the dataset was followed.", NOTE),
        Code("large-file", "A file is larger than info.json allows.", NOTE),
        Code(
            "lfs-pointer",
            "A file is a Git LFS pointer.",
            ERROR,
            explains=(*_OF_A_LIST, _NO_JSON),
            once_per_file=True,
            fix="git lfs pull",
        ),
        Code("missing-file", "A file is missing.", ERROR, once_per_file=True, of_interruption=True),
        Code(
            "mixed-versions",
            "Files of two formats are in one dataset.",
            by(error="LeRobot reads the wrong ones, or none", warning="LeRobot reads the right ones"),
        ),
        Code("nested-dataset", "The dataset contains a second dataset, or a part of one.", WARNING),
        Code(
            "no-episodes",
            "The dataset has no episodes, or none are left to write.",
            ERROR,
            explains=(Effect(_LACKING, "data|meta/(tasks|episodes|stats).*"),),
        ),
        Code("not-checked", "A check was skipped because of another finding.", NOTE),
        Code(
            "only-metadata",
            "Only the metadata of a dataset exists.",
            ERROR,
            explains=(Effect("missing-file", "data/.*"), Effect("video-missing", "videos/.*")),
        ),
        Code("path-outside-dataset", "A path leads outside the dataset's folder.", ERROR),
        Code("rescued", "The intact part of a damaged dataset is used, the rest is listed.", WARNING),
        Code("source-changed", "A source changed while it was read.", ERROR),
        Code("too-large", "A file would take too much memory to read.", ERROR, explains=_OF_A_LIST),
        Code("unfinished-episode", "Images or videos of an episode were not added to the dataset.", WARNING),
        Code(
            "unfinished-recording",
            "A recording was interrupted before its metadata was written.",
            ERROR,
            explains=(Effect(_LACKING, "meta/(episodes|stats).*"), Effect("wrong-total", r"meta/info\.json")),
            rescue="always",
            fix="lerobot-grasp-merge",
        ),
        Code(
            "unfinished-resume",
            "A resumed recording was interrupted.",
            ERROR,
            explains=(
                Effect("wrong-total bad-splits", r"meta/info\.json"),
                Effect("extra-file", "(data|videos)/.*"),
                Effect(
                    "wrong-statistics stale-statistics stale-label-statistics episode-quantiles",
                    r"meta/stats\.json",
                ),
            ),
            rescue="always",
            fix="lerobot-grasp-merge",
        ),
        Code(
            "unread-table",
            "A table is in a place where LeRobot does not look.",
            by(error="episodes need it", warning="no episode needs it"),
        ),
        Code(
            "unreadable-file",
            "A file cannot be opened.",
            ERROR,
            explains=(Effect("missing-file"),),
            once_per_file=True,
        ),
        Code("unreadable-folder", "A folder cannot be opened.", ERROR),
    ),
)
