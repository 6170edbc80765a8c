"""The folders of the tests are the rooms of the package, and ``support``."""

from __future__ import annotations

from pathlib import Path

from tests.support.project import PROJECT


def folders(root: Path) -> set[str]:
    """Folders with Python files in them, by their path."""
    return {path.parent.relative_to(root).as_posix() for path in root.rglob("*.py")} - {"."}


def test_each_folder_of_tests_is_a_room() -> None:
    others = folders(PROJECT / "tests") - folders(PROJECT / "lerobot_grasp_plugin")
    assert {folder for folder in others if not f"{folder}/".startswith("support/")} == set()


def test_helpers_stand_in_support() -> None:
    """Faults of verify's tests are the only modules next to tests that are no tests."""
    beside = {
        path.relative_to(PROJECT / "tests").as_posix()
        for folder in folders(PROJECT / "tests")
        if not f"{folder}/".startswith("support/")
        for path in (PROJECT / "tests" / folder).glob("*.py")
        if not path.name.startswith(("test_", "conftest"))
    }
    assert {name for name in beside if not name.startswith("verify/")} == set()
