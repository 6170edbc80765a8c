"""The package in examples/ that registers a labeler of its own works as its README says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.propose import main
from tests.support.project import PROJECT

EXAMPLE = PROJECT / "examples/rest_labeler"


def test_a_labeler_of_another_package(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    readme = (EXAMPLE / "README.md").read_text().split("    lerobot-grasp-propose ")[1]
    given = readme.replace("\\\n", " ").split()
    given[given.index("recordings/my_dataset")] = str(shared_data("koch_screwdriver_v21"))
    program = Path(sys.executable).parent / "lerobot-grasp-propose"
    paths = [str(EXAMPLE), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [program, *given],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rest proposes ")
    draft = (tmp_path / "draft.txt").read_text()
    assert draft.startswith("# A draft by the labeler: rest\n")  # 2 is the default of speed
    assert [line[:3] for line in draft.splitlines() if line[0] != "#"] == ["00:", "01:", "02:", "03:", "04:"]


def test_a_package_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--labeler.discover_packages_path=no_such_labeler", "--labeler.type=rest"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--labeler.discover_packages_path: the package no_such_labeler cannot be imported" in said
