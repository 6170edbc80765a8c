"""Finds files of installed packages by ROS names: ``package://name/path/in/the/package``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

PACKAGE = "package://"


def installed_file(name: str, where: str) -> str:
    """The path of a file; a name without ``package://`` is already a path.

    Args:
        name: A path, or ``package://name/path``.
        where: The option, for the error.

    Raises:
        UsageError: The package is not installed, or has no such file.
    """
    if not name.startswith(PACKAGE):
        return name
    package, _, path = name.removeprefix(PACKAGE).partition("/")
    found = find_spec(package) if package.isidentifier() else None
    folders = list(found.submodule_search_locations or []) if found is not None else []
    for folder in folders:
        if Path(folder, path).is_file():
            return str(Path(folder, path))
    reason = f"has no file {path!r}" if folders else "is not installed"
    hint = "give the path of the file, or install the package"
    raise UsageError(Problem("no-urdf", f"the package {package!r} {reason}", where, hint))
