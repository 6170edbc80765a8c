"""Checks whether sources fit into one dataset, and determines its features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lerobot_grasp_plugin.core.codecs import canonical_codec
from lerobot_grasp_plugin.core.timeline import exact_fps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.problem import MergeError, Problem
from lerobot_grasp_plugin.merging.contradictions import Contradictions, agreed, canonical
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from lerobot_grasp_plugin.merging.sources import Source

_STREAM_KEYS: Final = ("video.codec", "video.pix_fmt", "video.height", "video.width", "video.channels")
_ENCODER_KEYS: Final = (
    "video.g",
    "video.crf",
    "video.preset",
    "video.fast_decode",
    "video.extra_options",
    "video.video_backend",
)
"""How a video was encoded; sources may differ, as in LeRobot's ``VIDEO_ENCODER_INFO_KEYS``."""

_DEPTH_KEYS: Final = ("depth_unit", "video.depth_min", "video.depth_max", "video.shift", "video.use_log")
"""How depths are read from a video or an image; a dataset has one set of these values."""

_MARKS: Final = ("has_audio", "is_depth_map")
_INDEX_FEATURES: Final = {
    layout.TIMESTAMP: Feature("float32", (1,), None, {}),
    **{name: Feature("int64", (1,), None, {}) for name in layout.INDEX_COLUMNS},
}
REWARD_FEATURE: Final = Feature("float32", (1,), None, {})
FLAG_FEATURE: Final = Feature("bool", (1,), None, {})


@dataclass(frozen=True)
class TargetFormat:
    """The format of the output.

    Attributes:
        fps: Frames per second.
        robot_type: As info.json of the sources has it: text, None, or another value.
        features: By name, in order.
        labels: The label columns that are written; empty when nothing is labelled.
    """

    fps: float
    robot_type: Any
    features: Mapping[str, Feature]
    labels: Sequence[str]


def unify(sources: Sequence[Source], config: MergeConfig, found: Contradictions) -> TargetFormat:
    """The common format of the sources.

    Args:
        sources: The sources.
        config: The recipe.
        found: Collects unknown info.json values of features on which sources differ.

    Raises:
        MergeError: With every mismatch, each with the option that settles it.
    """
    labelled = any(source.labels is not None for source in sources)
    labels = _label_columns(sources, config) if labelled else ()
    problems = [
        *_fps_problems(sources),
        *_robot_problems(sources, config.robot_type),
        *_feature_problems(sources, labels, config),
        *(_done_problems(sources, config) if labels else ()),
    ]
    if problems:
        raise MergeError(problems)
    first = sources[0]
    features: dict[str, Feature] = {}
    for name, feature in first.features.items():
        if name in _INDEX_FEATURES or name in labels:
            continue
        features[name] = _merged_info(name, feature, sources, found)
    for name in labels:
        features[name] = REWARD_FEATURE if name == layout.REWARD else FLAG_FEATURE
    for name, feature in _INDEX_FEATURES.items():
        own = first.features.get(name)
        is_wide = name == layout.TIMESTAMP and own is not None and own.dtype == "float64"
        dtype = "float64" if is_wide else feature.dtype
        features[name] = replace(feature, dtype=dtype, extra=own.extra if own else {})
    features = {name: _with_unknown(name, feature, sources, found) for name, feature in features.items()}
    robot_type = config.robot_type if config.robot_type is not None else first.reader.info.robot_type
    return TargetFormat(first.reader.info.fps, robot_type, features, labels)


def _label_columns(sources: Sequence[Source], config: MergeConfig) -> tuple[str, ...]:
    """An existing next.success is rewritten too: it must not contradict next.reward."""
    stale = any(layout.SUCCESS in source.features for source in sources)
    columns = (layout.REWARD, layout.DONE)
    return (*columns, layout.SUCCESS) if config.next_success or stale else columns


def _by_value(sources: Sequence[Source], values: Sequence[Any]) -> str:
    """``10 in a, b; 30 in c``."""
    groups: dict[str, list[str]] = {}
    for source, value in zip(sources, values, strict=True):
        groups.setdefault(repr(value), []).append(source.title)
    return "; ".join(f"{value} in {', '.join(names)}" for value, names in groups.items())


def _fps_problems(sources: Sequence[Source]) -> Iterator[Problem]:
    values = [source.reader.info.fps for source in sources]
    if len(set(map(exact_fps, values))) > 1:
        message = f"fps differs: {_by_value(sources, values)}"
        hint = "frames cannot be retimed; merge sources of one fps"
        yield Problem("fps-mismatch", message, hint=hint)


def _robot_problems(sources: Sequence[Source], given: str | None) -> Iterator[Problem]:
    values = [source.reader.info.robot_type for source in sources]
    if len({canonical(value) for value in values}) > 1 and given is None:
        known = next((value for value in values if value and isinstance(value, str)), "NAME")
        message = f"robot_type differs: {_by_value(sources, values)}"
        yield Problem("robot-type-mismatch", message, hint=f"choose one with --robot_type {known}")


def _done_problems(sources: Sequence[Source], config: MergeConfig) -> Iterator[Problem]:
    lacking = [source.title for source in sources if layout.DONE not in source.features]
    if config.done == "keep" and lacking:
        message = f"--done keep: {', '.join(lacking)} has no feature {layout.DONE}"
        hint = "use --done episode_end, first_success or last_frame_of_success"
        yield Problem("nothing-to-keep", message, hint=hint)


