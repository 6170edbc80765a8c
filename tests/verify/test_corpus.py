"""Every fault of the corpus is named by its code, grade and place; a sound dataset has none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from lerobot_grasp_plugin import Problem, RelabelConfig, relabel, verify_dataset
from lerobot_grasp_plugin.commands.verify_formats import Verified, as_json
from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.findings.problem import EPISODES
from tests.support import factories
from tests.support.factories import Legacy, Recording, write_legacy
from tests.support.file_schemas import violation
from tests.verify.corpus import FAULTS, Fault
from tests.verify.damage import LENGTHS, Target

type Sound = Callable[[str], Path]

REWARDS: dict[int, Sequence[int]] = {
    episode: (length - 2, length - 1) for episode, length in enumerate(LENGTHS)
}


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A sound dataset of a format, made once; only to be read."""
    base = tmp_path_factory.mktemp("sound")

    def made(name: str) -> Path:
        root = base / name
        if root.exists():
            return root
        if name == "v3.0":
            factories.record(root, Recording(LENGTHS, rewards=REWARDS))
        elif name == "labelled":
            annotations = base / "labels.txt"
            annotations.write_text("".join(f"{episode}: 9-\n" for episode in range(len(LENGTHS))))
            relabel(
                RelabelConfig(root=made("v3.0"), annotations=annotations, new_root=root, done="episode_end")
            )
        else:
            write_legacy(root, Legacy(lengths=LENGTHS, version=name, labels=True))
        return root

    return made


def copy_of(sound: Sound, name: str, tmp_path: Path) -> Target:
    return Target(
        Path(shutil.copytree(sound(name), tmp_path / "set")), "v3.0" if name == "labelled" else name
    )


@pytest.mark.parametrize("name", ["v2.0", "v2.1", "v3.0", "labelled"])
def test_a_sound_dataset_has_no_fault(name: str, sound: Sound) -> None:
    found = verify_dataset(sound(name), level="decode").problems
    assert [problem for problem in found if problem.severity != "note"] == []


def is_it(problem: Problem, fault: Fault, target: Target) -> bool:
    return (
        (problem.code, problem.severity) == (fault.code, fault.severity)
        and (fault.where is None or problem.place.path == str(fault.where(target)))
        and (fault.episode is None or problem.place.episode == fault.episode)
        and (fault.frame is None or problem.place.frame == fault.frame)
    )


def levels_for(fault: Fault, name: str) -> list[Level]:
    """All levels; images are decoded in one format only, the last, as all formats share the code for it."""
    decodes = name == fault.formats[-1] or fault.level == "decode"
    return [level for level in get_args(Level) if level != "decode" or decodes]


def findings_agree(target: Target, levels: Sequence[Level]) -> dict[Level, list[Problem]]:
    """The findings of each level; what one finds, the deeper ones find as well, or say more of the file."""
    reports = {level: verify_dataset(target.root, level=level) for level in levels}
    written = as_json([Verified("set", report) for report in reports.values()])
    assert violation(written) is None
    found = {level: list(report.problems) for level, report in reports.items()}
    for problem in (problem for problems in found.values() for problem in problems):
        assert problem.place.root == str(target.root), problem
        assert EPISODES not in problem.message
    for (level, shallow), (deeper, deep) in pairwise(found.items()):
        named = {(problem.code, problem.place.path) for problem in deep}
        said = {problem.place.path for problem in deep if problem.severity == "error"}
        said |= {problem.place.path for problem in deep if problem.code == "wrong-file"}
        lost = [
            problem
            for problem in shallow
            if (problem.code, problem.place.path) not in named
            and not (problem.code == "extra-file" and problem.place.path in said)
        ]
        assert not lost, f"at {level} and not at {deeper}: {lost[0]}"
    return found


CASES = [(fault, name) for fault in FAULTS for name in fault.formats]


@pytest.mark.parametrize(
    ("fault", "name"),
    CASES,
    ids=[f"{fault.family}: {fault.name} [{name}] {fault.code}" for fault, name in CASES],
)
def test_a_fault_is_named(fault: Fault, name: str, sound: Sound, tmp_path: Path) -> None:
    target = copy_of(sound, name, tmp_path)
    fault.inject(target)
    found = findings_agree(target, levels_for(fault, name))[fault.level]
    named = [problem for problem in found if is_it(problem, fault, target)]
    assert named, "\n".join(map(str, found))
    assert not [problem for problem in found if problem.code == "check-failed"]
    if table := os.environ.get("GRASP_DAMAGE_TABLE"):
        place = str(replace(named[0].place, root=""))
        with Path(table).open("a") as file:
            print(
                f"| {name} | {fault.family} | {fault.name} | {fault.severity} | {fault.code} | {place} |",
                file=file,
            )
