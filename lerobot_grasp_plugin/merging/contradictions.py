"""Metadata on which sources differ: left out of the output, listed in the report and the sidecar."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.merging.sources import Source

_MOST_NAMED: Final = 8


@dataclass
class Contradictions:
    """Values that are in the sources and not in the output.

    Attributes:
        by_source: source number -> place (``info.json``) -> name -> value.
        warnings: One per place, with all values.
    """

    by_source: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, sources: Sequence[Source], place: str, names: Sequence[str], values: Sequence[Any]) -> None:
        """Names that differ between the sources.

        Args:
            sources: The sources.
            place: The file of the names: ``info.json``, ``the card``.
            names: The names.
            values: Name to value, for each source; names that a source lacks are absent.
        """
        for source, of_source in zip(sources, values, strict=True):
            for name in names:
                if name in of_source:
                    places = self.by_source.setdefault(source.number, {})
                    places.setdefault(place, {})[name] = of_source[name]
        for name in names[:_MOST_NAMED]:
            groups: dict[str, list[str]] = {}
            for source, of_source in zip(sources, values, strict=True):
                text = short(canonical(of_source[name])) if name in of_source else "nothing"
                groups.setdefault(text, []).append(source.title)
            stated = "; ".join(f"{text} in {', '.join(titles)}" for text, titles in groups.items())
            message = f"{name!r} in {place} differs between sources and is left out: {stated}"
            hint = "the value of each source is in meta/grasp_provenance.json of the new dataset"
            self.warnings.append(Problem("metadata-differs", message, hint=hint))
        if len(names) > _MOST_NAMED:
            rest = names[_MOST_NAMED:]
            message = (
                f"{len(rest)} more values in {place} differ and are left out: {', '.join(map(repr, rest))}"
            )
            self.warnings.append(Problem("metadata-differs", message))


def agreed(
    sources: Sequence[Source], values: Sequence[Mapping[str, Any]], place: str, found: Contradictions
) -> dict[str, Any]:
    """The values that are equal in all sources; all others go into ``found``."""
    names = dict.fromkeys(name for of_source in values for name in of_source)
    same = {
        name: values[0][name]
        for name in names
        if all(name in of_source and _equal(of_source[name], values[0][name]) for of_source in values)
    }
    if different := [name for name in names if name not in same]:
        found.add(sources, place, different, values)
    return same


def agreed_metadata(
    sources: Sequence[Source], metadata: Sequence[Mapping[bytes, bytes]], place: str, found: Contradictions
) -> dict[bytes, bytes]:
    """The table metadata that is equal in all sources; the rest goes into ``found``."""
    texts = [
        {
            key.decode(errors="backslashreplace"): value.decode(errors="backslashreplace")
            for key, value in own.items()
        }
        for own in metadata
    ]
    same = agreed(sources, texts, f"the parquet metadata of {place}", found)
    return {key: value for key, value in metadata[0].items() if key.decode(errors="backslashreplace") in same}


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and canonical(one) == canonical(other)


def canonical(value: Any) -> str:
    """A value as canonical text: equal values give equal text, whatever the order of keys."""
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
