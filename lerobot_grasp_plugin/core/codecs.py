"""Names of video codecs: LeRobot's names and their aliases."""

from __future__ import annotations

from typing import Any, Final

_CANONICAL: Final = {
    **dict.fromkeys(("libdav1d", "libaom-av1", "libsvtav1", "librav1e", "av01"), "av1"),
    **dict.fromkeys(("avc", "avc1", "avc3", "libx264", "x264", "h.264"), "h264"),
    **dict.fromkeys(("h265", "hvc1", "hev1", "libx265", "x265", "h.265"), "hevc"),
    **dict.fromkeys(("mp4v", "libxvid", "xvid"), "mpeg4"),
    **dict.fromkeys(("vp09", "libvpx-vp9"), "vp9"),
    "libvpx": "vp8",
}
_HARDWARE: Final = frozenset(
    {"h264_videotoolbox", "hevc_videotoolbox", "h264_nvenc", "hevc_nvenc", "h264_vaapi", "h264_qsv"}
)

ACCEPTED: Final = frozenset({"av1", "h264", "hevc", "libsvtav1", "libaom-av1", "auto", *_HARDWARE})
"""The values of ``video.codec`` that LeRobot's edit commands accept, as in its ``VALID_VIDEO_CODECS``."""


def canonical_codec(name: Any) -> Any:
    """The name of a codec as LeRobot writes it, for one that names its decoder, encoder or file tag.

    Args:
        name: ``video.codec`` of ``info.json``; other values are returned unchanged.
    """
    if not isinstance(name, str):
        return name
    plain = _CANONICAL.get(name.lower(), name)
    stem = name.lower().partition("_")[0]  # h264_nvenc
    return stem if stem in _CANONICAL.values() else plain
