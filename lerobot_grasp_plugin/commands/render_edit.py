"""Reports of edits as text, and their recipes as YAML that lerobot-grasp-merge takes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.commands.render import merge_report
from lerobot_grasp_plugin.editing.edit import EditReport
from lerobot_grasp_plugin.merging.recipe import MergeConfig


def edit_report(report: EditReport) -> str:
    """What became of the dataset, and the report of each output."""
    parts = []
    for (recipe, _), output in zip(report.merges, report.reports, strict=True):
        parts.append("\n".join([*filter(None, [recipe.summary]), merge_report(output)]))
    return "\n\n".join(parts)


def dry_run(report: EditReport) -> str:
    """The recipe of each output, with what becomes of the dataset as comments."""
    parts = []
    for recipe, merge in report.merges:
        comments = [f"# {line}" for line in [*filter(None, [recipe.summary]), *recipe.details]]
        if merge.new_root is None and merge.new_repo_id is None:
            comments.append("# add new_root: lerobot-grasp-merge writes a new dataset")
        parts.append("\n".join([*comments, recipe_text(merge)]))
    return "\n---\n".join(parts)


def recipe_text(config: MergeConfig) -> str:
    """A recipe as YAML, without options that have their default value."""
    import yaml

    text: str = yaml.safe_dump(_stated(config), sort_keys=False, allow_unicode=True, width=10_000)
    return text.rstrip("\n")


def _stated(config: Any) -> dict[str, Any]:
    """The options of a config that differ from the default ones."""
    default = type(config)()
    values = {option.name: getattr(config, option.name) for option in fields(config)}
    changed = [name for name, value in values.items() if value != getattr(default, name)]
    return {name: _plain(values[name]) for name in sorted(changed, key=lambda name: name != "sources")}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        return _stated(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
