"""Makes the dataset card of an output from the cards of its sources: licence, tags and text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lerobot_grasp_plugin.core.plan import MergePlan
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.card import Card, read_card
from lerobot_grasp_plugin.findings.problem import MergeError, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.contradictions import Contradictions, agreed
from lerobot_grasp_plugin.merging.features import TargetFormat
from lerobot_grasp_plugin.merging.sources import Source

_OWN_TAGS: Final = ("LeRobot", "lerobot_grasp_plugin")
_LISTS: Final = ("task_categories", "tags", "language", "size_categories")
"""Keys of the header whose values are united."""
_LICENSE_KEYS: Final = ("license", "license_name", "license_link")
_ABOUT_FILES: Final = ("configs", "dataset_info")
"""Keys that describe the tables; those of a source are wrong for the output."""
_HEADING: Final = "# Card of "
_CONFIGS: Final = [{"config_name": "default", "data_files": "data/*/*.parquet"}]
_BADGE: Final = "https://huggingface.co/datasets/huggingface/badges/resolve/main/visualize-this-dataset-xl"
_VISUALIZE: Final = (
    '<a class="flex" href="https://huggingface.co/spaces/lerobot/visualize_dataset?path={repo_id}">\n'
    f'<img class="block dark:hidden" src="{_BADGE}.svg"/>\n'
    f'<img class="hidden dark:block" src="{_BADGE}-dark.svg"/>\n'
    "</a>"
)


@dataclass(frozen=True)
class OutputCard:
    """The parts of an output's card that come from its sources.

    Attributes:
        header: Its YAML header.
        text: The sources' texts, under a heading for each source.
        warnings: The parts that are left out, and why.
    """

    header: Mapping[str, Any]
    text: str
    warnings: Sequence[Problem] = field(default_factory=tuple)


def merged_card(sources: Sequence[Source], license_given: str | None, found: Contradictions) -> OutputCard:
    """The card of an output.

    Args:
        sources: Whose cards are read.
        license_given: The licence that the call states; None if the sources decide.
        found: Takes the values that the sources do not agree on.

    Raises:
        MergeError: The sources have different licences, and the call states none.
        UsageError: The licence of the call is empty.
    """
    cards = [read_card(source.reader.root) for source in sources]
    warnings = [card.problem for card in cards if card.problem is not None]
    header: dict[str, Any] = {}
    licences, more = _licences(sources, cards, license_given)
    header |= licences
    warnings += more
    for key in _LISTS:
        first = _OWN_TAGS if key == "tags" else ("robotics",) if key == "task_categories" else ()
        if values := list(dict.fromkeys([*first, *(v for card in cards for v in _listed(card, key))])):
            header[key] = values
    rest = [
        {
            key: value
            for key, value in card.header.items()
            if key not in (*_LISTS, *_LICENSE_KEYS, *_ABOUT_FILES)
        }
        for card in cards
    ]
    header |= agreed(sources, rest, "the card", found)
    header["configs"] = _CONFIGS
    warnings += _stale(sources, cards)
    return OutputCard(header, _texts(sources, cards), tuple(dict.fromkeys(warnings)))


def _licences(
    sources: Sequence[Source], cards: Sequence[Card], license_given: str | None
) -> tuple[dict[str, Any], list[Problem]]:
    if license_given is not None:
        if not license_given.strip():
            hint = "use a name of the Hub, such as apache-2.0, cc-by-4.0, cc-by-nc-4.0, other"
            raise UsageError(Problem("bad-license", "the licence is empty", hint=hint))
        same = [card for card in cards if card.license == license_given]
        names = same[0].header if same else {}
        return {"license": license_given, **_named(names)}, []
    stated = {card.license.casefold(): card for card in reversed(cards) if card.license is not None}
    if not stated:
        return {}, []
    by_license: dict[str, list[str]] = {}
    for source, card in zip(sources, cards, strict=True):
        if card.license is not None:
            by_license.setdefault(card.license.casefold(), []).append(source.title)
    if len(by_license) > 1:
        groups = "; ".join(f"{name} in {', '.join(titles)}" for name, titles in by_license.items())
        hint = "state the licence of the new dataset with --license NAME"
        raise MergeError(Problem("license-mismatch", f"the licences differ: {groups}", hint=hint))
    name = next(iter(by_license))
    header = stated[name].header
    silent = [source.title for source, card in zip(sources, cards, strict=True) if card.license is None]
    warnings = []
    if silent:
        message = (
            f"no licence in the card of {', '.join(silent)}; the new dataset's card says {name} for "
            "all episodes"
        )
        hint = "state another licence with --license NAME"
        warnings.append(Problem("license-not-stated", message, hint=hint))
    return {"license": header["license"], **_named(header)}, warnings


def _named(header: Mapping[str, Any]) -> dict[str, Any]:
    return {key: header[key] for key in _LICENSE_KEYS[1:] if key in header}


def _listed(card: Card, key: str) -> Iterator[str]:
    value = card.header.get(key)
    for entry in value if isinstance(value, list) else [value]:
        if entry is not None:
            yield str(entry)


def _stale(sources: Sequence[Source], cards: Sequence[Card]) -> Iterator[Problem]:
    for source, card in zip(sources, cards, strict=True):
        own = {"configs": _CONFIGS}
        keys = [key for key in _ABOUT_FILES if key in card.header and card.header[key] != own.get(key)]
        if keys:
            message = f"{source.title}: {' and '.join(keys)} of the card describe its tables and are left out"
            yield Problem("metadata-left-out", message, source.reader.root / layout.CARD_PATH)


def _texts(sources: Sequence[Source], cards: Sequence[Card]) -> str:
    """The sources' own texts, each once, under the source's name."""
    by_text: dict[str, list[str]] = {}
    for source, card in zip(sources, cards, strict=True):
        if card.text:
            by_text.setdefault(card.text, []).append(source.repo_id)
    parts = [
        text if text.startswith(_HEADING) else f"{_HEADING}{', '.join(dict.fromkeys(names))}\n\n{text}"
        for text, names in by_text.items()
    ]
    return "\n\n".join(parts)


def generated_text(repo_id: str, target: TargetFormat, plan: MergePlan, info: Mapping[str, Any]) -> str:
    """The card's own text about the output, with the badge and the ``info.json`` of LeRobot's card."""
    robot = f", robot `{target.robot_type}`" if target.robot_type else ""
    parts = [
        f"# {repo_id.rsplit('/', 1)[-1]}",
        f"{count(len(plan.episodes), 'episode')}, {count(plan.total_frames, 'frame')} "
        f"at {target.fps} fps{robot}, "
        "in LeRobot's dataset format v3.0.",
    ]
    if target.labels:
        parts.append("Every frame is labelled: `next.reward` is success or failure.")
    parts.append(f"The source of each episode is recorded in `{layout.PROVENANCE_PATH}`.")
    if "/" in repo_id:
        parts.append(_VISUALIZE.format(repo_id=repo_id))
    parts.append(f"## Dataset Structure\n\n[{layout.INFO_PATH}]({layout.INFO_PATH}):")
    parts.append(f"```json\n{json.dumps(info, indent=4)}\n```")
    return "\n\n".join(parts)
