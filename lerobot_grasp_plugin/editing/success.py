"""The success frames of a dataset that a call labels, before it is edited."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.editing.columns import read_columns
from lerobot_grasp_plugin.editing.config import EditConfig
from lerobot_grasp_plugin.merging.annotate import label_sources
from lerobot_grasp_plugin.merging.label_column import column_rule
from lerobot_grasp_plugin.merging.sources import Source


def called_success(source: Source, config: EditConfig) -> Mapping[int, NDArray[np.bool_]]:
    """The success frames of the episodes that the annotation file or the column of a call labels.

    Args:
        source: The dataset.
        config: The call.

    Returns:
        By ``episode_index``, of shape (frames,). Episodes that keep their recorded labels are not in it.

    Raises:
        GraspError: The annotation file or the column is wrong.
    """
    (source,), _ = label_sources([source], config.annotations, config)
    labels, column = source.labels or {}, source.column
    found = {episode: own.mask(int(source.reader.lengths[episode])) for episode, own in labels.items()}
    if column is not None:
        others = [episode for episode in source.episodes if episode not in labels]
        rule = column_rule(source.reader, column, others)
        for episode, (values,) in read_columns(source.reader, others, [column.name]):
            found[episode] = column.rows(values[:, 0], rule)
    return found
