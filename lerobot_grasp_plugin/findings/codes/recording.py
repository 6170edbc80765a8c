"""Codes of recording: sessions, robots, teleoperators, the simulated arm."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, WARNING, Code, Family, by

RECORDING = Family(
    "Recording and robots",
    (
        Code("bad-checkpoint", "The resume file of an interrupted recording cannot be read.", ERROR),
        Code("bad-config", "A config cannot be read.", ERROR),
        Code("bad-vector", "A point is not x, y and z.", ERROR),
        Code(
            "dataset-in-use",
            "Another program writes the dataset.",
            by(error="the dataset is to be written, or fully read", warning="it is checked"),
        ),
        Code("dropped-frames", "The video of an episode has fewer frames than rows.", ERROR),
        Code("frame-rates-differ", "The dataset and the simulated arm have different fps.", ERROR),
        Code("joint-limit", "A joint would have to go beyond its limit.", ERROR),
        Code("key-twice", "One key has two meanings.", ERROR),
        Code("no-end-effector", "The policy acts on joints, and end-effector steps are needed.", ERROR),
        Code("no-environment", "ee_delta works only in LeRobot's HIL-SERL environment.", ERROR),
        Code("no-episode", "No episode can be undone.", ERROR),
        Code("no-simulated-robot", "The robot is not the simulated one.", ERROR),
        Code("no-simulator", "The packages for the simulated arm are not installed.", ERROR),
        Code("no-time-limit", "An episode has no time limit.", ERROR),
        Code("no-truth", "The truth file of a simulated recording is missing.", ERROR),
        Code("not-degrees", "The joints must be in degrees.", ERROR),
        Code("other-labels", "Episodes were labelled with other options before.", ERROR),
        Code("other-robot", "The dataset was recorded with another robot.", ERROR),
        Code("outside-workspace", "A box leaves the workspace.", ERROR),
        Code("pending-edits", "Episodes are still to be replaced, deleted or inserted.", WARNING),
        Code("reserved-name", "The name is reserved by LeRobot.", ERROR),
        Code("reset-failed", "The arm did not reach its start pose.", ERROR),
        Code("slow-recording", "Frames were recorded slower than fps says.", WARNING),
        Code("truth-differs", "The truth file belongs to another recording.", ERROR),
        Code("unreachable", "The arm cannot reach a point.", ERROR),
    ),
)
