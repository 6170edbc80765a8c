"""Locates a dataset: in a folder, in LeRobot's home folder, or on the Hub."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.links import Links
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count

_TRUE = frozenset({"1", "ON", "YES", "TRUE"})
"""Values of environment variables that huggingface_hub treats as true."""

_SHOWN = 8
"""Number of datasets to name if a folder contains some."""

_REPO_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?")


class Fetch(Protocol):
    """Downloads files of a dataset."""

    def __call__(self, relative_paths: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class Location:
    """A dataset's folder on this machine.

    Attributes:
        repo_id: ``owner/name``, or the folder's name.
        root: The folder; ``meta/`` is complete.
        fetch: For a dataset of the Hub, downloads files into ``root``; else None.
        fetch_rest: For a dataset of the Hub, downloads all files but tables, videos and images; else None.
        links: Links that lead outside ``root`` and may be followed.
    """

    repo_id: str
    root: Path
    fetch: Fetch | None = None
    fetch_rest: Callable[[], None] | None = None
    links: Links = layout.NO_LINKS

    def following(self, follow_links: bool) -> Location:
        """The same place, with links that may be followed if requested."""
        return replace(self, links=Links.of(self.root)) if follow_links else self


def lerobot_home() -> Path:
    """LeRobot's home folder, by the rule of ``lerobot/utils/constants.py``."""
    home = os.environ.get("HF_LEROBOT_HOME")
    if home:
        return Path(home).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    hf_home = os.environ.get("HF_HOME") or os.path.join(cache, "huggingface")
    return Path(hf_home).expanduser() / "lerobot"


