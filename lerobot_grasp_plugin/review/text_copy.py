"""Converts labels in JSON or CSV form to the text file that the page edits."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.core.grammar import form_of, format_text
from lerobot_grasp_plugin.core.source_text import MAX_BYTES
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotation_file import checked_sections, read_annotations
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.writers.staging import sync


def other_form(path: Path) -> str | None:
    """The form of an annotation file; None for text, and without a file."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    name = form_of(text.replace("\r\n", "\n").replace("\r", "\n")).name
    return None if name == "text" else name


def text_copy(path: Path, index_base: int | None, source: Source) -> Path:
    """Writes the labels of a JSON or CSV file as text next to it; the file itself is not changed.

    Args:
        path: The file, ``NAME.json``.
        index_base: Value of the option, None without it.
        source: The dataset that is labelled.

    Returns:
        ``NAME.txt``, which must not exist before; ``NAME_labels.txt`` if the file itself has that name.

    Raises:
        UsageError: ``NAME.txt`` already exists, or cannot be written.
        AnnotationError: The file has errors, or does not fit the dataset.
    """
    target = path.with_suffix(".txt")
    if target == path:
        target = path.with_name(f"{path.stem}_labels.txt")
    file = read_annotations(path, index_base, [source])
    checked_sections(file, source)
    try:
        text = format_text(file.annotations)
    except ValueError as error:
        hint = "use another name for the text file"
        raise UsageError(Problem("not-editable", str(error), path, hint)) from None
    try:
        with target.open("x", encoding="utf-8", newline="") as written:
            written.write(text)
    except FileExistsError:
        message = f"the page writes a text file, but {target.name} already exists"
        hint = f"to continue with it, use --annotations {target}"
        raise UsageError(Problem("text-exists", message, path, hint)) from None
    except OSError as error:
        target.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror}"
        raise UsageError(Problem("cannot-write", message, target)) from None
    sync(target)
    sync(target.parent)
    return target
