"""Names of codecs against the list that LeRobot accepts."""

from __future__ import annotations

import pytest
from lerobot.configs.video import VALID_VIDEO_CODECS, VIDEO_CODECS_ALIASES

from lerobot_grasp_plugin.core.codecs import ACCEPTED, canonical_codec


def test_the_accepted_names_are_those_of_lerobot() -> None:
    assert VALID_VIDEO_CODECS | set(VIDEO_CODECS_ALIASES) == ACCEPTED


@pytest.mark.parametrize("name", sorted(VALID_VIDEO_CODECS - {"auto"}))
def test_what_is_written_for_an_accepted_name_is_accepted(name: str) -> None:
    assert canonical_codec(name) in ACCEPTED


@pytest.mark.parametrize("value", [None, 7, ["av1"]])
def test_what_is_no_text_stays(value: object) -> None:
    assert canonical_codec(value) == value
