"""The public names, and what importing them costs."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lerobot_grasp_plugin
from lerobot_grasp_plugin.findings import problem as errors
from tests.support.factories import Legacy, write_legacy

HEAVY = ("torch", "lerobot", "pandas", "datasets", "draccus", "pyarrow", "av", "numpy")


def modules_after(code: str) -> set[str]:
    """Which heavy packages are imported after some code."""
    script = f"{code}\nimport sys\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_all_names_are_there() -> None:
    assert lerobot_grasp_plugin.__all__ == sorted(lerobot_grasp_plugin.__all__)
    for name in lerobot_grasp_plugin.__all__:
        value = getattr(lerobot_grasp_plugin, name)
        assert value.__name__ == name
        assert value.__doc__
    assert set(lerobot_grasp_plugin.__all__) <= set(dir(lerobot_grasp_plugin))


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = lerobot_grasp_plugin.nothing


def test_a_path_may_be_text(recorded, tmp_path, monkeypatch) -> None:
    """Every function says so, and does so, with ``~`` for the home folder; configs hold paths then."""
    calls = [getattr(lerobot_grasp_plugin, name) for name in lerobot_grasp_plugin.__all__]
    calls = [call for call in calls if inspect.isfunction(call)]
    calls += [getattr(lerobot_grasp_plugin.GraspDataset, name) for name in ("__init__", "create", "resume")]
    for call in calls:
        for parameter in inspect.signature(call).parameters.values():
            assert "Path" not in str(parameter.annotation) or "str" in str(parameter.annotation), call
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "set").symlink_to(recorded("av1"))
    (tmp_path / "labels.txt").write_text("0: 3-\n")
    assert lerobot_grasp_plugin.open_dataset(root="~/set").lengths[0] == 7
    assert lerobot_grasp_plugin.verify_dataset("~/set").ok
    assert lerobot_grasp_plugin.read_learning("~/set") is None
    options: dict[str, Any] = {"new_root": "~/out", "annotations": "~/labels.txt", "unlisted": "fail"}
    source = lerobot_grasp_plugin.SourceConfig(root="~/set")  # type: ignore[arg-type] # a text will do
    report = lerobot_grasp_plugin.merge(lerobot_grasp_plugin.MergeConfig(sources=[source], **options))
    assert report.success_frames == 5
    options["new_root"] = "~/again"
    config = lerobot_grasp_plugin.RelabelConfig(**options, root="~/out")  # type: ignore[arg-type]  # options of any type
    assert lerobot_grasp_plugin.relabel(config).root == tmp_path / "again"
    lerobot_grasp_plugin.write_learning("~/again", lerobot_grasp_plugin.LearningSidecar())
    assert lerobot_grasp_plugin.read_learning(f"{tmp_path}/again") == lerobot_grasp_plugin.LearningSidecar()


def test_importing_the_package_costs_nothing() -> None:
    assert modules_after("import lerobot_grasp_plugin") == set()


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_merging_an_older_format_imports_no_pandas(version: str, tmp_path: Path) -> None:
    """``pyarrow.array`` imports it, which takes longer than the merge."""
    root = write_legacy(tmp_path / "set", Legacy(version=version, labels=True))
    code = "from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge; "
    code += f"source = SourceConfig(root={str(root)!r}); "
    code += f"merge(MergeConfig(sources=[source], new_root={str(tmp_path / 'out')!r}))"
    assert not {"torch", "lerobot", "pandas"} & modules_after(code)


def test_the_operations_need_neither_torch_nor_lerobot_nor_pandas() -> None:
    learning = {"GraspDataset", "ImagePreprocessing", "LearningSidecar", "read_learning", "write_learning"}
    names = ", ".join(name for name in lerobot_grasp_plugin.__all__ if name not in learning)
    loaded = modules_after(f"from lerobot_grasp_plugin import {names}")
    assert not loaded & {"torch", "lerobot", "pandas", "datasets", "draccus"}


def test_every_error_is_public_and_has_an_exit_code() -> None:
    kinds = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.GraspError)
    ]
    assert {kind.__name__ for kind in kinds} <= set(lerobot_grasp_plugin.__all__)
    assert {kind.exit_code for kind in kinds} == {1, 2}


def test_an_error_carries_its_problems() -> None:
    problems = [errors.Problem("a-b", "first", "file:1", "hint", "text\n^"), errors.Problem("c", "second")]
    error = errors.MergeError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error).splitlines() == [
        "file:1: error: first [a-b]",
        "    text",
        "    ^",
        "    hint",
        "error: second [c]",
    ]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.problems) == (errors.MergeError, tuple(problems))


def test_an_error_can_be_raised_again_with_a_text_that_tells_of_it() -> None:
    """As torch does with what a worker of a DataLoader raised: ``error_class(traceback)``."""
    text = "Caught VideoError in DataLoader worker process 0.\na.mp4: error: no keyframe [no-keyframe]"
    (problem,) = errors.VideoError(text).problems
    assert (problem.code, problem.message) == ("failed", text)
