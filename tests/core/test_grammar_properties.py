"""Annotation files of any content: what is written is read back, and whatever is read has its laws."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.grammar import format_text, parse
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.labels import label_episode
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.findings.problem import AnnotationError
from tests.support.annotation_trees import annotation_trees, interval_tuples


def outcome(data: bytes | str, index_base: int | None = None) -> Annotations | AnnotationError:
    """What parsing ends in. Any other exception fails the test."""
    try:
        return parse(data, name="x", index_base=index_base).annotations
    except AnnotationError as error:
        return error


@settings(deadline=None)
@given(annotation_trees())
def test_what_is_written_is_read_back(tree: Annotations) -> None:
    assert parse(format_text(tree).encode(), name="x").annotations == tree


@settings(deadline=None)
@given(annotation_trees())
def test_writing_is_stable(tree: Annotations) -> None:
    text = format_text(tree)
    assert format_text(parse(text, name="x").annotations) == text


dialect = st.text(alphabet="0123456789:,-# \t\nalfisuce_x/~.", max_size=80)
lines = st.lists(
    st.sampled_from(
        [
            "0: 3-",
            "1:all fail",
            "2: 5 ,9-12  # note",
            "03: ALL success#x",
            "# index_base: 0",
            "# Index-Base = 1 # why",
            "# a_1",
            "#   repo_id: me/x   # y",
            "# free words",
            "",
            "  ",
            "4: 9-, 3",
            "5: x",
        ]
    ),
    max_size=10,
).map("\n".join)


@settings(deadline=None)
@given(dialect | lines)
def test_parse_format_parse_is_the_identity(text: str) -> None:
    try:
        first = parse(text, name="x").annotations
    except AnnotationError:
        return
    written = format_text(first)
    assert parse(written, name="x").annotations == first
    assert format_text(parse(written, name="x").annotations) == written


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "0",
                    "01",
                    "-1",
                    "index_base",
                    "episodes",
                    "datasets",
                    "dataset",
                    "ranges",
                    "exclude",
                    "note",
                ]
            )
            | st.sampled_from(["success_start", "success_end", "success_ranges", "", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.binary(max_size=200) | dialect.map(str.encode) | json_values.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_read_or_are_an_annotation_error(data: bytes) -> None:
    for index_base in (None, 0):
        parsed = outcome(data, index_base)
        if isinstance(parsed, AnnotationError):
            assert parsed.problems
            for problem in parsed.problems:
                assert problem.severity == "error"
                assert str(problem.place).startswith("x")
                assert str(problem).encode()
        else:
            assert any(section.episodes for section in parsed.sections)
            assert format_text(parsed)


@settings(deadline=None)
@given(st.text(alphabet='[]{}:,"\\ 0123456789-.eEtrufalsn\n', max_size=60).map(lambda text: "{" + text))
def test_json_is_accepted_exactly_where_the_standard_library_does(text: str) -> None:
    parsed = outcome(text)
    problems = parsed.problems if isinstance(parsed, AnnotationError) else ()
    is_json = all(problem.code != "not-json" for problem in problems)
    try:
        json.loads(text)
    except ValueError:
        assert not is_json
    else:
        assert is_json


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_str_is_read_or_is_an_annotation_error(text: str) -> None:
    parsed = outcome(text)
    assert parsed.problems if isinstance(parsed, AnnotationError) else parsed.sections


def as_json(episode: EpisodeAnnotation, base: int, form: str) -> object:
    """One episode in a form of the JSON dialect, with the person's numbers."""
    pairs = [
        [item.start + base, None if item.stop is None else item.stop - 1 + base] for item in episode.ranges
    ]
    if not pairs and form == "short":
        return None
    if len(pairs) == 1 and form == "short":
        ((first, last),) = pairs
        return {"success_start": first} | ({} if last is None else {"success_end": last})
    return {"success_ranges" if form == "long" else "ranges": pairs}


@settings(deadline=None)
@given(annotation_trees(), st.sampled_from(["short", "long", "plain"]), st.booleans())
def test_json_and_text_of_the_same_content_give_the_same_labels(
    tree: Annotations, form: str, nested: bool
) -> None:
    datasets = []
    for position, section in enumerate(tree.sections):
        listed = {str(item.episode_index): as_json(item, tree.index_base, form) for item in section.episodes}
        # JSON has no place before the first header.
        name = section.dataset if section.dataset is not None else f"unnamed {position}"
        datasets.append({"dataset_path": name, **({"episodes": listed} if nested else listed)})
    text = json.dumps({"index_base": tree.index_base, "datasets": datasets})
    from_json = parse(text, name="x").annotations
    from_text = parse(format_text(tree), name="x").annotations
    for one, other in zip(from_json.sections, from_text.sections, strict=True):
        assert [(item.episode_index, item.ranges) for item in one.episodes] == [
            (item.episode_index, item.ranges) for item in other.episodes
        ]


@settings(deadline=None)
@given(
    interval_tuples(),
    st.integers(1, 60),
    st.sampled_from(["frame", "next"]),
    st.sampled_from(["keep", "episode_end", "first_success", "last_frame_of_success"]),
    st.floats(width=32, allow_nan=False),
    st.data(),
)
def test_labels_keep_their_laws(
    ranges: tuple[FrameInterval, ...],
    length: int,
    alignment: Alignment,
    done: Done,
    failure_value: float,
    data: st.DataObject,
) -> None:
    episode = EpisodeAnnotation(0, ranges)
    existing = np.array(data.draw(st.lists(st.booleans(), min_size=length, max_size=length)), np.bool_)

    is_late = any(item.start >= length or (item.stop or 0) > length for item in ranges)
    problems = check_section(AnnotationSection(None, (episode,)), [length], name="x", index_base=1)
    assert bool(problems) == is_late
    if is_late:
        return
    labels = label_episode(
        episode.success,
        length,
        alignment=alignment,
        done=done,
        success_value=7.5,
        failure_value=failure_value,
        existing_done=existing,
    )
    frames = [any(frame in item for item in ranges) for frame in range(length)]
    rows = frames if alignment == "frame" else [*frames[1:], frames[-1]]
    assert labels.success.tolist() == rows
    assert labels.reward.dtype == np.float32
    assert labels.reward.tolist() == [7.5 if row else failure_value for row in rows]
    assert labels.done.shape == (length,)
    if done == "keep":
        assert labels.done.tolist() == existing.tolist()
        return
    assert labels.done[-1]
    marked = {int(row) for row in np.flatnonzero(labels.done)} - {length - 1}
    hits = [row for row in range(length) if rows[row]]
    extra = {"episode_end": [], "first_success": hits[:1], "last_frame_of_success": hits[-1:]}[done]
    assert marked == set(extra) - {length - 1}
