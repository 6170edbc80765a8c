"""Whatever a file says, a note put into it is read back, and nothing else in it changes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.annotations import Annotations
from lerobot_grasp_plugin.core.episode_notes import NOTHING, EpisodeNote, definition_of, notes_of, one_line
from lerobot_grasp_plugin.core.grammar import format_text
from lerobot_grasp_plugin.core.note_edit import with_definition, with_note
from lerobot_grasp_plugin.core.text_edit import parse_editable
from lerobot_grasp_plugin.findings.problem import AnnotationError
from tests.support.annotation_trees import annotation_trees

said = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
said |= st.sampled_from(
    ["look again", "# flag 3: x", "dataset path: a/b", "12: 3-", "it is held; and lifted"]
)
episodes = st.integers(0, 13)
endings = st.sampled_from(["\n", "\r\n"])


def labels(annotations: Annotations) -> list[object]:
    return [
        (section.dataset, episode.episode_index, episode.ranges, episode.comment)
        for section in annotations.sections
        for episode in section.episodes
    ]


@settings(deadline=None)
@given(annotation_trees(), st.data(), endings)
def test_a_note_is_read_back(tree: Annotations, data: st.DataObject, ending: str) -> None:
    text = format_text(tree).replace("\n", ending)
    before = parse_editable(text, name="x")
    dataset = data.draw(st.sampled_from([section.dataset for section in before.sections]))
    own = [section for section in before.sections if section.dataset == dataset]
    episode, words = data.draw(episodes), data.draw(said)
    new = with_note(text, before, own, episode, EpisodeNote(words, words), new_header="n")
    try:
        after = parse_editable(new, name="x")
    except AnnotationError:
        return  # it contradicts how frames are counted
    sections = [section for section in after.sections if section.dataset == dataset]
    words = one_line(words)
    assert notes_of(after, sections)[episode] == EpisodeNote(words or "", words or None)
    assert labels(after) == labels(before)
    assert with_note(new, after, sections, episode, NOTHING, new_header="n") == text


@settings(deadline=None)
@given(annotation_trees(), st.data(), endings)
def test_a_definition_is_read_back(tree: Annotations, data: st.DataObject, ending: str) -> None:
    text = format_text(tree).replace("\n", ending)
    before = parse_editable(text, name="x")
    dataset = data.draw(st.sampled_from([section.dataset for section in before.sections]))
    own = [section for section in before.sections if section.dataset == dataset]
    words = data.draw(said)
    new = with_definition(text, before, own, words, new_header="n")
    try:
        after = parse_editable(new, name="x")
    except AnnotationError:
        return
    sections = [section for section in after.sections if section.dataset == dataset]
    assert definition_of(after, sections) == (one_line(words) or None)
    assert labels(after) == labels(before)
    assert with_definition(new, after, sections, None, new_header="n") == text
