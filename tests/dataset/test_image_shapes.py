"""Which axis of a camera's shape is the channels."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.dataset.info import Feature

LAST, FIRST = ["height", "width", "channels"], ["channels", "height", "width"]


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((48, 64, 3), LAST),
        ((48, 64, 3), ["height", "width", "channel"]),
        ((48, 64, 3), None),
        ((48, 64, 3), ["a", "b", "c"]),
        ((3, 48, 64), FIRST),
        ((3, 48, 64), ["channel", "height", "width"]),
        ((3, 48, 64), None),
        ((3, 48, 64), ["a", "b", "c"]),
    ],
)
def test_the_channels_are_where_the_names_or_the_numbers_say(
    shape: tuple[int, ...], names: list[str] | None
) -> None:
    feature = Feature("video", shape, names, {})
    assert feature.image_shape == (3, 48, 64)
    assert feature.image_size == (48, 64)


def test_names_decide_where_the_numbers_do_not() -> None:
    assert Feature("video", (3, 4, 3), FIRST, {}).image_shape == (3, 4, 3)
    assert Feature("video", (4, 3, 1), LAST, {}).image_shape == (1, 4, 3)
    assert Feature("video", (4, 3), None, {}).image_shape is None
