"""Codes of statistics: stats.json and those of each episode."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import NOTE, Code, Family, by

_BY_USE = by(warning="training normalises with them", note="no policy normalises with them")

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
            "Quantiles are computed from the episodes' quantiles, not from all rows.",
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
            "Statistics of labels differ from the rows.",
            _BY_USE,
            fix="lerobot-grasp-relabel",
        ),
        Code(
            "stale-statistics",
            "Statistics are outdated: the rows have changed.",
            _BY_USE,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "wrong-statistics",
            "Statistics do not match the rows or images.",
            _BY_USE,
            fix="lerobot-grasp-merge",
        ),
        Code(
            "wrong-stats-shape",
            "Statistics have another shape than LeRobot's.",
            by(error="training or merge fails on it", warning="no policy normalises with it"),
            fix="lerobot-grasp-merge",
        ),
    ),
)
