"""Finding datasets: folder, LeRobot's home folder, Hub. No network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from lerobot_grasp_plugin import DatasetError, MergeConfig, SourceConfig, UsageError, merge, open_dataset
from lerobot_grasp_plugin.dataset.hub import locate, locate_folder
from tests.support.factories import Legacy, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, legacy_items

type Recorded = Callable[[str], Path]


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub may be asked; every test here that asks has put something in its place."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


class Hub:
    """Stands in for ``snapshot_download``: hands out files of one folder, and remembers what was asked."""

    def __init__(self, remote: Path, cache: Path, *, converted: bool = True) -> None:
        self.remote, self.snapshot, self.converted = remote, cache / "snapshots/0123abcd", converted
        self.asked: list[tuple[str | None, list[str]]] = []

    def __call__(self, repo_id: str, **options: Any) -> str:
        assert repo_id == "far/away"
        assert options["repo_type"] == "dataset"
        revision, patterns, ignored = (
            options["revision"],
            options["allow_patterns"] or ["*"],
            options["ignore_patterns"] or [],
        )
        self.asked.append((revision, list(patterns)))
        if revision == "v3.0" and not self.converted:
            raise not_found(RevisionNotFoundError)
        for path in self.remote.rglob("*"):
            relative = path.relative_to(self.remote).as_posix()
            if any(fnmatch(relative, pattern) for pattern in ignored):
                continue
            if path.is_file() and any(fnmatch(relative, pattern) for pattern in patterns):
                target = self.snapshot / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    shutil.copyfile(path, target)
        self.snapshot.mkdir(parents=True, exist_ok=True)
        return str(self.snapshot)

    @property
    def files(self) -> set[str]:
        return {p.relative_to(self.snapshot).as_posix() for p in self.snapshot.rglob("*") if p.is_file()}


def not_found(kind: Callable[..., Exception]) -> Exception:
    request = httpx.Request("GET", "https://example.invalid")
    return kind("no such thing", response=httpx.Response(404, request=request))


def test_metadata_first_then_only_what_is_needed(
    recorded: Recorded, tmp_path: Path, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(recorded("split"), tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    reader = open_dataset("far/away")
    assert hub.asked == [("v3.0", ["meta/*"])]
    assert all(name.startswith("meta/") for name in hub.files)
    assert reader.repo_id == "far/away"
    merge(
        MergeConfig(
            sources=[SourceConfig(repo_id="far/away", episodes=[0])],
            drop_features=["observation.images.front"],
            new_root=tmp_path / "out",
        )
    )
    fetched = {name for name in hub.files if not name.startswith("meta/")}
    assert fetched == {
        "data/chunk-000/file-000.parquet",
        "videos/observation.images.wrist/chunk-000/file-000.mp4",
    }
    revision, patterns = hub.asked[-1]
    assert revision == "0123abcd"
    assert set(patterns) == fetched
    assert_items(tmp_path / "out", [items_of(recorded("split"), 0)], dropped=["observation.images.front"])


def test_a_dataset_that_was_never_converted(
    tmp_path: Path, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Legacy()
    hub = Hub(write_legacy(tmp_path / "remote", spec), tmp_path / "cache", converted=False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    merge(MergeConfig(sources=[SourceConfig(repo_id="far/away", episodes=[2])], new_root=tmp_path / "out"))
    assert [revision for revision, _ in hub.asked] == ["v3.0", None, "0123abcd", "0123abcd"]
    assert {name for name in hub.files if not name.startswith("meta/")} == {
        "data/chunk-000/episode_000002.parquet",
        "videos/chunk-000/observation.images.wrist/episode_000002.mp4",
    }
    assert_items(tmp_path / "out", [legacy_items(tmp_path / "remote", spec, 2)])


def test_files_next_to_the_tables_come_along(
    copied: Recorded, tmp_path: Path, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = copied("av1")
    (remote / "LICENSE").write_text("of the lab")
    (remote / "README.md").write_text("---\nlicense: mit\n---\n")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Hub(remote, tmp_path / "cache"))
    merge(MergeConfig(sources=[SourceConfig(repo_id="far/away", episodes=[2])], new_root=tmp_path / "out"))
    assert (tmp_path / "out/LICENSE").read_text() == "of the lab"
    assert "license: mit" in (tmp_path / "out/README.md").read_text()


def test_the_home_folder_comes_before_the_hub(
    recorded: Recorded, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(recorded("av1"), lerobot_home / "far/away")

    def never(*_: object, **__: object) -> str:
        raise AssertionError("the Hub was asked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", never)
    assert open_dataset("far/away").root == lerobot_home / "far/away"


def test_offline_the_hub_is_not_asked(lerobot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> str:
        raise AssertionError("the Hub was asked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", never)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE"):
        open_dataset("far/away")


def test_a_folder_inside_of_a_dataset(recorded: Recorded) -> None:
    root = recorded("av1")
    with pytest.raises(UsageError, match="no-dataset") as caught:
        open_dataset(root=root / "meta")
    assert caught.value.problems[0].hint == f"use the folder above: --root {root}"


@pytest.mark.parametrize("kind", [RepositoryNotFoundError, "offline", OSError])
def test_what_the_hub_does_not_give(
    kind: type[Exception] | str, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> str:
        if kind == "offline":
            raise LocalEntryNotFoundError("not in the cache")
        raise not_found(RepositoryNotFoundError) if kind is RepositoryNotFoundError else OSError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing)
    with pytest.raises(UsageError, match="no-dataset") as caught:
        open_dataset("far/away")
    assert str(lerobot_home / "far/away") in str(caught.value)


def test_files_that_cannot_be_downloaded(
    recorded: Recorded, tmp_path: Path, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(recorded("av1"), tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    reader = open_dataset("far/away")

    def failing(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("gone")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing)
    with pytest.raises(DatasetError, match="download-failed"):
        reader.require([0], ["observation.images.wrist"])


def test_a_file_the_hub_lacks_is_named(
    tmp_path: Path, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = write_legacy(tmp_path / "remote", Legacy())
    (remote / "videos/chunk-000/observation.images.wrist/episode_000001.mp4").unlink()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Hub(remote, tmp_path / "cache"))
    with pytest.raises(DatasetError, match=r"episode_000001\.mp4"):
        merge(MergeConfig(sources=[SourceConfig(repo_id="far/away")], new_root=tmp_path / "out"))


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"HF_LEROBOT_HOME": "/x/lerobot"}, "/x/lerobot/me/set"),
        ({"HF_HOME": "/x/hf"}, "/x/hf/lerobot/me/set"),
        ({"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/huggingface/lerobot/me/set"),
        ({"HOME": "/x/me"}, "/x/me/.cache/huggingface/lerobot/me/set"),
    ],
)
def test_lerobots_home_folder(
    variables: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot_grasp_plugin.dataset.hub import lerobot_home as home

    for name in ("HF_LEROBOT_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(home() / "me/set") == wanted


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "a b", "/abs", "a/..", "a\nb", "-x/y", "a//b"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="bad-repo-id"):
        locate(name, None)


def test_a_file_and_a_closed_folder_are_named_as_such(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labels.txt").write_text("x")
    for find in (locate, locate_folder):
        with pytest.raises(UsageError, match="this is a file, not a dataset's folder"):
            find(None, tmp_path / "labels.txt")
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    for find in (locate, locate_folder):
        with pytest.raises(DatasetError, match=r"cannot be opened .* \[unreadable-folder\]"):
            find(None, recorded("av1"))


def test_a_folder_given_as_a_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        locate(str(tmp_path), None)
    assert caught.value.problems[0].hint == f"expected owner/name; for this folder: --root {tmp_path}"
