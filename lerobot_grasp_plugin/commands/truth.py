"""``lerobot-grasp-truth``: the simulation's true labels of a recording, as an annotation file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import command, fail, guarded, parse_call
from lerobot_grasp_plugin.core.choices import Truth
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count

PROGRAM = "lerobot-grasp-truth"
GUIDE = Guide(
    example=f"{PROGRAM} --root rehearsal --annotations rehearsal.txt",
    required=("root", "annotations"),
)


@dataclass(kw_only=True)
class TruthOptions:
    """Writes an annotation file from the simulation's record of the true state of each frame."""

    # folder of the dataset that was recorded with the simulated arm
    root: Path | None = None
    # the annotation file to write
    annotations: Path | None = None
    # what counts as success: held (by both jaws), lifted (by more than 1 cm), grasped (both)
    what: Truth = "grasped"
    # folder of the simulation's record (default: ROOT_sim_truth)
    truth_dir: Path | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Write the file; returns the command's exit code."""
    options = parse_call(TruthOptions, args, program=PROGRAM, guide=GUIDE)
    missing = [f"--{name}" for name in ("root", "annotations") if getattr(options, name) is None]
    if missing:
        fail(PROGRAM, f"{' and '.join(missing)} must be given")
    return guarded(lambda: _write(options), writes=True)


def _write(options: TruthOptions) -> int:
    from lerobot_grasp_plugin.dataset.opening import open_dataset
    from lerobot_grasp_plugin.sim.truth import read_truth, truth_folder
    from lerobot_grasp_plugin.sim.truth_labels import differences, truth_annotations

    assert options.root is not None
    assert options.annotations is not None
    root = options.root.expanduser()
    folder = truth_folder(options.truth_dir, root)
    episodes = read_truth(folder)
    if not episodes:
        message = "the folder does not contain a simulation's record"
        hint = "the robot so101_sim writes it next to the dataset; give another folder with --truth_dir"
        raise UsageError(Problem("no-truth", message, folder, hint))
    lengths = [int(length) for length in open_dataset(root=root).lengths]
    problems = list(differences(str(root), lengths, folder, episodes))
    if problems:
        raise DataError(problems)
    if options.annotations.exists():
        hint = "choose another name, or remove the file"
        raise UsageError(Problem("target-exists", "the file exists already", options.annotations, hint))
    text = truth_annotations(str(root.resolve()), episodes, options.what)
    options.annotations.write_text(text, encoding="utf-8")
    print(f"Wrote {options.what} frames of {count(len(episodes), 'episode')} to {options.annotations}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(None))
