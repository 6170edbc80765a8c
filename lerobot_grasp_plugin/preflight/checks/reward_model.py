"""Compares a reward classifier's training config with its dataset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import shape_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts
from lerobot_grasp_plugin.preflight.image_shapes import Preprocessing, as_text

MODEL = "reward_model"
_CAMERAS = 2
_TRAINER = "lerobot-grasp-train-classifier"


def check_reward_model(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``Classifier`` of LeRobot, and ``TrainPipelineConfig.validate``."""
    config = facts.config
    kind = config.text(f"{MODEL}.type")
    if kind != "reward_classifier":
        message = f"must be reward_classifier, not {kind!r}"
        yield Problem("model-type", message, f"{MODEL}.type", 'write "reward_classifier"')
        return
    if not facts.datasets and not facts.unreadable:
        yield Problem(
            "no-dataset", "the config names no dataset", "dataset", "give dataset.repo_id, or dataset.root"
        )
    yield from _model(facts)
    for dataset in facts.datasets:
        yield from _labels(facts, dataset)
        for key, feature in facts.cameras.items():
            yield from _camera(facts, dataset, key, shape_of(feature))


def _model(facts: Facts) -> Iterator[Problem]:
    config = facts.config
    classes = config.number(f"{MODEL}.num_classes", 2)
    if classes != 2:
        message = f"is {classes:g}, but a frame is success or failure: the environment uses class 1 of 2"
        yield Problem("class-count", message, f"{MODEL}.num_classes", "set it to 2")
    if not facts.cameras:
        message = f"it has no images, but lerobot-train uses only these ({_TRAINER} uses all cameras)"
        yield Problem(
            "feature-key",
            message,
            f"{MODEL}.input_features",
            "list the cameras, with their shapes",
            severity="warning",
        )
    count = config.number(f"{MODEL}.num_cameras", _CAMERAS)
    if facts.cameras and count != len(facts.cameras):
        message = (
            f"is {count:g}, but input_features has {len(facts.cameras)}: the head would have another width"
        )
        yield Problem("camera-count", message, f"{MODEL}.num_cameras", f"set it to {len(facts.cameras)}")
    mapping = config.get(f"{MODEL}.normalization_mapping")
    mode = mapping.get("VISUAL", "IDENTITY") if isinstance(mapping, dict) else "MEAN_STD"
    if mode != "IDENTITY":
        message = f"images are normalised ({mode}) in training, but never in the environment"
        yield Problem(
            "classifier-normaliser", message, f"{MODEL}.normalization_mapping", 'VISUAL: "IDENTITY"'
        )
    if config.flag(f"{MODEL}.push_to_hub", False) and not config.text(f"{MODEL}.repo_id"):
        message = "is true, but reward_model.repo_id is missing: validation fails"
        yield Problem("push-to-hub", message, f"{MODEL}.push_to_hub", "set it to false, or give the repo_id")


def _labels(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    place = dataset.column_place(layout.REWARD)
    values = dataset.columns.get(layout.REWARD)
    if values is None:
        change = f"label it with lerobot-grasp-relabel, or give annotations to {_TRAINER}"
        yield Problem("missing-column", "the dataset has no rewards, which are the labels", place, change)
        return
    if values.shape[1] != 1:
        message = f"{values.shape[1]} values per row, but LeRobot expects one"
        yield Problem("label-shape", message, place, "write it with shape (1,)", severity="error")
        return
    dtype = dataset.features[layout.REWARD].dtype if layout.REWARD in dataset.features else "float32"
    if not dataset.relabelled and not dtype.startswith("float"):
        message = f"its dtype is {dtype}, but the loss of LeRobot's classifier needs floats"
        yield Problem("reward-dtype", message, place, "relabel it, which writes float32")
    success = dataset.success
    if success is None:
        message = "the rewards have three values or more, and it is unknown which one is success"
        yield Problem("dense-rewards", message, place, "relabel it from annotations, or with --labels_from")
        return
    if success.all() or not success.any():
        message = f"every row is a {'success' if success.all() else 'failure'}, so nothing can be learned"
        yield Problem("one-class", message, place, "check the annotations, or add episodes of the other kind")
    odd = [value for value in np.unique(values).tolist() if value not in (0.0, 1.0)]
    if odd and not dataset.relabelled:
        shown = ", ".join(f"{value:g}" for value in odd[:6])
        message = f"rewards are {shown}: lerobot-train uses them as labels, but its loss needs 0 and 1"
        change = (
            f"train it with {_TRAINER}, which converts them to labels, or relabel it with the default values"
        )
        yield Problem("rewards-not-labels", message, place, change)
    if not dataset.relabelled and dataset.labels.get("alignment") == "next":
        message = "row t has the label of image t + 1, but a classifier uses image t"
        hint = "relabel with --alignment frame, or give annotations"
        yield Problem("alignment", message, dataset.root / layout.PROVENANCE_PATH, hint)


def _camera(
    facts: Facts, dataset: DatasetFacts, key: str, wanted: tuple[int, ...] | None
) -> Iterator[Problem]:
    if key not in dataset.cameras:
        message = f"reward_model.input_features needs {key}, but the cameras are {', '.join(dataset.cameras)}"
        yield Problem("missing-column", message, dataset.column_place(key), "use a camera of the dataset")
        return
    recorded = dataset.features[key].image_shape
    if recorded is None or wanted is None or facts.config.flag("dataset.image_transforms.enable", False):
        return
    given = (dataset.preprocessing or Preprocessing({}, None)).output(key, recorded)
    if given == wanted:
        return
    message = f"images of {as_text(recorded)} reach it as {as_text(given)}, but it expects {list(wanted)}"
    if dataset.preprocessing is not None:
        change = f"set the shape that {dataset.root / layout.LEARNING_PATH} produces"
        yield Problem("image-size", message, f"{MODEL}.input_features.{key}", change)
    else:
        message += " (with lerobot-train)"
        change = f"train it with {_TRAINER}, which resizes them"
        yield Problem("image-size", message, dataset.column_place(key), change, severity="note")
