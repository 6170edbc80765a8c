"""Codes of statistics: stats.json and those of each episode."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import NOTE, Code, Family, by

_BY_USE = by(warning="training normalises with them", note="nothing normalises with them")

STATISTICS = Family(
    "Statistics",
    (
        Code(
            "bad-stats",
            "Statistics are not arrays of numbers.",
            by(error="LeRobot reads them", warning="LeRobot reads the dataset without them"),
        ),
        Code(
            "episode-quantiles",
            "Quantiles are made of those of the episodes, not of all rows.",
            NOTE,
            fix="lerobot-grasp-relabel",
        ),
        Code(
            "missing-stats",
            "Statistics are missing.",
            by(warning="training or an edit needs them", note="nothing needs them"),
            fix="lerobot-grasp-merge",
        ),
        Code(
            "stale-label-statistics",
            "Statistics of labels are not those of the rows.",
            _BY_USE,
            fix="lerobot-grasp-relabel",
        ),
        Code(
            "stale-statistics",
            "Statistics are not those of the rows, which have changed since.",
            _BY_USE,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "wrong-statistics",
            "Statistics cannot be those of the rows or images.",
            _BY_USE,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "wrong-stats-shape",
            "Statistics have another shape than LeRobot's.",
            by(error="training or merge fails on it", warning="nothing normalises with it"),
            fix="lerobot-grasp-merge",
        ),
    ),
)
