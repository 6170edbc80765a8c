"""Compares what comments say about the counting of frames and episodes with how the file is read.

A file is read in one way: both ends of a range are included, its numbers are numbers of frames, the first
frame of an episode has the number of the index base, and the first episode is 0. A comment speaks of the
counting in two cases:

- a word for what is counted (`ends`, `ranges`, `numbers`, `frames`, `episodes`, ...) stands next to the words
  for a way to count (`exclusive`, `half-open`, `from 1`, `in seconds`, `frame_index`, ...), with nothing
  between them but filling words such as `are`, `is`, `the`, `all`: `# ranges are half-open`;
- the words for a way to count are all that the comment says: `# half-open`.

A comment that speaks of the counting, and of another way than the file is read in, is an error. Where the
index base is stated, a sentence about another base is only a warning, as it may speak of another file. Every
other comment is a remark: `# the end of the table`, `# episode 3 is half open drawer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lerobot_grasp_plugin.core.annotations import IndexBase
from lerobot_grasp_plugin.core.source_text import Findings, Span

INDEX_BASE = re.compile(r"index[\s_-]*base\s*[:=]\s*(.*)", re.IGNORECASE | re.DOTALL)
"""A statement of the index base, as the text of a comment."""

_LINK = (
    r"(?:\s*[:=(]\s*|\s+)(?:(?:is|are|be|being|all|always|both|the|in|as|by|a|an|given|counted|written|numbered"
    r"|meant|stated|measured|counts?|means?|refers?\s+to|frames?|numbers?|index(?:es)?|values?)\s+)*"
)
"""What may stand between what is counted and the way."""

_DIGIT = r"(?P<base>0|1|zero|one)"
_NO_UNIT = r"(?!\.\d|\w)(?!\s*(?:%|°|(?:ms|s|secs?|seconds?|min|minutes?|h|mm|cm|m|deg|degrees?|rad|px)\b))"
_COUNTED = r"(?:count(?:s|ed|ing)?|number(?:s|ed|ing)?|ind(?:ex(?:e[sd]|ing)?|ices))"
_SUBJECT = (
    r"(?:frames?|episodes?|numbers?|numbering|counts?|counting|ind(?:ices|ex(?:es|ing)?)|ranges?|labels?)"
)
_BEGINS = r"(?:starts?|starting|begins?|beginning)"
_FIRST = r"(?:(?:frame|image|start|first)[\s_-]*)?(?:base|index|idx|numbering|counting|start|offset)"
_FRAME_INDEX = r"(?P<zero>(?:lerobot'?s?\s+)?frame[\s_-]?(?:index(?:es)?|indices))\b"
_SAID_BASES = (
    r"(?<![\w.-])(?P<base>[01](?=[\s_-]*(?:index(?:ed|ing)|based)|-index)"
    r"|(?:zero|one)(?=[_-]|\s+index(?:ed|ing)))(?:[\s_-]*(?:index(?:ed|ing)|based)|-index)\b(?!\s+on\b)",
    rf"\b{_COUNTED}\s+from\s+{_DIGIT}{_NO_UNIT}",
    rf"\b{_SUBJECT}\s+(?:\w+\s+)?{_BEGINS}\s+(?:from|at|with)\s+{_DIGIT}{_NO_UNIT}",
    rf"\b(?:{_SUBJECT}\s+{_BEGINS}|(?:frames?|ranges?|labels?)\s+(?:from|at))\s+{_DIGIT}\s*"
    r"(?=$|[.,;)#](?!\d))",
    rf"^(?:{_BEGINS}(?:\s+(?:from|at|with))?|from)\s+(?:(?:frame|image|number|index)\s+)?{_DIGIT}\s*$",
    r"(?<![\w.-])(?P<base>[01])\s*(?:\.{2,3}|…|-|to)\s*(?:n|len|length|last)(?:\s*-\s*1)?\b",
    rf"\b(?:counted|numbered|indexed)\s+(?:{_BEGINS}\s+(?:from|at|with)|at|with)\s+{_DIGIT}{_NO_UNIT}",
    rf"\bfirst\s+(?:frame|image|index|episode)\s*"
    rf"(?:[:=]|\b(?:is|has)\b(?:\s+(?:called|numbered|the|number|frame|episode))*)"
    rf"\s*{_DIGIT}\s*(?=$|[.,;)#](?!\d))",
    rf"\b(?:frame|image|episode|number|index|^)\s*{_DIGIT}\s+(?:is|means)\s+(?:the\s+)?first"
    r"(?:\s+(?:frame|image|episode|one))?\s*(?=$|[.,;)#])",
    rf"\bindex[\s_-]*base\s*(?:[:=]|\bis\b)?\s*{_DIGIT}{_NO_UNIT}",
    rf"\b(?:numbers?|frames?|ranges?|labels?|starts?|ends?|these|they){_LINK}{_FRAME_INDEX}",
    rf"^(?:(?:like|as|as\s+in|same\s+as)\s+)?{_FRAME_INDEX}(?:\s+(?:of|in)\s+lerobot|\s+(?:numbers?|values?))?\s*$",
    r"^(?P<base>zero|one)\s+based\s*$",
    r"(?<![\w.-])(?P<base>[01])[\s_-]?idx\b",
    rf"^{_FIRST}\s*[:=]?\s*{_DIGIT}\s*$",
    rf"^{_DIGIT}\s*[:=]\s*(?:the\s+)?first(?:\s+(?:frame|image|one))?\s*$",
    rf"^(?:we|i)\s+{_BEGINS}\s+(?:from|at|with)\s+{_DIGIT}\s*$",
    r"\b(?P<zero>(?:python|numpy|c)(?:[\s-]*(?:style|like))?\s+(?:ind(?:ex(?:es|ing)?|ices)|counting|numbering))\b",
)
"""What a sentence says the number of the first frame or episode is."""

_MAY_SAY_A_BASE = re.compile(
    r"(?<!\d)[01](?!\d)|zero|one|(?:frame[\s_-]?|python|numpy|\bc\b).*ind|counting|numbering", re.IGNORECASE
)
"""What a comment holds where one of ``_SAID_BASES`` can match; none is compiled for others."""

_FILLERS = {"all", "the", "frame", "frames", "number", "numbers", "range", "ranges", "label", "labels"}
_FILLERS |= {"file", "are", "is", "in", "this", "here"}
"""Words that add nothing to a statement of the index base."""

_OF_AN_EPISODE = re.compile(
    r"\b(?:in|of|within|for|per|at)\s+(?:(?:this|the|each|every|an|all)\s+)?episodes?\b", re.IGNORECASE
)
_WITH_EPISODES = re.compile(r"\bepisodes?\s*(?:and|or|&)\s*frames?\b|\bframes?\s*(?:and|or|&)\s*episodes?\b")

_PLACE = r"(?:[\s_-]+(?:frame|number|index|bound|limit|end|value|point)s?)?"
_END = (
    rf"(?:(?:end|stop|upper|last|right|second|to|start|begin|first|lower|left)(?:s|ing)?{_PLACE}"
    r"|bounds?|limits?|ranges?|intervals?|spans?)"
)
_EXCLUSIVE = (
    r"(?:(?:half|right|left)[\s-]*open|exclusive(?:ly)?|excluded|excl\b|not\s+(?:included|inclusive|counted))"
)
_BOUND = r"(?:\d+|[a-z]|start|stop|begin|end|first|last|from|to)"
_COUNTABLE = r"(?:numbers?|ranges?|labels?|values?|starts?|ends?|units?|times?|annotations?)"
_UNIT = (
    r"(?:s|secs?|seconds?|ms|milliseconds?|minutes?|time(?:stamp)?s|percent|%"
    r"|rows?(?:\s+numbers?)?|(?<!frame )index"
    r"|(?:global|absolute|overall|dataset)\s+(?:frame\s+)?(?:index(?:es)?|indices|numbers?|frames?))"
    r"(?:\s+(?:since|from|into|of)\s+.*|\s+column)?"
)
_NTH = r"(?:every|each)\s+(?:other|second|third|fourth|fifth|tenth|\d+(?:st|nd|rd|th))\s+(?:frame|image)"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A way to count that no file is read in.

    Attributes:
        patterns: What a comment says then, anywhere in it.
        alone: The same, as all that it says; none where empty.
        read: How files are read.
        hint: What was probably meant.
    """

    patterns: tuple[str, ...]
    alone: str
    read: str
    hint: str

    def find(self, comment: str) -> str | None:
        """What a comment says of it."""
        whole = comment.strip(" .;!()")
        if self.alone and re.fullmatch(self.alone, whole, re.IGNORECASE):
            return whole
        found = (re.search(pattern, comment, re.IGNORECASE) for pattern in self.patterns)
        return next((match.group() for match in found if match), None)


