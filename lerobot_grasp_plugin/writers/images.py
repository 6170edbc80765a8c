"""Writes image files that replace those of an earlier run, and nothing else.

Files of an earlier run are recognised by the index in a folder, and by the remark in a single image.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lerobot_grasp_plugin.dataset.extracted import INDEX_NAME, MADE_BY
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.writers.staging import FULL, STAGING_MARK, sync


def save_image(image: Image.Image | NDArray[np.uint8], path: Path) -> None:
    """Writes an image, ``.jpg`` at high quality with full colour or ``.png``, with the maker's remark."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    if path.suffix == ".png":
        remark = PngInfo()
        remark.add_text("Comment", MADE_BY)
        image.save(path, pnginfo=remark, compress_level=3)
    else:
        image.save(path, quality=95, subsampling=0, comment=MADE_BY.encode())


def refuse_foreign_folder(folder: Path) -> None:
    """Refuses a folder that contains files not written by an earlier run.

    Raises:
        UsageError: It does, or it is not a folder.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    strange = "it is not a folder"
    if folder.is_dir() and not folder.is_symlink():
        present = {entry.name for entry in folder.iterdir()}
        unknown = sorted(present - _written(folder))
        if not unknown:
            return
        strange = f"it contains {unknown[0]!r}, which {MADE_BY} did not write"
    raise _foreign(f"the folder would be replaced, but {strange}", folder)


def refuse_foreign_image(path: Path) -> None:
    """Refuses an image file that an earlier run did not write.

    Raises:
        UsageError: It did not.
    """
    if not path.exists() and not path.is_symlink():
        return
    if path.is_file() and not path.is_symlink():
        try:
            with Image.open(path) as image:
                remark = image.info.get("comment", b"") or image.info.get("Comment", "")
        except OSError:
            remark = ""
        if remark in (MADE_BY, MADE_BY.encode()):
            return
    raise _foreign(f"the file would be replaced, but {MADE_BY} did not write it", path)


class StagedImages:
    """The files of one run, each staged next to its target until all are complete."""

    def __init__(self) -> None:
        self._staged: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    def stage(self, target: Path) -> Path:
        """The name under which to create the file or folder that will replace ``target``.

        Raises:
            UsageError: It cannot be written there.
        """
        staging = target.with_name(f".{target.stem}{STAGING_MARK}{secrets.token_hex(4)}{target.suffix}")
        self._staged.append((staging, target))
        self._make(target.parent)
        return staging

    def publish(self) -> None:
        """Moves everything to its target; removes the files of earlier runs there.

        Raises:
            UsageError: Files of another origin are in the way by now. Nothing was replaced.
        """
        for staging, target in self._staged:
            (refuse_foreign_folder if staging.is_dir() else refuse_foreign_image)(target)
        for staging, target in self._staged:
            if not staging.is_dir():
                staging.replace(target)
                continue
            old = target.with_name(f".{target.name}.grasp-old-{secrets.token_hex(4)}")
            is_there = target.exists()
            if is_there:
                os.rename(target, old)
            os.rename(staging, target)
            if is_there:
                shutil.rmtree(old)
        for folder in {target.parent for _, target in self._staged}:
            sync(folder)

    @property
    def place(self) -> str:
        """The folder of the last staged file."""
        return str(self._staged[-1][1].parent) if self._staged else ""

    def discard(self) -> None:
        """Removes staged files, and the folders created for them."""
        for staging, _ in self._staged:
            if staging.is_dir():
                shutil.rmtree(staging, ignore_errors=True)
            else:
                with suppress(OSError):  # the error that led here names the file in the way
                    staging.unlink(missing_ok=True)
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        try:
            absent = [place for place in (folder, *folder.parents) if not place.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            self._made += reversed(absent)
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "choose another folder with --output_dir"
            problem = Problem("cannot-write", f"images cannot be written here: {reason}", folder, hint)
            raise UsageError(problem) from None


@contextmanager
def staged_images() -> Iterator[StagedImages]:
    """Images that appear together when the block ends, and not at all when it ends with an error."""
    staged = StagedImages()
    try:
        yield staged
        staged.publish()
    except BaseException as error:
        place = staged.place
        staged.discard()
        if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
            raise OSError(error.errno, os.strerror(error.errno), place) from None
        raise


def write_index(folder: Path, index: Mapping[str, Any]) -> None:
    """Writes the index next to the images; its ``frames`` is a list with a ``file`` each."""
    text = json.dumps({"made_by": MADE_BY, **index}, indent=1, ensure_ascii=False)
    (folder / INDEX_NAME).write_text(text + "\n", encoding="utf-8")


def read_index(folder: Path) -> Mapping[str, Any] | None:
    """The index of a folder from an earlier run; None without one."""
    try:
        index = json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index if isinstance(index, dict) and index.get("made_by") == MADE_BY else None


def _written(folder: Path) -> set[str]:
    """Names of the files that an earlier run wrote into a folder."""
    index = read_index(folder)
    frames = index.get("frames") if index is not None else None
    if not isinstance(frames, list):
        return set()
    return {INDEX_NAME} | {str(frame.get("file")) for frame in frames if isinstance(frame, dict)}


def _foreign(message: str, where: Path) -> UsageError:
    hint = "choose another folder with --output_dir, or move it away"
    return UsageError(Problem("not-own-output", message, where, hint))
