"""The schema of the data files of format v3.0, as LeRobot writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lerobot_grasp_plugin.dataset.arrow import value_type
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


def column_type(name: str, feature: Feature) -> pa.DataType | None:
    """LeRobot's Arrow type of a feature's column; None if the source's type is kept.

    Raises:
        DatasetError: LeRobot has no such column.
    """
    if feature.dtype == "image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    value = value_type(feature.dtype)
    if value is None:
        if feature.dtype == "language":
            return None
        message = f"feature {name!r} has dtype {feature.dtype!r}, which LeRobot cannot store in a column"
        raise DatasetError(Problem("unknown-dtype", message))
    if 0 in feature.shape:
        return pa.null()  # the only column of width 0 that LeRobot opens
    if feature.shape == (1,):
        return value
    if len(feature.shape) == 1:
        return pa.list_(value, feature.shape[0])
    if not 2 <= len(feature.shape) <= 5:
        message = f"feature {name!r} has shape {list(feature.shape)}; LeRobot supports 1 to 5 dimensions"
        raise DatasetError(Problem("unknown-shape", message))
    for _ in feature.shape:
        value = pa.list_(value)
    return value


def data_schema(
    features: Mapping[str, Feature], kept: Mapping[str, pa.Field[Any]], own_metadata: Mapping[bytes, bytes]
) -> pa.Schema:
    """Schema of the data files.

    Args:
        features: Of the output, in order.
        kept: Fields of the sources, for columns whose type is kept as it is.
        own_metadata: Metadata of the schema that says nothing about the columns.
    """
    fields: list[pa.Field[Any]] = []
    described: dict[str, dict[str, Any]] = {}
    for name, feature in features.items():
        if feature.dtype == "video":
            continue
        arrow_type = column_type(name, feature)
        if arrow_type is None:
            fields.append(kept[name])
            continue
        extension = None
        if feature.dtype == "image":
            described[name] = {"_type": "Image"}
        elif 0 in feature.shape:
            pass
        elif feature.shape == (1,):
            described[name] = {"dtype": feature.dtype, "_type": "Value"}
        elif len(feature.shape) == 1:
            value = {"dtype": feature.dtype, "_type": "Value"}
            described[name] = {"feature": value, "length": feature.shape[0], "_type": "List"}
        else:
            kind = f"Array{len(feature.shape)}D"
            described[name] = {"shape": list(feature.shape), "dtype": feature.dtype, "_type": kind}
            extension = {
                "ARROW:extension:name": f"datasets.features.features.{kind}ExtensionType",
                "ARROW:extension:metadata": json.dumps([list(feature.shape), feature.dtype]),
            }
        fields.append(pa.field(name, arrow_type, metadata=extension))
    metadata = dict(own_metadata)
    if len(described) == len(fields):
        metadata[b"huggingface"] = json.dumps({"info": {"features": described}}).encode()
    schema = pa.schema(fields)
    return schema.with_metadata(metadata) if metadata else schema
