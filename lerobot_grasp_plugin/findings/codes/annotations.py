"""Codes of annotation files, and of selections of episodes."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, WARNING, Code, Family, by

ANNOTATIONS = Family(
    "Annotation files and selections of episodes",
    (
        Code("ambiguous-header", "A header fits two datasets.", ERROR),
        Code("bad-label-values", "The values of success and failure are not two different numbers.", ERROR),
        Code("conflicting-keys", "Two keys or columns say the same thing in two ways.", ERROR),
        Code(
            "conflicting-rows",
            "One row says an episode fails throughout, another gives it success.",
            ERROR,
            leaves_out="range",
        ),
        Code("control-character", "A control character is not allowed in text.", ERROR),
        Code("counting-doubtful", "A comment contradicts the way the file counts.", ERROR),
        Code("csv-columns", "The columns of a CSV file match no known form.", ERROR),
        Code("duplicate-key", "A key occurs twice, or two keys name the dataset.", ERROR),
        Code("empty-section", "A header has no episodes below it.", WARNING),
        Code("empty-selection", "A selection is empty.", ERROR),
        Code("episode-listed-twice", "An episode is annotated twice.", ERROR, leaves_out="episode"),
        Code("exclude-counts-as-failure", "Frames under `exclude` count as failure.", WARNING),
        Code("exclude-misplaced", "`exclude` is used where it has no meaning.", ERROR),
        Code("excluded-not-selected", "A selection excludes an episode that is not selected.", ERROR),
        Code("file-too-large", "A file is too large for an annotation file.", ERROR),
        Code(
            "flag-doubtful", "A comment looks like a misspelt flag of an episode.", ERROR, leaves_out="range"
        ),
        Code("flag-without-episode", "A flagged episode does not exist in the dataset.", WARNING),
        Code(
            "foreign-digits", "A number is not written with the digits 0 to 9.", ERROR, leaves_out="episode"
        ),
        Code("frame-listed-twice", "A frame of an episode is listed twice.", ERROR, leaves_out="range"),
        Code("frame-zero", "Frame 0 occurs in a file that counts from 1.", ERROR, leaves_out="range"),
        Code("frames-missing", "Not every frame of an episode has a row.", ERROR, leaves_out="range"),
        Code("header-doubtful", "A comment looks like a misspelt header.", ERROR),
        Code("index-base-contradiction", "The file and the option state different index bases.", ERROR),
        Code(
            "index-base-doubtful",
            "A comment mentions another index base than the one in use.",
            by(error="the comment says how the file counts", warning="the comment only mentions frame 0"),
        ),
        Code("index-base-misplaced", "The index base is stated in the wrong place.", ERROR),
        Code("index-base-missing", "A JSON or CSV file does not say its index base.", ERROR),
        Code("index-base-twice", "The index base is stated twice.", ERROR),
        Code("index-base-unknown", "The index base is neither 0 nor 1.", ERROR),
        Code("invisible-character", "A number contains an invisible character.", ERROR, leaves_out="episode"),
        Code("listed-twice", "A selection lists an episode twice.", ERROR),
        Code("missing-colon", "A line has no colon after the episode.", ERROR, leaves_out="episode"),
        Code("missing-dataset", "A header, row or key does not name a dataset.", ERROR),
        Code("missing-label", "A row of a CSV file has no label.", ERROR, leaves_out="range"),
        Code(
            "missing-number", "A row of a CSV file lacks its episode or frame.", ERROR, leaves_out="episode"
        ),
        Code("missing-ranges", "An episode is listed without ranges.", ERROR, leaves_out="range"),
        Code("negative-number", "A number is negative.", ERROR, leaves_out="episode"),
        Code("no-annotations", "An annotation file is needed but not given.", ERROR),
        Code("no-header", "Episodes have no header, so their dataset is unknown.", ERROR),
        Code("no-range", "Rows without start and end label their episodes as failure.", WARNING),
        Code(
            "no-section",
            "No section of the annotation file matches a source.",
            by(error="no source would be labelled", warning="its episodes are all unlisted"),
        ),
        Code("not-annotations", "A file is not in a known annotation format.", ERROR),
        Code("not-csv", "A line of a CSV file has an unclosed quote.", ERROR),
        Code("not-editable", "Only the text form of annotations can be edited.", ERROR),
        Code("not-json", "A file that looks like JSON is not JSON.", ERROR),
        Code("not-utf-8", "A file is not UTF-8.", ERROR),
        Code(
            "number-too-large", "A number is larger than any episode or frame.", ERROR, leaves_out="episode"
        ),
        Code("other-owner", "A header names a dataset of another owner.", WARNING),
        Code("overlapping-ranges", "Ranges of one episode overlap.", ERROR, leaves_out="range"),
        Code("range-past-end", "A range reaches past the end of its episode.", ERROR),
        Code("ranges-out-of-order", "Ranges are not in the order of the frames.", WARNING),
        Code("reset-doubtful", "A frame is success and a reset at once.", ERROR, leaves_out="range"),
        Code("reset-unused", "A column `reset` is set but changes no label.", WARNING),
        Code("reversed-range", "A range ends before it begins.", ERROR, leaves_out="range"),
        Code(
            "reward-unknown",
            "A reward in a CSV file is neither success nor failure.",
            ERROR,
            leaves_out="range",
        ),
        Code("text-exists", "The text file that the review page would write already exists.", ERROR),
        Code("time-not-frame", "A number looks like a time, not a frame.", ERROR, leaves_out="episode"),
        Code("too-many-errors", "Reading stopped after a thousand errors.", ERROR),
        Code("trailing-junk", "Unexpected text follows a range.", ERROR, leaves_out="range"),
        Code("unknown-dataset", "A header names a dataset that is not on this machine.", ERROR),
        Code("unknown-episode", "An episode does not exist.", ERROR),
        Code("unknown-key", "A key of a JSON file is unknown.", ERROR),
        Code(
            "unknown-token", "A part of the text is neither episode nor range.", ERROR, leaves_out="episode"
        ),
        Code("unlisted-episode", "A chosen episode is not annotated.", ERROR),
        Code("unused-annotations", "An annotation file is not used.", WARNING),
        Code("unused-section", "A section of the annotation file matches no source.", WARNING),
        Code(
            "wrong-cells",
            "A row of a CSV file has more or fewer cells than the first.",
            ERROR,
            leaves_out="episode",
        ),
        Code("wrong-structure", "A JSON file does not list datasets or episodes as it should.", ERROR),
        Code(
            "wrong-type",
            "A value has the wrong type.",
            ERROR,
            leaves_out="episode",
        ),
    ),
)
