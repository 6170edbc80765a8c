"""``lerobot-grasp-eval-policy``: how often each checkpoint of a run grasps in the simulation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.outline import announce_loading
from lerobot_grasp_plugin.commands.run import (
    TerminalProgress,
    command,
    fail,
    guarded,
    parse_call,
    require_extra,
)

if TYPE_CHECKING:
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    from lerobot_grasp_plugin.sim.episode_recorder import EpisodeRecorder

PROGRAM = "lerobot-grasp-eval-policy"
GUIDE = Guide(
    example=f"{PROGRAM} --run outputs/sim/policy --num_episodes 20",
    required=("run",),
)


@dataclass(kw_only=True)
class EvalPolicyOptions:
    """Runs the checkpoints of a run in the simulation and counts held and lifted cubes."""

    # output_dir of a lerobot-grasp-learner run, or one of its checkpoints
    run: Path | None = None
    # episodes per checkpoint
    num_episodes: int = 20
    # seed of the cube positions; the same for every checkpoint
    seed: int = 1000
    # evaluate the last checkpoint only
    last: bool = False
    # folder for the table of episodes (default: RUN/eval)
    output_dir: Path | None = None
    # pretrained_model folder of a reward classifier to use instead of the run's own
    classifier: Path | None = None
    # record the episodes that fooled the classifier here, as a dataset with an annotation file of true labels
    hard_negatives: Path | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Count grasps; returns the command's exit code."""
    options = parse_call(EvalPolicyOptions, args, program=PROGRAM, guide=GUIDE)
    if options.run is None:
        fail(PROGRAM, "--run is missing; give the output_dir of lerobot-grasp-learner")
    if options.num_episodes < 1:
        fail(PROGRAM, f"--num_episodes must be at least 1, not {options.num_episodes}")
    require_extra(PROGRAM, "sim", "mujoco", "so101_nexus")
    sys.argv = [PROGRAM]  # LeRobot's validation reads --config_path from it
    return guarded(lambda: _evaluate(options))


def _evaluate(options: EvalPolicyOptions) -> int:
    from lerobot_grasp_plugin.sim.checkpoints import check_environment, check_recordable, checkpoints_of

    assert options.run is not None
    checkpoints = checkpoints_of(options.run.expanduser())
    if options.last:
        checkpoints = checkpoints[-1:]
    check_environment(checkpoints[-1])
    if options.hard_negatives is not None:
        check_recordable(options.hard_negatives, checkpoints[-1], options.classifier)
    announce_loading(PROGRAM)
    import_module("lerobot_grasp_plugin.plugin")  # robots and teleoperators by name
    from lerobot_grasp_plugin.sim.episode_recorder import EpisodeRecorder
    from lerobot_grasp_plugin.sim.evaluation import (
        CheckpointResult,
        PolicyEvaluation,
        best_of,
        results_table,
    )
    from lerobot_grasp_plugin.sim.results import (
        EPISODES,
        EpisodeVideos,
        read_run_config,
        use_classifier,
        write_results,
    )

    config = read_run_config(checkpoints[-1])
    use_classifier(config, options.classifier)
    recorder = None
    if options.hard_negatives is not None:
        recorder = EpisodeRecorder(options.hard_negatives, int(config.env.fps), config.env.task or "")
    folder = options.output_dir or options.run / "eval"
    evaluation = PolicyEvaluation(config, options.seed)
    evaluation.recorder = recorder
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
        if recorder is not None:
            recorder.close()
        evaluation.close()
    print("\n".join(results_table(results)))
    write_results(results, folder)
    print(f"Best: {best_of(results).path}")
    print(f"Every episode is in {folder / EPISODES}")
    print(f"Videos and contact sheets of some are in {folder / 'videos'}")
    if recorder is not None:
        print("\n".join(_next_commands(recorder, config)))
    return 0


def _next_commands(recorder: EpisodeRecorder, config: TrainRLServerPipelineConfig) -> Iterator[str]:
    """Writes the annotation file, and prints how to add the episodes to the classifier's dataset."""
    from lerobot_grasp_plugin.learning.classifier.model import read_record
    from lerobot_grasp_plugin.sim.truth import read_truth, truth_folder
    from lerobot_grasp_plugin.sim.truth_labels import truth_annotations

    root = recorder.root
    if not recorder.episodes:
        yield "No episode fooled the classifier; there are no hard negatives"
        return
    truth = read_truth(truth_folder(None, root))
    annotations = root.with_name(f"{root.name}_annotations.txt")
    annotations.write_text(truth_annotations(str(root.resolve()), truth, "held"), encoding="utf-8")
    record = read_record(Path(config.env.processor.reward_classifier.pretrained_path))
    source = record.get("dataset", {}).get("root", "DATASET_OF_THE_CLASSIFIER")
    yield f"{recorder.episodes} episodes fooled the classifier; they are in {root}"
    yield f"The true labels are in {annotations}. Look at them:"
    yield f"  lerobot-grasp-review --root {root} --annotations {annotations}"
    yield "Add them to the classifier's training data:"
    yield f"  lerobot-grasp-merge --sources '[{{root: {source}}}, {{root: {root}}}]' \\"
    yield f"    --annotations {annotations} --unlisted keep --new_root {root}_merged"


if __name__ == "__main__":
    raise SystemExit(main(None))
