"""``lerobot-grasp-verify --explain``."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.commands.verify import main
from lerobot_grasp_plugin.findings.codes import CODES


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", "[missing-rows]"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("missing-rows: error\n" + CODES["missing-rows"].meaning)
    assert "Episode indices" in said
    assert "lerobot-grasp-merge" in said


def test_causes_and_reasons_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--explain", "wrong-total"])
    said = capsys.readouterr().out
    assert "note (LeRobot does not use it)" in said
    assert "unfinished-recording" in said


def test_a_near_miss_is_an_error_with_the_code_that_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--explain", "wrong-totl"])
    assert "similar: wrong-total" in capsys.readouterr().err
