"""One kind of finding: an entry of the register in ``findings.codes``."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""In the order of reports."""

Line = Literal[
    "Parquet files",
    "Video files",
    "Global indices",
    "Episode indices",
    "Frame indices",
    "Totals in info.json",
    "Episodes in metadata",
]
"""A line of verify's block."""

Unit = Literal["", "range", "episode"]


Severities = tuple[tuple[Severity, str], ...]

ERROR: Severities = (("error", ""),)
WARNING: Severities = (("warning", ""),)
NOTE: Severities = (("note", ""),)


def by(**reasons: str) -> Severities:
    """Several severities, the usual one first: ``by(error="a file is read by it", warning="else")``."""
    return tuple(
        (severity, reason) for name, reason in reasons.items() for severity in SEVERITIES if severity == name
    )


class Effect(NamedTuple):
    """Findings that another finding explains, so that they are not reported with it.

    Attributes:
        codes: Their codes, separated by spaces.
        file: Pattern of the whole path of their file, relative to the dataset; empty for the file of the
            finding that explains them.
        of: Pattern of the path of the file of the finding that explains them; empty for any.
        severity: Only findings of this severity; empty for any.
    """

    codes: str
    file: str = ""
    of: str = ""
    severity: Severity | Literal[""] = ""


class Code(NamedTuple):
    """What a finding of one kind means.

    Attributes:
        name: The code, in kebab case; it does not change.
        meaning: One sentence.
        severities: Each severity it can have, the usual one first, with the reason where there are several.
        explains: Findings that follow from it.
        breaks: Lines of verify's block that an error of this kind makes wrong; "Parquet files" only where its
            file is below data. An error below videos, or in the list of episodes, breaks that line too.
        once_per_file: Whether a file is named once, whatever else the message says.
        of_interruption: Whether it follows from a recording or copy that was interrupted.
        rescue: ``always`` or ``rows`` (where the file is a table of rows) for what ``--rescue true`` of
            lerobot-grasp-merge gets past.
        leaves_out: What of an annotation file is left out by it; empty for more than that.
        fix: The command that fixes it, or the program whose option does.
    """

    name: str
    meaning: str
    severities: Severities
    explains: tuple[Effect, ...] = ()
    breaks: tuple[Line, ...] = ("Parquet files",)
    once_per_file: bool = False
    of_interruption: bool = False
    rescue: Literal["", "rows", "always"] = ""
    leaves_out: Unit = ""
    fix: str = ""

    @property
    def severity(self) -> Severity:
        """The usual severity."""
        return self.severities[0][0]


class Family(NamedTuple):
    """Codes of one subject.

    Attributes:
        title: What they are about.
        codes: In alphabetical order.
    """

    title: str
    codes: tuple[Code, ...]
