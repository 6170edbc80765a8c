"""Uploading an output, through LeRobot."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.errors import Problem, UsageError


def push(repo_id: str, root: Path) -> None:
    """Uploads a finished dataset; LeRobot writes its card and tags its version.

    Raises:
        UsageError: The Hub does not take it. The dataset stays where it is.
    """
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from lerobot.datasets import LeRobotDataset

    try:
        LeRobotDataset(repo_id, root=root).push_to_hub(tags=["lerobot_grasp_plugin"])
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        hint = f"the dataset itself is complete at {root}; log in with `hf auth login` and push it again"
        raise UsageError(
            Problem("push-failed", f"{repo_id!r} was not uploaded: {reason}", hint=hint)
        ) from None
    print(f"Uploaded {repo_id} to the Hub")