_CLAIMS = (
    _Claim(
        (
            rf"\b{_END}{_LINK}{_EXCLUSIVE}\b",
            rf"(?<!not )\b(?:half[\s-]*open|exclusive)\s+{_END}\b",
            r"\b(?:excluding|exclusive\s+of|not\s+(?:including|counting))\s+(?:the\s+)?"
            rf"(?:end|stop|upper|last|second){_PLACE}\s*(?=$|[.,;)#])",
            rf"\[\s*{_BOUND}\s*[,;:]\s*{_BOUND}\s*[)\[]|[(\]]\s*{_BOUND}\s*[,;:]\s*{_BOUND}\s*\]",
            r"\bpython(?:[\s-]*(?:style|like))?\s+(?:slic(?:es|ing)|ranges?)\b",
        ),
        rf"(?:{_EXCLUSIVE}|python\s+slices?)",
        "both ends of a range are included",
        "write the last success frame of each range, one less than an exclusive end, and remove the comment",
    ),
    _Claim(
        (
            rf"\b{_COUNTABLE}{_LINK}{_UNIT}\s*(?=$|[.,;)#])",
            r"\b(?:second|last|right)\s+(?:number|value)\s+(?:is|=|:)\s+(?:the\s+|a\s+)?"
            r"(?:length|duration|count)\b",
        ),
        rf"(?:(?:given|measured|all)\s+)*(?:in|units?\s*[:=])\s+(?:{_UNIT})"
        r"|(?:milli)?seconds|timestamps|start\s*(?:,|and|\+)\s*(?:length|duration)",
        "numbers are the first and the last frame of a range, counted within the episode",
        "write numbers of frames; frame 0 of a 0-indexed file is at timestamp 0, frame n at n / fps",
    ),
    _Claim(
        (
            rf"\b(?:extracted|sampled|numbered|counted|numbers?|counts?|ranges?|labels?){_LINK}"
            rf"(?:(?:for|at|with|from|of|only)\s+)*{_NTH}\b",
            r"\bstride[\s-]*(?:of|is|[:=])?\s*(?:[2-9]|[1-9]\d+)\b",
        ),
        rf"(?:only\s+)?{_NTH}s?",
        "numbers count every frame of the episode",
        "file k of every n-th frame, from 1, is frame n * (k - 1) + 1: write the numbers of frames",
    ),
)


