"""``lerobot-grasp-actor``: HIL-SERL's actor with this package's robots, teleoperators and episode log."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lerobot_grasp_plugin.commands.rl_config import parse_rl_config, rl_outline
from lerobot_grasp_plugin.commands.run import HELP, command, guarded

PROGRAM = "lerobot-grasp-actor"


@command
def main(args: Sequence[str] | None = None) -> int:
    """Run the actor until its steps are done or it is interrupted; returns the command's exit code."""
    given = list(args or [])
    if HELP not in given:
        rl_outline(given, PROGRAM)
    sys.argv = [PROGRAM, *given]  # LeRobot's validation reads --config_path and --policy.path from it
    config = parse_rl_config(given, PROGRAM, "lerobot.rl.actor")

    def action() -> int:
        from lerobot_grasp_plugin.learning.registration import install
        from lerobot_grasp_plugin.learning.rl.actor_run import ActorError, run_actor
        from lerobot_grasp_plugin.sim.world import current_truth

        install()
        dataset = config.dataset
        plain = config.plain(None if dataset is None else dataset.plain(dataset.repo_id or "", dataset.root))
        try:
            run_actor(plain, current_truth)
        except ActorError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        return 0

    return guarded(action)


if __name__ == "__main__":
    raise SystemExit(main(None))
