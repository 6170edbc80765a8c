"""``lerobot-grasp-eval-policy``: how often each checkpoint of a run grasps, in the simulation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse, require

PROGRAM = "lerobot-grasp-eval-policy"


@dataclass(kw_only=True)
class EvalPolicyOptions:
    """Which policies act, and how often."""

    # output_dir of a run of lerobot-grasp-learner, or one of its checkpoints
    run: Path | None = None
    # episodes of each checkpoint
    num_episodes: int = 20
    # decides where the cube lies; the same for every checkpoint
    seed: int = 1000
    # only the last checkpoint, and not all of them
    last: bool = False
    # where the table of episodes goes (without a value: RUN/eval)
    output_dir: Path | None = None
    # pretrained_model folder of another reward classifier than the one the run had
    classifier: Path | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Count grasps; returns the command's exit code."""
    options = parse(EvalPolicyOptions, args, program=PROGRAM)
    if options.run is None:
        fail(PROGRAM, "no run is named; give --run with the output_dir of lerobot-grasp-learner")
    if options.num_episodes < 1:
        fail(PROGRAM, f"--num_episodes is {options.num_episodes}, and should be at least 1")
    require(PROGRAM, "sim", "mujoco", "so101_nexus")
    sys.argv = [PROGRAM]  # LeRobot's validation reads --config_path from it
    return guarded(lambda: _evaluate(options))


def _evaluate(options: EvalPolicyOptions) -> int:
    import_module("lerobot_grasp_plugin.plugin")  # robots and teleoperators by name
    from lerobot_grasp_plugin.sim.evaluation import (
        CheckpointResult,
        PolicyEvaluation,
        best_of,
        checkpoints_of,
        table,
    )
    from lerobot_grasp_plugin.sim.results import (
        EPISODES,
        EpisodeVideos,
        read_config,
        use_classifier,
        write_results,
    )

    assert options.run is not None
    checkpoints = checkpoints_of(options.run.expanduser())
    if options.last:
        checkpoints = checkpoints[-1:]
    config = read_config(checkpoints[-1])
    use_classifier(config, options.classifier)
    folder = options.output_dir or options.run / "eval"
    evaluation = PolicyEvaluation(config, options.seed)
    videos = EpisodeVideos(folder / "videos", int(config.env.fps))
    progress = TerminalProgress()
    results = []
    try:
        for checkpoint in checkpoints:
            name = checkpoint.parent.name
            episodes = []
            for one in evaluation.run(checkpoint, options.num_episodes):
                videos.take(name, one)
                episodes.append(one)
                progress(f"checkpoint {name}", len(episodes), options.num_episodes)
            results.append(CheckpointResult(name, checkpoint, episodes))
    finally:
        progress.close()
        evaluation.close()
    print("\n".join(table(results)))
    write_results(results, folder)
    print(f"Best: {best_of(results).path}")
    print(f"Every episode is in {folder / EPISODES}")
    print(f"Videos and contact sheets of some are in {folder / 'videos'}")
    return 0
