"""The options of ``lerobot-grasp-frames``. The comment above a field is its ``--help`` text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ImageFormat = Literal["jpg", "png"]


@dataclass(kw_only=True)
class FramesConfig:
    """The frames of a dataset as image files, or as one contact sheet per episode."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # follow links in data/ and videos/ that lead outside the dataset's folder
    follow_links: bool = False
    # episodes to use: "0-14", [2, 7, 8], "!19,23" for all but these (default: all)
    episodes: list[int] | str | None = None
    # one camera (default: all)
    camera_key: str | None = None
    # extract every n-th frame; frames keep their numbers
    stride: int = 1
    # part of each image to keep: top,left,height,width in pixels
    crop: list[int] | str | None = None
    # folder for the images (default: frames/ in the dataset's folder)
    output_dir: Path | None = None
    # number of an episode's first frame, 0 or 1 (default: the annotation file's, else 1)
    index_base: int | None = None
    # jpg (high quality) or png (exact)
    format: ImageFormat = "jpg"
    # write one image per episode that shows all its frames, instead of one file per frame
    contact_sheet: bool = False
    # annotation file whose labels the contact sheets show (default: the recorded labels)
    annotations: Path | None = None