def check_said_counting(
    comment: str, base: IndexBase, place: Span, findings: Findings, *, is_stated: bool
) -> None:
    """Reports a comment that mentions another way of counting than the file's.

    Args:
        comment: Its text.
        base: The number of an episode's first frame, as the file is read.
        place: Where it stands.
        findings: Collects an error for each claim. What a sentence says about another index base is an error
            where nothing states the base, or where the comment says nothing else; else a warning.
        is_stated: Whether the file or the caller states the base.
    """
    for claim in _CLAIMS:
        if found := claim.find(comment):
            message = f"the comment says `{found.strip()}`, but {claim.read}"
            findings.error("counting-doubtful", message, place, claim.hint)
    for match, number, about in _said_bases(comment):
        if "episode" in about and number == 1:
            message = f"the comment says `{match.group().strip()}`, but episodes count from 0 in every file"
            hint = "write episode_index, one less than a 1-based number, and remove the comment"
            findings.error("counting-doubtful", message, place, hint)
        if "frame" not in about or number == base:
            continue
        around = comment[: match.start()] + comment[match.end() :]
        is_all = {*re.findall(r"\w+", around.lower())} <= _FILLERS
        if is_stated and not is_all:
            message = f"a comment says {match.group()}, but the file is read as {base}-indexed"
            findings.warn(
                "index-base-doubtful", message, place, "change the comment if the index base is correct"
            )
        else:
            base_contradiction(match.group(), number, base, place, findings)


def _said_bases(comment: str) -> Iterator[tuple[re.Match[str], int, tuple[str, ...]]]:
    """What a comment says of the first number, the number, and of what: ``frame``, ``episode`` or both."""
    if INDEX_BASE.match(comment) or not _MAY_SAY_A_BASE.search(comment):
        return
    for pattern in _SAID_BASES:
        for match in re.finditer(pattern, comment, re.IGNORECASE):
            sentence = re.split(r"[.;,]", comment[: match.end()])[-1].lower()
            after = re.match(r"\s+episodes?\b", comment[match.end() :].lower())
            sentence = _OF_AN_EPISODE.sub("", sentence) + (after.group() if after else "")
            about: tuple[str, ...] = ("frame",)
            if _WITH_EPISODES.search(sentence):
                about = ("frame", "episode")
            elif "episode" in sentence and "frame" not in sentence:
                about = ("episode",)
            said = match.groupdict().get("base") or "0"
            yield match, 1 if said.lower() in ("1", "one") else 0, about


def base_contradiction(text: str, number: int, base: int, place: Span, findings: Findings) -> None:
    """Reports a comment that states another index base as an error."""
    message = f"the comment says `{text.strip()}`, but the file is read as {base}-indexed"
    hint = f"write `# index_base: {number}` on a line of its own at the top, or change the comment"
    findings.error("index-base-doubtful", message, place, hint)
