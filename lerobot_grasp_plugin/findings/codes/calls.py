"""Codes of calls: options, targets, the Hub, processes."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, WARNING, Code, Family

CALLS = Family(
    "Calls, targets and the Hub",
    (
        Code("bad-address", "The server cannot listen at an address.", ERROR),
        Code("bad-repo-id", "A name is not owner/name.", ERROR),
        Code("bad-value", "An option has a value that is not allowed.", ERROR),
        Code("cannot-write", "Something cannot be written.", ERROR),
        Code("contradicting-options", "Options contradict each other.", ERROR),
        Code("download-failed", "Files cannot be downloaded from the Hub.", ERROR),
        Code("failed", "An error of another process, as reported.", ERROR),
        Code("lerobot-failed", "A command of LeRobot failed.", ERROR),
        Code("mixed-index-base", "Frames of an earlier run are numbered from another base.", WARNING),
        Code("no-dataset", "No dataset is given, or it does not exist.", ERROR),
        Code("no-effect", "An option has no effect.", ERROR),
        Code("no-folder", "A folder does not exist.", ERROR),
        Code("no-hard-link", "No hard link can be made.", ERROR),
        Code("no-owner", "The Hub needs an owner in the name.", ERROR),
        Code("no-rerun", "Rerun is not installed.", ERROR),
        Code("no-sheet", "Annotations are shown on contact sheets only.", ERROR),
        Code("not-own-output", "A folder holds files of another origin.", ERROR),
        Code("not-published", "Nothing was uploaded.", ERROR),
        Code("other-dataset", "The repository holds another dataset.", ERROR),
        Code("process-lost", "A process that decodes images died.", ERROR),
        Code("publish-failed", "Publishing failed.", ERROR),
        Code("publish-refused", "Publishing is not allowed.", ERROR),
        Code("repository-is-public", "The repository is public, and --private is given.", ERROR),
        Code("target-exists", "The target already exists.", ERROR),
        Code("target-in-use", "Another run is writing the target.", ERROR),
        Code("unknown-choice", "The value of an option is not one of its choices.", ERROR),
        Code("unsafe-name", "A camera's name is not a valid folder name.", ERROR),
        Code("unsupported-option", "An option of LeRobot is not supported here.", ERROR),
        Code("wrong-as-read", "LeRobot reads other values from the demo's dataset.", ERROR),
        Code("wrong-figure", "A figure of the demo's dataset is wrong.", ERROR),
    ),
)
