from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.findings.problem import UsageError

TOTAL = 30
indices = st.integers(0, TOTAL - 1)
unique = st.lists(indices, min_size=1, max_size=TOTAL, unique=True)


def spelled(items: list[int]) -> str:
    """Spell indices with ranges wherever they ascend by one."""
    runs: list[list[int]] = []
    for item in items:
        if runs and runs[-1][-1] + 1 == item:
            runs[-1].append(item)
        else:
            runs.append([item])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def outcome(text: str, total: int) -> tuple[int, ...] | UsageError:
    """What selecting ends in. Any other exception fails the test."""
    try:
        return select_episodes(text, total)
    except UsageError as error:
        return error


@settings(deadline=None)
@given(unique)
def test_every_way_to_write_a_list_selects_it_in_order(items: list[int]) -> None:
    expected = tuple(items)
    assert select_episodes(items, TOTAL) == expected
    assert select_episodes(spelled(items), TOTAL) == expected
    assert select_episodes(f"[{spelled(items)}]", TOTAL) == expected
    assert select_episodes(str(items), TOTAL) == expected


@settings(deadline=None)
@given(unique.filter(lambda items: len(items) < TOTAL))
def test_exclusion_leaves_the_rest(items: list[int]) -> None:
    rest = tuple(index for index in range(TOTAL) if index not in items)
    assert select_episodes(f"!{spelled(items)}", TOTAL) == rest
    assert select_episodes(f"all, !{spelled(items)}", TOTAL) == rest


@settings(deadline=None)
@given(unique.filter(lambda items: len(items) > 1), st.data())
def test_exclusion_keeps_the_order_of_the_selection(items: list[int], data: st.DataObject) -> None:
    out = data.draw(st.lists(st.sampled_from(items), min_size=1, max_size=len(items) - 1, unique=True))
    expected = tuple(item for item in items if item not in out)
    assert select_episodes(f"{spelled(items)}, !{spelled(out)}", TOTAL) == expected


@settings(deadline=None)
@given(st.text(alphabet="0123456789,-! []alx\n", max_size=20) | st.text(max_size=20), st.integers(0, 12))
def test_any_text_selects_something_sound_or_is_a_usage_error(text: str, total: int) -> None:
    selected = outcome(text, total)
    if isinstance(selected, UsageError):
        assert selected.problems
        assert all(problem.severity == "error" and problem.excerpt for problem in selected.problems)
    else:
        assert selected
        assert len(set(selected)) == len(selected)
        assert set(selected) <= set(range(total))
