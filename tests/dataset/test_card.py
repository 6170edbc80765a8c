"""The dataset card: header and text are read whatever they look like, and written as the Hub reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lerobot_grasp_plugin.dataset.card import Card, read_card, write_card


def card_of(root: Path, content: str | bytes) -> Card:
    data = content.encode() if isinstance(content, str) else content
    (root / "README.md").write_bytes(data)
    return read_card(root)


def test_no_card(tmp_path: Path) -> None:
    assert read_card(tmp_path) == Card()
    assert read_card(tmp_path).license is None


@pytest.mark.parametrize(
    ("content", "license_name", "text"),
    [
        ("---\nlicense: cc-by-nc-4.0\ntags: [so101]\n---\nLab.\n", "cc-by-nc-4.0", "Lab."),
        ("---\r\nlicense: mit\r\n---\r\nLab.", "mit", "Lab."),
        ("\ufeff---\nlicense: [mit, apache-2.0]\n---\n", "mit, apache-2.0", ""),
        ("---\nlicense:\n---\nLab.\n", None, "Lab."),
        ("---\n---\nLab.\n", None, "Lab."),
        ("# Lab\n\n---\nlicense: mit\n---\n", None, "# Lab\n\n---\nlicense: mit\n---"),
    ],
)
def test_cards(tmp_path: Path, content: str, license_name: str | None, text: str) -> None:
    card = card_of(tmp_path, content)
    assert card.problem is None
    assert (card.license, card.text) == (license_name, text)


@pytest.mark.parametrize(
    "content",
    [
        "---\nlicense: [\n---\ntext\n",
        "---\n- one\n- two\n---\ntext\n",
        "---\na: &x [1]\nb: [*x, *x]\n---\ntext\n",
        b"\xff\xfe---",
        b"x" * (4 * 2**20 + 1),
    ],
)
def test_cards_that_cannot_be_read(tmp_path: Path, content: str | bytes) -> None:
    card = card_of(tmp_path, content)
    assert card.problem is not None
    assert card.problem.code == "bad-card"
    assert card.problem.severity == "warning"
    assert card.header == {}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    header = {
        "license": "cc-by-4.0",
        "tags": ["LeRobot", "so101", "no", "1.0", "grüße: 7", "😀"],
        "pretty_name": "A: b #c",
        "configs": [{"config_name": "default", "data_files": "data/*/*.parquet"}],
        "nested": {"a": [1, None, True], "b": "x"},
        "empty": [],
        "off": "yes",
    }
    write_card(tmp_path, header, "generated", "Text of a person.\n")
    content = (tmp_path / "README.md").read_text()
    assert yaml.safe_load(content.split("---\n")[1]) == header
    assert "generated" in content
    card = read_card(tmp_path)
    assert dict(card.header) == header
    assert card.text == "Text of a person."  # the next output writes its own generated text
