"""Recognises files that are not annotation files, and says what is expected."""

from __future__ import annotations

import re
import unicodedata

from lerobot_grasp_plugin.core.csv_columns import NAMES, column_name
from lerobot_grasp_plugin.core.source_text import Source
from lerobot_grasp_plugin.findings.problem import AnnotationError, Place, Problem

_HINT = "expected lines such as `07: 45-`, JSON, or CSV with the columns episode,start,end"

_MAGIC = (
    (b"PAR1", "a parquet file"),
    (b"PK\x03\x04", "a zip or Excel file (Excel can save CSV)"),
    (b"\xd0\xcf\x11\xe0", "an Excel or Word file (Excel can save CSV)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy file"),
)
_MARKUP = re.compile(r"<(?:!doctype|!--|\?xml|[a-z][\w-]*[\s>/])", re.IGNORECASE)
_YAML = re.compile(r"---(?:\s|$)|[A-Za-z_][\w ]*:\s*(?:[|>&!\[{].*)?$|- ")
_FEWEST = 3


def check_bytes(data: bytes | str, name: str) -> None:
    """Refuse what is not a text file.

    Raises:
        AnnotationError: It is binary; one problem.
    """
    if isinstance(data, str):
        return
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    head = data[:1024]
    if kind is None and b"ftyp" in head[4:12]:
        kind = "a video file"
    if kind is None and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        zeros = head.count(0)
        if 4 * zeros >= len(head) > 1 and len(head) - zeros > zeros // 2:
            kind = "UTF-16 without a byte order mark, or a binary file (save text as UTF-8)"
        elif 10 * sum(byte < 9 or 13 < byte < 32 for byte in head) > len(head):
            kind = "a binary file"
    if kind is not None:
        raise AnnotationError(Problem("not-annotations", f"the file is {kind}", Place(name), _HINT))


def check_text(source: Source) -> None:
    """Refuse a text without any line like an episode's.

    Raises:
        AnnotationError: It is another kind of file; one problem.
    """
    lines = [(start, line) for start, line in source.lines() if line.strip() and line.lstrip()[:1] not in "#"]
    if not lines:
        return
    start, line = lines[0]
    words = [column_name(word) for word in re.split(r"[\s|]+", line) if word]
    kind = None
    if _MARKUP.match(line.lstrip()):
        kind = "an HTML or XML file"
    elif sum(word in NAMES for word in words) > 1 and ":" not in line:
        kind = "a table without commas (separate the cells by comma, semicolon or tab)"
    elif _YAML.match(line) and len(lines) > 1:
        kind = "a YAML file"
    elif len(lines) >= _FEWEST and not any(_begins_with_digit(line) for _, line in lines):
        kind = f"is not an annotation file: none of its {len(lines)} lines starts with an episode number"
    if kind is not None:
        place = source.place(start, start + len(line.rstrip()))
        message = kind if kind.startswith("is not") else f"looks like {kind}"
        raise AnnotationError(place.problem("not-annotations", f"this {message}", _HINT))


def _begins_with_digit(line: str) -> bool:
    return unicodedata.category(line.strip().lstrip("-+")[:1] or " ") == "Nd"
