"""Codes of videos, their packets and their images."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Family, Line, by

_VIDEO: tuple[Line, ...] = ("Video files",)
_MERGE = "lerobot-grasp-merge"

VIDEOS = Family(
    "Videos",
    (
        Code("audio-left-out", "The audio of a video is not copied.", WARNING),
        Code("bad-picture", "An image cannot be decoded.", ERROR),
        Code("empty-video-segment", "The part of a video to copy has no frames.", ERROR),
        Code("episode-off-keyframe", "An episode begins between two keyframes.", NOTE),
        Code("episode-open-start", "An episode begins on a keyframe that needs the frames before.", WARNING),
        Code("frozen-camera", "The image does not change while the robot moves.", WARNING),
        Code("undeclared-camera", "Videos exist of a camera that info.json does not declare.", WARNING),
        Code("unreferenced-frames", "A video holds frames that belong to no row.", WARNING, fix=_MERGE),
        Code(
            "unreferenced-total",
            "Many videos of a camera hold frames that belong to no row.",
            WARNING,
            fix=_MERGE,
        ),
        Code("video-audio", "info.json is wrong about audio.", NOTE),
        Code("video-average-fps", "torchcodec counts frames by an average fps, and misses some.", WARNING),
        Code("video-changed", "A video changed while it was copied.", ERROR, breaks=_VIDEO),
        Code("video-codec-unknown", "The codec of a video is unknown.", ERROR, breaks=_VIDEO),
        Code("video-damaged", "Packets of a video are damaged.", ERROR, breaks=_VIDEO),
        Code("video-edit-list", "An edit list hides frames of a video.", WARNING),
        Code("video-empty", "A video is empty.", ERROR, breaks=_VIDEO, once_per_file=True),
        Code("video-extra-stream", "A file holds several video streams.", WARNING),
        Code(
            "video-frame-corrupt", "A frame of a video is damaged but can be decoded.", ERROR, breaks=_VIDEO
        ),
        Code(
            "video-frame-flat",
            "A frame of a video is blank.",
            by(warning="all of an episode", note="some of an episode"),
        ),
        Code("video-frame-missing", "A video lacks the frame of a row.", ERROR, breaks=_VIDEO),
        Code(
            "video-frame-size", "A frame has another size than its video's header says.", ERROR, breaks=_VIDEO
        ),
        Code(
            "video-frame-undecodable",
            "A frame of a video cannot be decoded.",
            by(error="rows need it", warning="no row needs it"),
            breaks=_VIDEO,
        ),
        Code("video-frozen", "The image of a camera does not change throughout an episode.", WARNING),
        Code(
            "video-keyframe-missing",
            "A copy has to begin at a frame that is not a keyframe.",
            ERROR,
            breaks=_VIDEO,
        ),
        Code(
            "video-lfs-pointer",
            "A video is a Git LFS pointer.",
            ERROR,
            breaks=_VIDEO,
            once_per_file=True,
            fix="git lfs pull",
        ),
        Code(
            "video-missing",
            "A video is missing.",
            ERROR,
            breaks=_VIDEO,
            once_per_file=True,
            of_interruption=True,
        ),
        Code(
            "video-mixed-parameters",
            "The coding changes within a video.",
            by(warning="LeRobot may read it", error="it cannot be copied"),
        ),
        Code("video-no-frames", "A video has no frames.", ERROR, breaks=_VIDEO),
        Code(
            "video-no-keyframe", "A video begins with frames before its first keyframe.", ERROR, breaks=_VIDEO
        ),
        Code("video-no-stream", "A file has no video stream that can be read.", ERROR, breaks=_VIDEO),
        Code("video-not-written", "A video could not be written.", ERROR),
        Code(
            "video-off-grid", "Frames of a video are off the grid of fps.", ERROR, breaks=_VIDEO, fix=_MERGE
        ),
        Code("video-open-gop", "Frames need a keyframe that comes after them (open GOP).", WARNING),
        Code("video-order", "Episodes are not in order in a video.", WARNING, fix=_MERGE),
        Code("video-other-pictures", "Images do not match their statistics.", WARNING),
        Code("video-overlap", "Two episodes show the same frames of a video.", ERROR, breaks=_VIDEO),
        Code("video-picture-twice", "Two frames of a video have the same time.", ERROR, breaks=_VIDEO),
        Code("video-retimed", "Frames of a video were moved onto the grid of fps.", WARNING),
        Code("video-rows", "It is unknown which frames of a video belong to which rows.", ERROR),
        Code("video-too-short", "A video ends before the rows that need it.", ERROR, breaks=_VIDEO),
        Code("video-truncated", "A video file is truncated.", ERROR, breaks=_VIDEO),
        Code("video-turned", "The header of a video turns or mirrors its images.", ERROR, breaks=_VIDEO),
        Code("video-unreadable", "A video file cannot be read.", ERROR, breaks=_VIDEO),
        Code("video-wrong-codec", "info.json names another codec than the video has.", WARNING, fix=_MERGE),
        Code(
            "video-wrong-fps",
            "A video has another fps than the dataset.",
            by(error="frames and rows do not match", warning="every row finds a frame"),
            breaks=_VIDEO,
        ),
        Code("video-wrong-info", "info.json is wrong about a video.", WARNING, fix=_MERGE),
        Code(
            "video-wrong-pix-fmt",
            "info.json names another pixel format than the video has.",
            WARNING,
            fix=_MERGE,
        ),
        Code("video-wrong-size", "The size in info.json differs from the video's.", ERROR, breaks=_VIDEO),
        Code("video-wrong-to-timestamp", "to_timestamp of an episode is wrong.", WARNING, fix=_MERGE),
        Code("videos-mixed-up", "Videos of episodes seem to be swapped.", ERROR, breaks=_VIDEO),
    ),
)
