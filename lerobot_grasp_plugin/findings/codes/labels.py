"""Codes of labels: reward, done, success, and what the sidecar says of them."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Family, by

_RELABEL = "lerobot-grasp-relabel"

LABELS = Family(
    "Labels",
    (
        Code(
            "alignment",
            "Labels have another alignment than the training expects.",
            WARNING,
            fix=_RELABEL,
        ),
        Code("alignment-differs", "Sources were labelled with different alignments.", WARNING, fix=_RELABEL),
        Code("bad-label-column", "A column cannot label frames.", ERROR),
        Code("bad-labels-threshold", "labels_threshold lacks labels_from, or is not a finite number.", ERROR),
        Code("class-balance", "The share of success frames.", NOTE),
        Code("class-imbalance", "Few frames or episodes are success.", WARNING),
        Code(
            "dense-rewards",
            "Rewards have three values or more, and it is unknown which is success.",
            by(error="labels are made from them", warning="they are merged", note="verify reads them"),
            fix=_RELABEL,
        ),
        Code("done-all-false", "next.done is false in every row.", WARNING, fix=_RELABEL),
        Code("done-all-true", "next.done is true in every row.", WARNING, fix=_RELABEL),
        Code(
            "done-at-success",
            "A success ends its episode, but the environment continues.",
            WARNING,
            fix=_RELABEL,
        ),
        Code(
            "done-before-end",
            "next.done is true before the last row.",
            by(warning="rows follow it", note="the sidecar says so"),
        ),
        Code("done-differs-from-sidecar", "next.done differs from the sidecar.", WARNING, fix=_RELABEL),
        Code("done-inside", "Rows within an episode are done.", WARNING, fix=_RELABEL),
        Code("done-missing-at-end", "The last row of an episode is not done.", WARNING, fix=_RELABEL),
        Code(
            "done-not-at-end", "The last row is not done, but LeRobot's buffer needs it.", ERROR, fix=_RELABEL
        ),
        Code("failure-value-differs", "Sources have different rewards for failure.", WARNING, fix=_RELABEL),
        Code("label-notes", "How labels of a dataset were made, if that needs attention.", WARNING),
        Code(
            "label-shape",
            "A label has more than one value in a row.",
            by(warning="in a dataset", error="LeRobot takes one"),
        ),
        Code("labels-mapped", "The mapping of rewards to labels.", NOTE),
        Code(
            "labels-of-next-frame",
            "Labels are those of the next frame, but a classifier sees the current one.",
            WARNING,
            fix=_RELABEL,
        ),
        Code("no-labels", "No label marks the success frames.", ERROR, fix=_RELABEL),
        Code("no-labels-threshold", "A column has many values and needs a threshold for success.", ERROR),
        Code("no-success", "Episodes have no success frame.", NOTE),
        Code("nothing-to-keep", "The source has no labels and no next.done to keep.", ERROR),
        Code("one-class", "All frames are success, or all are failure.", ERROR),
        Code("other-reward-values", "Kept rewards are neither success nor failure.", WARNING),
        Code(
            "outcome-differs",
            "An episode was recorded as success and becomes failure, or the reverse.",
            WARNING,
        ),
        Code("reward-all-zero", "next.reward is 0 in all rows.", WARNING, fix=_RELABEL),
        Code("reward-constant", "next.reward is the same in all rows.", WARNING, fix=_RELABEL),
        Code("reward-differs-from-sidecar", "next.reward differs from the sidecar.", WARNING, fix=_RELABEL),
        Code(
            "reward-dtype",
            "next.reward has a dtype that a classifier's training cannot use.",
            ERROR,
            fix=_RELABEL,
        ),
        Code(
            "reward-values",
            "Rewards have two values that are not 1 and 0.",
            NOTE,
            fix=_RELABEL,
        ),
        Code(
            "reward-without-done",
            "next.reward exists without next.done, or success is never done.",
            WARNING,
            fix=_RELABEL,
        ),
        Code(
            "rewards-not-labels",
            "Rewards are not 0 and 1, but lerobot-train uses them as labels.",
            ERROR,
            fix="lerobot-grasp-train-classifier",
        ),
        Code("stale-done", "next.done was made from the old labels and is kept.", WARNING),
        Code(
            "success-differs",
            "next.success and next.reward differ.",
            by(warning="in several frames", note="next.success is true in the last frame only"),
        ),
        Code(
            "success-not-done",
            "A success is not done, but the environment ends there.",
            WARNING,
            fix=_RELABEL,
        ),
        Code("success-reward", "The environment rewards success with another value than the dataset.", ERROR),
        Code("success-value-differs", "Sources have different rewards for success.", WARNING, fix=_RELABEL),
        Code(
            "success-without-done",
            "Success is not done, and it is unknown whether the episode ends there.",
            NOTE,
        ),
        Code(
            "unknown-rewards",
            "The dataset has rewards that are neither success nor failure.",
            ERROR,
            fix=_RELABEL,
        ),
        Code("value-does-not-fit", "A reward cannot be stored in the dtype of its column.", ERROR),
    ),
)