def is_offline() -> bool:
    """Whether the environment sets the Hub offline."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def is_dataset(root: Path) -> bool:
    """Whether a folder holds a LeRobot dataset."""
    return (root / layout.INFO_PATH).is_file()


def check_repo_id(repo_id: str, option: str = "repo_id", *, options: str = "--") -> None:
    """Refuses an invalid name of a dataset.

    Args:
        repo_id: The name.
        option: The option with the name.
        options: Prefix of option names in hints.

    Raises:
        UsageError: It is not ``owner/name`` or ``name``.
    """
    if not _REPO_ID.fullmatch(repo_id) or ".." in repo_id:
        hint = "expected owner/name"
        if option == "repo_id" and Path(repo_id).expanduser().is_dir():
            hint += f"; for this folder: {_root_option(options)}{repo_id}"
        raise UsageError(Problem("bad-repo-id", f"{option} {repo_id!r} is not a dataset name", hint=hint))


def locate(
    repo_id: str | None, root: str | Path | None, *, options: str = "--", revision: str | None = None
) -> Location:
    """Finds a dataset; downloads its ``meta/`` if it is only on the Hub.

    Args:
        repo_id: Its name.
        root: Its folder.
        options: Prefix of option names in hints, such as ``--dataset.``; empty where a call takes datasets
            without an option.
        revision: Branch, tag or commit of the dataset on the Hub; None for the dataset in LeRobot's home
            folder, or the revision of the Hub that LeRobot reads.

    Raises:
        UsageError: Neither argument is given, or nothing is found.
    """
    if root is not None:
        folder = Path(root).expanduser()
        _refuse_closed(folder)
        if not is_dataset(folder):
            _refuse_parent(folder, options)
            above = f"{_root_option(options)}{folder.parent}"
            hint = f"use the folder above: {above}" if is_dataset(folder.parent) else ""
            message = "the folder does not exist"
            if folder.is_dir():
                message = "the folder is not a LeRobot dataset: it has no meta/info.json"
            elif folder.exists():
                message = "this is a file, not a dataset's folder"
            raise UsageError(Problem("no-dataset", message, folder, hint))
        return Location(repo_id or folder.resolve().name, folder)
    if repo_id is None:
        raise UsageError(
            Problem("no-dataset", "no dataset given", hint=f"give {options}repo_id or {options}root")
        )
    check_repo_id(repo_id, options=options)
    folder = lerobot_home() / repo_id
    if revision is None and is_dataset(folder):
        return Location(repo_id, folder)
    return _from_hub(repo_id, folder, options, revision)


def _refuse_closed(folder: Path) -> None:
    """Refuses a folder that this user cannot open.

    Raises:
        DatasetError: The rights of the folder do not allow it.
    """
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        hint = f"run `chmod u+rx {folder}`, or run as its owner"
        message = "the folder cannot be opened (permission denied)"
        raise DatasetError(Problem("unreadable-folder", message, folder, hint))


def _root_option(options: str) -> str:
    """``--root``, before a folder; empty where a call takes folders without an option."""
    return f"{options}root " if options else ""


def _refuse_parent(folder: Path, options: str = "--") -> None:
    """Refuses a folder that contains datasets instead of being one, and names them.

    Raises:
        UsageError: The folder contains datasets, one level below or, by owner, two.
    """
    for pattern in ("*", "*/*"):
        inner = sorted(info.parent.parent for info in folder.glob(f"{pattern}/{layout.INFO_PATH}"))
        if inner:
            number = f"{len(inner)} datasets" if len(inner) > 1 else "a dataset"
            shown = " or ".join(f"{_root_option(options)}{path}" for path in inner[:_SHOWN])
            more = f" or {len(inner) - _SHOWN} more" if len(inner) > _SHOWN else ""
            message = f"the folder is not a LeRobot dataset, but contains {number}"
            raise UsageError(Problem("no-dataset", message, folder, f"choose one: {shown}{more}"))


def locate_folder(repo_id: str | None, root: str | Path | None) -> Location:
    """Finds the folder of a dataset that may be damaged in any way; otherwise as ``locate``.

    Raises:
        UsageError: Neither argument is given, or the folder does not exist or has no file of a dataset.
    """
    if root is None and repo_id is not None:
        check_repo_id(repo_id)
        folder = lerobot_home() / repo_id
    else:
        folder = Path(root or "").expanduser()
    _refuse_closed(folder)
    if folder.is_dir() and not (folder / "meta").exists():
        _refuse_parent(folder)
    if folder.is_dir() and (root is not None or repo_id is not None) and _holds_files(folder):
        return Location(repo_id or folder.resolve().name, folder)
    return locate(repo_id, root)


def _holds_files(folder: Path) -> bool:
    """Whether a folder has a file of a dataset, a link in its place, or a folder that cannot be opened."""
    for name in ("meta", "data", "videos"):
        inner = folder / name
        if inner.is_symlink() or (inner.is_dir() and not os.access(inner, os.R_OK | os.X_OK)):
            return True
    own = (*layout.KNOWN_META_FILES, layout.EPISODES_DIR)
    if any((folder / name).exists() or (folder / name).is_symlink() for name in own):
        return True
    patterns = ("data/**/*.parquet", "videos/**/*.mp4")
    return any(next(folder.glob(pattern), None) is not None for pattern in patterns)


def _from_hub(repo_id: str, expected: Path, options: str, chosen: str | None) -> Location:
    """A dataset of the Hub, in the cache LeRobot itself uses (``HF_LEROBOT_HOME/hub``)."""
    cached = lerobot_home() / "hub" / f"datasets--{repo_id.replace('/', '--')}"
    subject = f"{repo_id!r} is not at {expected}, and"
    if chosen is not None:
        subject = f"revision {chosen!r} of {repo_id!r}"
    way = f"{options}root" if options else "its path"
    elsewhere = f"give {way} for a dataset in another folder"
    if is_offline() and not cached.is_dir():
        message = f"{subject} cannot be downloaded, because HF_HUB_OFFLINE is set"
        raise UsageError(Problem("no-dataset", message, hint=elsewhere))
    import huggingface_hub
    from huggingface_hub import errors

    def download(patterns: list[str] | None, revision: str | None) -> Path:
        return Path(
            huggingface_hub.snapshot_download(
                repo_id,
                repo_type="dataset",
                revision=revision,
                cache_dir=lerobot_home() / "hub",
                allow_patterns=patterns,
                ignore_patterns=None
                if patterns
                else [".gitattributes", *(f"{folder}/*" for folder in ("data", "videos", "images"))],
            )
        )

    try:
        try:
            root = download(["meta/*"], chosen or layout.CODEBASE_VERSION)
        except errors.RevisionNotFoundError:  # never converted: use the main branch
            if chosen is not None:
                raise
            root = download(["meta/*"], None)
    except (
        errors.HfHubHTTPError,
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        OSError,
    ) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            Problem(
                "no-dataset",
                f"{subject} cannot be downloaded from the Hub: {reason}",
                hint=elsewhere,
            )
        ) from None
    if not is_dataset(root):
        raise DatasetError(Problem("no-dataset", f"{repo_id!r} on the Hub has no meta/info.json"))

    def fetch(relative_paths: Iterable[str]) -> None:
        wanted = sorted({path for path in relative_paths if not (root / path).exists()})
        if not wanted:
            return
        try:
            download(wanted, root.name)  # the snapshot's folder is named by its commit
        except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
            message = f"{count(len(wanted), 'file')} of {repo_id!r} cannot be downloaded: {error}"
            raise DatasetError(Problem("download-failed", message)) from None

    def fetch_rest() -> None:
        try:
            download(None, root.name)
        except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
            message = f"the other files of {repo_id!r} cannot be downloaded: {error}"
            raise DatasetError(Problem("download-failed", message)) from None

    return Location(repo_id, root, fetch, fetch_rest)
