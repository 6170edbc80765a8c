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
        Code("bad-json", "A metadata file is not the JSON that it should be.", ERROR, explains=_OF_A_LIST),
        Code("bad-link", "A link leads in a circle.", ERROR),
        Code(
            "bad-parquet",
            "A table cannot be read; an interrupted recording leaves it without its footer.",
            by(error="its rows are needed", warning="--rescue takes the rows that are whole"),
            explains=_OF_A_LIST,
            once_per_file=True,
            rescue="rows",
        ),
        Code("chunk-limit", "A folder holds more files than chunks_size allows.", WARNING),
        Code(
            "dangling-link",
            "A link leads to a file that is not there.",
            ERROR,
            once_per_file=True,
            of_interruption=True,
        ),
        Code(
            "duplicate-column", "A table has a column twice.", ERROR, explains=_OF_A_LIST, once_per_file=True
        ),
        Code(
            "empty-file",
            "A file has no bytes.",
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
            "A file is in the dataset that no episode refers to.",
            by(warning="LeRobot reads it, or nothing does", error="LeRobot reads its rows a second time"),
        ),
        Code("followed-link", "A link to a place outside the dataset was followed.", NOTE),
        Code("large-file", "A file is larger than info.json allows.", NOTE),
        Code(
            "lfs-pointer",
            "A Git LFS pointer stands where a file should be.",
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
        Code("nested-dataset", "A second dataset, or a part of one, lies within the dataset.", WARNING),
        Code(
            "no-episodes",
            "The dataset has no episodes, or none is left to write.",
            ERROR,
            explains=(Effect(_LACKING, "data|meta/(tasks|episodes|stats).*"),),
        ),
        Code("not-checked", "Something could not be checked because of another finding.", NOTE),
        Code(
            "only-metadata",
            "Only the metadata of a dataset is there.",
            ERROR,
            explains=(Effect("missing-file", "data/.*"), Effect("video-missing", "videos/.*")),
        ),
        Code("path-outside-dataset", "A path leads outside the dataset's folder.", ERROR),
        Code("rescued", "What is whole of a damaged dataset is taken, the rest is named.", WARNING),
        Code("source-changed", "A source changed while it was read.", ERROR),
        Code("too-large", "A file would take too much memory to read.", ERROR, explains=_OF_A_LIST),
        Code(
            "unfinished-episode", "Images or videos of an episode were never put into the dataset.", WARNING
        ),
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
            "A recording that was resumed was interrupted.",
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
            "A table lies where LeRobot does not look.",
            by(error="episodes need it", warning="no episode needs it"),
        ),
        Code(
            "unreadable-file",
            "A file cannot be opened.",
            ERROR,
            explains=(Effect("missing-file"),),
            once_per_file=True,
        ),
        Code("unreadable-folder", "A folder may not be opened.", ERROR),
    ),
)