def _feature_problems(
    sources: Sequence[Source], labels: Sequence[str], config: MergeConfig
) -> Iterator[Problem]:
    names: dict[str, None] = {}
    for source in sources:
        names.update(dict.fromkeys(source.features))
    for name in names:
        if name in labels or name in _INDEX_FEATURES:
            continue
        drop = f"leave it out with --drop_features '[\"{name}\"]'"
        lacking = [source.title for source in sources if name not in source.features]
        if lacking:
            message = f"feature {name!r} is missing in {', '.join(lacking)}"
            hint = f"{drop}, or give it the same name in all sources with `rename`"
            if name in (layout.REWARD, layout.DONE):
                hint = f"label all sources with --annotations, or {drop}"
            yield Problem("feature-missing", message, hint=hint)
            continue
        features = [source.features[name] for source in sources]
        dtypes, shapes = (
            [feature.dtype for feature in features],
            [list(feature.shape) for feature in features],
        )
        if any(dtype != dtypes[0] for dtype in dtypes):
            message = f"dtype of {name!r} differs: {_by_value(sources, dtypes)}"
            images = [source for source, dtype in zip(sources, dtypes, strict=True) if dtype == "image"]
            mixed = {*dtypes} == {"image", "video"}
            convert = f"convert the images of {', '.join(source.title for source in images)} to a video and "
            hint = f"{drop}, or {convert}merge the result:" if mixed else drop
            commands = [_to_video(source) for source in images] if mixed else []
            yield Problem("feature-dtype", message, hint=hint, commands=commands)
        if any(shape != shapes[0] for shape in shapes):
            message = f"shape of {name!r} differs: {_by_value(sources, shapes)}"
            yield Problem("feature-shape", message, hint=drop)
        dimensions = [feature.dimensions or feature.names for feature in features]
        if config.names == "match" and any(value != dimensions[0] for value in dimensions):
            spelled = [feature.names for feature in features]
            message = f"names of {name!r} differ: {_by_value(sources, spelled)}"
            hint = "if the dimensions mean the same, use the first source's names with --names first"
            yield Problem("feature-names", message, hint=hint)
        if features[0].dtype == "video":
            yield from _stream_problems(name, sources, features, config)
        if features[0].dtype in ("image", "video"):
            yield from _depth_problems(name, sources, features)


def _to_video(source: Source) -> Command:
    """LeRobot's command that converts the images of a source to video."""
    root, name = source.reader.root.resolve(), source.repo_id
    flags = {
        "new_repo_id": f"{name}_video",
        "new_root": f"{root}_video",
        "operation.type": "convert_image_to_video",
    }
    return Command("lerobot-edit-dataset", root, name, flags)


def _stream_problems(
    name: str, sources: Sequence[Source], features: Sequence[Feature], config: MergeConfig
) -> Iterator[Problem]:
    for key in _STREAM_KEYS:
        values = [feature.video_info.get(key) for feature in features]
        if key == "video.codec":
            values = [canonical_codec(value) for value in values]
        known = {value for value in values if value is not None}
        if len(known) <= 1 or (config.mixed_codecs and key in ("video.codec", "video.pix_fmt")):
            continue
        message = f"{key} of camera {name!r} differs: {_by_value(sources, values)}"
        hint = f"leave it out with --drop_features '[\"{name}\"]'"
        if key in ("video.codec", "video.pix_fmt"):
            hint = f"keep both, in separate files, with --mixed_codecs true; or {hint}"
        yield Problem("codec-mismatch", message, hint=hint)


def _depth_problems(name: str, sources: Sequence[Source], features: Sequence[Feature]) -> Iterator[Problem]:
    drop = f"leave it out with --drop_features '[\"{name}\"]'"
    marks = [feature.is_depth for feature in features]
    if len(set(marks)) > 1:
        depth = [source.title for source, mark in zip(sources, marks, strict=True) if mark]
        message = f"camera {name!r} is a depth map in {', '.join(depth)} only"
        yield Problem("codec-mismatch", message, hint=drop)
    for key in _DEPTH_KEYS if any(marks) else ():
        values = [feature.video_info.get(key) for feature in features]
        if any(value != values[0] for value in values):
            message = f"{key} of depth camera {name!r} differs: {_by_value(sources, values)}"
            yield Problem("codec-mismatch", message, hint=f"LeRobot uses one value for all depths; {drop}")


def _merged_info(name: str, feature: Feature, sources: Sequence[Source], found: Contradictions) -> Feature:
    """A feature with the values of ``info`` that are equal in all sources."""
    infos = [source.features[name].video_info for source in sources]
    merged: dict[str, Any] = {}
    for info in infos:
        for key, value in info.items():
            merged.setdefault(key, value)
    if "video.codec" in merged:
        merged["video.codec"] = canonical_codec(merged["video.codec"])
    different = [key for key in merged if len({canonical(i[key]) for i in infos if key in i}) > 1]
    for key in _ENCODER_KEYS:
        if key in merged and any(info.get(key) != infos[0].get(key) for info in infos):
            merged[key] = {} if key == "video.extra_options" else None
    unknown = [key for key in different if not key.startswith("video.") and key not in _MARKS]
    if unknown:
        found.add(sources, f"features.{name}.info in info.json", unknown, infos)
    merged = {key: value for key, value in merged.items() if key not in unknown}
    return feature.with_video_info(merged) if merged else feature


def _with_unknown(name: str, feature: Feature, sources: Sequence[Source], found: Contradictions) -> Feature:
    """A feature with the unknown keys that are equal in all sources."""
    having = [source for source in sources if name in source.features]
    values = [source.features[name].unknown for source in having]
    if not any(values):
        return feature
    same = agreed(having, values, f"features.{name} in info.json", found)
    known = {key: value for key, value in feature.extra.items() if key not in feature.unknown}
    return replace(feature, extra=known | same)
