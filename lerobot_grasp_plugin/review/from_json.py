"""Labels that somebody has in JSON, as the text file the page edits."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.core.grammar import format_text
from lerobot_grasp_plugin.errors import Problem, UsageError
from lerobot_grasp_plugin.ops.annotate import read_annotations
from lerobot_grasp_plugin.writers.staging import sync


def is_json(path: Path) -> bool:
    """Whether an annotation file is there and is in the JSON form."""
    try:
        with path.open("rb") as file:
            return file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    except OSError:
        return False


def text_beside(path: Path, index_base: int | None) -> Path:
    """Writes the labels of a JSON file as text beside it; the JSON file stays as it is.

    Args:
        path: The JSON file, ``NAME.json``.
        index_base: As the option says, None without it.

    Returns:
        ``NAME.txt``, which was not there before; ``NAME_labels.txt`` where the JSON file is called that.

    Raises:
        UsageError: There is a ``NAME.txt``, or it cannot be written.
        AnnotationError: The JSON file has errors.
    """
    target = path.with_suffix(".txt")
    if target == path:
        target = path.with_name(f"{path.stem}_labels.txt")
    try:
        text = format_text(read_annotations(path, index_base).annotations)
    except ValueError as error:
        hint = "label in a text file of another name"
        raise UsageError(Problem("json-annotations", str(error), str(path), hint)) from None
    try:
        with target.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        message = f"the page labels in text, and beside this JSON file there is a {target.name} already"
        hint = f"go on in that one: --annotations {target}"
        raise UsageError(Problem("text-exists", message, str(path), hint)) from None
    except OSError as error:
        target.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror}"
        raise UsageError(Problem("no-annotations", message, str(target))) from None
    sync(target)
    sync(target.parent)
    return target
