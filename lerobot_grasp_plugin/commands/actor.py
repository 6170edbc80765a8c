"""``lerobot-grasp-actor``: HIL-SERL's actor with this package's robots, teleoperators and episode log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.actor_process import end_with_learner
from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.rl_config import run_rl
from lerobot_grasp_plugin.commands.run import command

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig

PROGRAM = "lerobot-grasp-actor"
GUIDE = Guide(
    purpose="Runs LeRobot's actor with this package's robots, teleoperators and log of episodes.",
    example=f"{PROGRAM} --config_path configs/sim/hilserl.json",
    required=("config_path",),
    upstream="lerobot.rl.actor",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Run the actor until its steps are done or it is interrupted; returns the command's exit code."""
    end_with_learner()
    return run_rl(args, PROGRAM, GUIDE, _run)


def _run(config: GraspTrainRLConfig, _: list[str]) -> int:
    from lerobot_grasp_plugin.learning.rl.actor_run import run_actor
    from lerobot_grasp_plugin.sim.world import current_truth

    dataset = config.dataset
    plain = config.plain(None if dataset is None else dataset.plain(dataset.repo_id or "", dataset.root))
    run_actor(plain, current_truth)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(None))
