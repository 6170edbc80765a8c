"""Every seam is in the installed LeRobot, a missing one is named, and nothing else of LeRobot is replaced."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import lerobot_grasp_plugin
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.lerobot_seams import access, dataset_watch, version
from lerobot_grasp_plugin.lerobot_seams.access import SeamError, current, problems_of, replace, require
from lerobot_grasp_plugin.lerobot_seams.seam import Seam
from lerobot_grasp_plugin.lerobot_seams.table import SEAMS

PACKAGE = Path(lerobot_grasp_plugin.__file__).parent


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: f"{seam.use}: {seam.name}")
def test_every_seam_is_in_the_installed_lerobot(seam: Seam) -> None:
    try:
        problems = list(problems_of(seam))
    except ModuleNotFoundError as error:
        pytest.skip(f"an extra of LeRobot is not installed: {error}")
    assert problems == []
    assert bool(seam.undone) == (seam.how == "replaced")
    assert tuple(map(int, seam.since.split("."))) <= (0, 6, 2)


def test_a_missing_seam_is_an_error_of_this_package_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.datasets.dataset_reader import DatasetReader

    require.cache_clear()
    monkeypatch.delattr(DatasetReader, "_query_videos")
    with pytest.raises(GraspError, match=r"has no lerobot\S+DatasetReader\._query_videos; reading") as raised:
        require("reading")
    assert len(raised.value.problems) == 1
    assert f"LeRobot {version_of('lerobot')} " in str(raised.value)
    assert isinstance(raised.value, ImportError)
    monkeypatch.undo()
    require("reading")


def test_a_module_that_is_gone_is_named_and_a_missing_dependency_is_not_mistaken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Seam("reading", "lerobot.datasets.none_such", "Reader.item", "read", "a test")
    assert "has no lerobot.datasets.none_such.Reader.item" in str(*problems_of(gone))
    assert list(problems_of(Seam("reading", gone.module, gone.path, "read", "a test", needed=False))) == []
    (tmp_path / "lerobot_with_an_extra.py").write_text("import none_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="none_such_dependency"):
        list(problems_of(Seam("reading", "lerobot_with_an_extra", "Reader", "read", "a test")))


def named_module(monkeypatch: pytest.MonkeyPatch, **content: Any) -> str:
    module = ModuleType("lerobot_double")
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, "lerobot_double", module)
    return "lerobot_double"


def test_parameters_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def loop(robot: Any, events: Any, timer: Any = None) -> None: ...
    def other(robot: Any, timer: Any) -> None: ...
    def anything(**options: Any) -> None: ...

    module = named_module(monkeypatch, loop=loop, other=other, anything=anything)
    found = {
        name: [
            problem.message.split(";")[0]
            for problem in problems_of(
                Seam("recording", module, name, "called", "a test", parameters=("robot", "events"))
            )
        ]
        for name in ("loop", "other", "anything")
    }
    lead = f"LeRobot {version.installed()} has a lerobot_double.other"
    assert found == {
        "loop": [],
        "other": [f"{lead} without events", f"{lead} that also requires timer"],
        "anything": [],
    }


def test_only_what_the_table_calls_replaced_can_be_replaced() -> None:
    with pytest.raises(KeyError, match=r"no lerobot\.datasets\.factory\.none_such"):
        current("lerobot.datasets.factory", "none_such")
    with pytest.raises(KeyError, match="does not list"):
        replace("lerobot.datasets.io_utils", "hf_transform_to_torch", None)


def test_nothing_of_lerobot_is_replaced_but_by_the_table() -> None:
    """``setattr`` and assignments to what was imported from LeRobot stand in the room of the table."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        imported = {
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
            if (getattr(node, "module", None) or alias.name).partition(".")[0] == "lerobot"
        }
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            found += [
                f"{path.relative_to(PACKAGE)}: {ast.unparse(target)}"
                for target in targets
                if isinstance(target, ast.Attribute | ast.Subscript)
                and ast.unparse(target).partition(".")[0].partition("[")[0] in imported
            ]
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr":
                found.append(f"{path.relative_to(PACKAGE)}: setattr({ast.unparse(node.args[0])})")
    allowed = {
        "lerobot_seams/access.py: setattr(owner)",
        "lerobot_seams/reset_config.py: ResetConfig.__annotations__[_FIELD]",
    }
    others = {  # not of LeRobot
        "commands/streams.py: setattr(sys)",
        "merging/recipe.py: setattr(config)",
        "commands/options.py: parser._check_value",
        "commands/options.py: parser.error",
        "commands/options.py: parser.parse_known_args",
    }
    assert set(found) - others == allowed


def test_no_private_attribute_of_lerobot_is_used_that_the_table_does_not_list() -> None:
    """In the rooms that may import LeRobot, a private attribute is the module's own, or a seam."""
    listed = {seam.path.rpartition(".")[2] for seam in SEAMS}
    others = {"_actions", "_action_groups", "_group_actions", "_check_value", "_width"}  # of argparse
    found = []
    rooms = ("commands", "demo", "learning", "lerobot_seams", "recording", "robots", "sim", "teleop")
    for path in sorted(path for room in rooms for path in (PACKAGE / room).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        private = [
            node
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
        ]
        own = {node.attr for node in private if isinstance(node.ctx, ast.Store) and is_self(node.value)}
        own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        found += [
            f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
            for node in private
            if node.attr not in own | listed | others
        ]
    assert found == []


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def test_a_watch_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.datasets import LeRobotDataset

    before = {name: vars(LeRobotDataset)[name] for name in ("add_frame", "save_episode")}
    listener: Any = SimpleNamespace()
    dataset_watch.start_watch(listener)
    assert LeRobotDataset.add_frame is not before["add_frame"]
    dataset_watch.stop_watch(listener)
    assert {name: vars(LeRobotDataset)[name] for name in before} == before
    require.cache_clear()
    monkeypatch.delattr(LeRobotDataset, "save_episode")
    with pytest.raises(SeamError, match=r"LeRobotDataset\.save_episode; watch"):
        dataset_watch.start_watch(listener)


@pytest.mark.parametrize(
    ("installed", "is_to_come"),
    [("0.6.0", False), ("0.6.1", False), ("0.6.2", True), ("0.6.2.dev3+g12ab", True), ("0.6.10", True)],
)
def test_rules_ask_for_the_version(monkeypatch: pytest.MonkeyPatch, installed: str, is_to_come: bool) -> None:
    monkeypatch.setattr(version, "version", lambda _: installed)
    assert version.installed() == installed
    assert version.save_freq_may_be_zero() == is_to_come
    assert version.is_within_tolerance(1e-4, 1e-4) == is_to_come
    assert version.is_within_tolerance(9e-5, 1e-4)
    assert not version.is_within_tolerance(1.1e-4, 1e-4)


def test_without_lerobot_there_is_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(version, "version", missing)
    assert version.installed() == "none"
    assert not version.is_at_least(0)


def test_no_message_or_page_names_a_version_that_is_not_asked_for() -> None:
    """What a program prints names LeRobot's version only as ``lerobot_seams.version`` finds it."""
    found = [
        f"{path.relative_to(PACKAGE)}: {node.value!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "LeRobot 0.6" in node.value
    ]
    assert found == []
    assert access.require is require
