"""The card of an output: the licence of the sources follows, and different ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    GraspError,
    MergeConfig,
    MergeReport,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
)
from lerobot_grasp_plugin.dataset.card import read_card
from tests.support.factories import tree

type Recorded = Callable[[str], Path]


def with_card(root: Path, content: str) -> Path:
    (root / "README.md").write_text(content)
    return root


def merged(target: Path, *roots: Path, **options: object) -> MergeReport:
    return merge(MergeConfig(sources=[SourceConfig(root=root) for root in roots], new_root=target, **options))


CARD = (
    "---\nlicense: cc-by-nc-4.0\nlicense_link: LICENSE\ntags: [LeRobot, so101]\nlab: east\n---\n"
    "Recorded in the lab.\n"
)


def test_relabel_keeps_the_card(copied: Recorded, tmp_path: Path) -> None:
    source = with_card(copied("av1"), CARD)
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 2-\n" for episode in range(5)))
    relabel(RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "out"))
    card = read_card(tmp_path / "out")
    assert card.license == "cc-by-nc-4.0"
    assert card.header["license_link"] == "LICENSE"
    assert card.header["tags"] == ["LeRobot", "lerobot_grasp_plugin", "so101"]
    assert card.header["lab"] == "east"
    assert "Recorded in the lab." in card.text
    content = (tmp_path / "out/README.md").read_text()
    assert "5 episodes, 35 frames at 10 fps" in content


def test_one_licence_for_all(copied: Recorded, tmp_path: Path) -> None:
    spelled = CARD.replace("east", "west").replace("cc-by-nc", "CC-BY-NC")  # is the same licence
    one, other = with_card(copied("av1"), CARD), with_card(copied("h264"), spelled)
    report = merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"])
    card = read_card(tmp_path / "out")
    assert card.license == "cc-by-nc-4.0"
    assert "lab" not in card.header
    assert card.text.count("Recorded in the lab.") == 1
    (warning,) = [problem for problem in report.warnings if problem.code == "metadata-differs"]
    assert "'lab'" in warning.message
    assert '"east" in av1; "west" in h264' in warning.message


def test_different_licences_are_refused_by_name(copied: Recorded, tmp_path: Path) -> None:
    one, other = with_card(copied("av1"), CARD), with_card(copied("h264"), "---\nlicense: mit\n---\n")
    before = tree(one), tree(other)
    with pytest.raises(GraspError) as caught:
        merged(tmp_path / "out", one, other)
    codes = [problem.code for problem in caught.value.problems]
    assert "license-mismatch" in codes
    assert "codec-mismatch" in codes  # everything at once
    problem = caught.value.problems[codes.index("license-mismatch")]
    assert "cc-by-nc-4.0 in av1; mit in h264" in problem.message
    assert "--license" in problem.hint
    assert not (tmp_path / "out").exists()
    merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"], license="cc-by-nc-4.0")
    card = read_card(tmp_path / "out")
    assert card.license == "cc-by-nc-4.0"
    assert card.header["license_link"] == "LICENSE"
    assert (tree(one), tree(other)) == before


def test_a_source_without_a_licence_is_named(copied: Recorded, tmp_path: Path) -> None:
    one, other = with_card(copied("av1"), CARD), copied("h264")
    report = merged(tmp_path / "out", other, one, drop_features=["observation.images.wrist"])
    assert read_card(tmp_path / "out").license == "cc-by-nc-4.0"
    assert "license-not-stated" in [problem.code for problem in report.warnings]


def test_a_card_that_cannot_be_read_is_named(copied: Recorded, tmp_path: Path) -> None:
    report = merged(tmp_path / "out", with_card(copied("av1"), "---\nlicense: [\n---\ntext\n"))
    assert "bad-card" in [problem.code for problem in report.warnings]
    assert read_card(tmp_path / "out").text.endswith("text")


def test_the_text_does_not_grow_from_output_to_output(copied: Recorded, tmp_path: Path) -> None:
    merged(tmp_path / "one", with_card(copied("av1"), CARD))
    merged(tmp_path / "two", tmp_path / "one")
    assert (tmp_path / "two/README.md").read_text().count("5 episodes, 35 frames") == 1


def test_an_empty_licence_is_refused(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(GraspError) as caught:
        merged(tmp_path / "out", recorded("av1"), license=" ")
    assert [problem.code for problem in caught.value.problems] == ["bad-license"]
    assert caught.value.exit_code == 2
