"""Reads the schemas of a source's data files: types, undeclared columns, metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lerobot_grasp_plugin.dataset.arrow_types import language_type, own_metadata
from lerobot_grasp_plugin.dataset.column_metadata import left_out, metadata_of_columns
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.merging.features import TargetFormat
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.writers.data_schema import column_type


@dataclass(frozen=True)
class SourceSchemas:
    """The schemas of the files that hold the chosen episodes of a source.

    Attributes:
        inferred: Feature whose type is not declared, by its name in the output -> the types in the files.
        undeclared: Column that info.json does not declare -> the first file that has it.
        metadata: Of the schemas, without what describes the columns.
        of_columns: Column with metadata of its own -> their keys.
    """

    inferred: Mapping[str, Sequence[pa.DataType]]
    undeclared: Mapping[str, Path]
    metadata: Mapping[bytes, bytes]
    of_columns: Mapping[str, Sequence[str]]


def read_schemas(source: Source, target: TargetFormat) -> SourceSchemas:
    """Reads the footer of each file once.

    Raises:
        DatasetError: A file is damaged, or lacks a column whose type is not declared.
    """
    columns = {source.original[name]: name for name in _inferred(target)}
    declared = {name for name, feature in source.reader.info.features.items() if feature.dtype != "video"}
    inferred: dict[str, dict[pa.DataType, None]] = {name: {} for name in columns.values()}
    undeclared: dict[str, Path] = {}
    metadata: dict[bytes, bytes] = {}
    of_columns: dict[str, list[str]] = {}
    for path, schema in source.reader.schemas(source.episodes):
        for own, name in columns.items():
            if own not in schema.names:
                message = f"column {own!r} is missing, but info.json declares it"
                raise DatasetError(Problem("missing-column", message, path))
            inferred[name][schema.field(own).type] = None
        for name in schema.names:
            if name not in declared:
                undeclared.setdefault(name, path)
        for key, value in own_metadata(schema).items():
            metadata.setdefault(key, value)
        for name, keys in metadata_of_columns(schema).items():
            of_columns.setdefault(name, keys)
    kinds = {name: tuple(found) for name, found in inferred.items()}
    return SourceSchemas(kinds, undeclared, metadata, of_columns)


def _inferred(target: TargetFormat) -> list[str]:
    """Features whose Arrow type LeRobot does not declare (language annotations)."""
    return [
        name
        for name, feature in target.features.items()
        if feature.dtype != "video" and column_type(name, feature) is None
    ]


def inferred_fields(schemas: Sequence[SourceSchemas], target: TargetFormat) -> dict[str, pa.Field[Any]]:
    """One Arrow field for each column whose type is inferred file by file.

    Raises:
        DatasetError: A column does not hold lists of language rows in all files.
    """
    fields, problems = {}, []
    for name in _inferred(target):
        kinds = list(dict.fromkeys(kind for own in schemas for kind in own.inferred[name]))
        kind = language_type(kinds)
        if kind is None:
            message = f"column {name!r} holds {' and '.join(map(str, kinds))}, not lists of language rows"
            problems.append(Problem("bad-column", message))
        else:
            fields[name] = pa.field(name, kind)
    if problems:
        raise DatasetError(problems)
    return fields


def schema_warnings(sources: Sequence[Source], schemas: Sequence[SourceSchemas]) -> Iterator[Problem]:
    """Warnings for sources whose files have columns that info.json does not declare, or column metadata,
    which is not copied.
    """
    for source, own in zip(sources, schemas, strict=True):
        yield from left_out(own.of_columns, f"{source.title}: the data tables", source.reader.root)
        if own.undeclared:
            names, path = list(own.undeclared), next(iter(own.undeclared.values()))
            message = f"{source.title}: info.json does not declare the columns {names}; they are left out"
            hint = "LeRobot refuses tables with undeclared columns; declare them in info.json to keep them"
            yield Problem("undeclared-column", message, path, hint, severity="warning")
