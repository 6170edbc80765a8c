"""The version stands in the code and in ``pyproject.toml``."""

import tomllib

from lerobot_grasp_plugin.version import VERSION
from tests.support.project import PROJECT

PYPROJECT = PROJECT / "pyproject.toml"


def test_both_versions_are_the_same():
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
