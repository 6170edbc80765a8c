"""Shows the figures of a run in the Rerun viewer, as LeRobot's commands show recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.rl.training_watch import Row


class RerunView:
    """Sends rows of ``training.jsonl`` to a viewer."""

    def __init__(self, ip: str | None = None, port: int | None = None) -> None:
        """Args:
        ip: Of a viewer that runs elsewhere; without one, a viewer is started here.
        port: Of that viewer.

        Raises:
            UsageError: Rerun is not installed.
        """
        try:
            import rerun
        except ImportError:
            message = "--display_data needs Rerun, but rerun-sdk is not installed"
            hint = 'pip install "lerobot[viz]"'
            raise UsageError(Problem("no-rerun", message, hint=hint)) from None
        self._rerun = rerun
        rerun.init("lerobot_grasp_learner")
        if ip is not None and port is not None:
            rerun.connect_grpc(url=f"rerun+http://{ip}:{port}/proxy")
        else:
            rerun.spawn(memory_limit="10%")

    def __call__(self, row: Row) -> None:
        """Log one row, each figure as a curve over the updates."""
        self._rerun.set_time("update", sequence=int(row["update"] or 0))
        for name, value in row.items():
            if value is not None and name != "update":
                self._rerun.log(f"training/{name}", self._rerun.Scalars(float(value)))
