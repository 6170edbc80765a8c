"""Coverage-guided fuzzing of recipe files: a config, or exit code 2 and a line that says why.

uv pip install atheris
python -m tests.support.fuzz_recipes -max_total_time=60 -max_len=512
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lerobot_grasp_plugin", "draccus", "yaml"]):
    import draccus  # noqa: F401 - the parser imports them when it is called
    import yaml  # noqa: F401 - as above

    from lerobot_grasp_plugin.commands.run import parse_call
    from lerobot_grasp_plugin.core.selection import select_episodes
    from lerobot_grasp_plugin.findings.problem import UsageError
    from lerobot_grasp_plugin.merging.recipe import MergeConfig, RelabelConfig

KINDS = {"merge": MergeConfig, "relabel": RelabelConfig}
FOLDER = tempfile.TemporaryDirectory()
RECIPE = Path(FOLDER.name) / "recipe.yaml"


def one(data: bytes) -> None:
    """Reads bytes as a recipe, and the episodes it chooses."""
    program, kind = list(KINDS.items())[data[0] % 2] if data else ("merge", MergeConfig)
    RECIPE.write_bytes(data[1:])
    said = io.StringIO()
    code: object = 0
    config: object = None
    try:
        with contextlib.redirect_stderr(said):
            config = parse_call(kind, ["--config_path", str(RECIPE)], program=program)
    except SystemExit as end:
        code = end.code
    if code:
        assert code == 2, code
        assert said.getvalue().startswith(f"{program}: error: "), said.getvalue()
        return
    for source in config.sources if isinstance(config, MergeConfig) else ():
        if source.episodes is not None:
            with contextlib.suppress(UsageError):
                select_episodes(source.episodes, 100)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
