"""Checks the image encoder of the policy or of a reward classifier."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lerobot_grasp_plugin.dataset.hub import is_offline
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.classifier_facts import PATH_KEY
from lerobot_grasp_plugin.preflight.config_view import is_file, is_folder, shape_of
from lerobot_grasp_plugin.preflight.facts import Facts

_NAME = {"policy": "policy.vision_encoder_name", "reward_model": "reward_model.model_name"}
_CLASSIFIERS = "lerobot/resnet10"
"""The encoder of LeRobot's classifier if its config names none."""
_SMALLEST = 39
"""Pixels that the four convolutions of LeRobot's ``DefaultImageEncoder`` need."""


def check_encoders(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``GaussianActorObservationEncoder`` and ``Classifier``."""
    where = _NAME[facts.model]
    name = facts.config.text(where)
    if facts.model == "reward_model" and not facts.config.flag("make_encoder", False):
        yield from _present(where, name or _CLASSIFIERS)
    elif facts.model == "policy" and facts.cameras:
        if name is not None:
            yield from _present(where, name)
        else:
            yield from _untrained(facts)
        yield from _sizes(facts)
    if facts.classifier is not None:
        named = facts.classifier.config.get("model_name")
        yield from _present(PATH_KEY, named if isinstance(named, str) else _CLASSIFIERS, " of the classifier")


def _present(where: str, name: str, whose: str = "") -> Iterator[Problem]:
    """Checks whether transformers will find an encoder: in a folder, in its cache, or on the Hub."""
    if is_folder(Path(name)):
        if not is_file(Path(name) / "config.json"):
            message = f"the folder of the encoder{whose}, {name!r}, has no config.json"
            yield Problem("encoder-missing", message, where, "give the folder of a transformers model")
        return
    if name.count("/") > 1 or name.startswith((".", "/", "~", "outputs/")):
        message = f"the folder {name!r} of the encoder{whose} does not exist"
        change = "give the encoder's folder"
        if whose:
            change = 'write it into "model_name" of the classifier\'s config.json'
        yield Problem("encoder-missing", message, where, change)
        return
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        message = f"the encoder{whose}, {name!r}, is neither a folder on this machine nor a name on the Hub"
        yield Problem("encoder-missing", message, where, "give a folder, or a name such as lerobot/resnet10")
        return
    if isinstance(cached, str):
        return
    message = f"the encoder{whose}, {name!r}, is not in the cache of this machine"
    change = f"download it while online: hf download {name}"
    if is_offline() or os.environ.get("TRANSFORMERS_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        yield Problem(
            "encoder-missing", message + ", and the Hub is switched off (HF_HUB_OFFLINE)", where, change
        )
    else:
        yield Problem(
            "encoder-not-local", message + ": it is downloaded from the Hub at the start", where, change
        )


def _untrained(facts: Facts) -> Iterator[Problem]:
    """Checks LeRobot's own small encoder, which starts with random weights."""
    where = "policy.freeze_vision_encoder"
    if facts.config.flag(where, True):
        message = (
            "is true, but without policy.vision_encoder_name the encoder is random and would stay random"
        )
        yield Problem("encoder-frozen", message, where, "set it to false, or name a pretrained encoder")
    for key, feature in facts.cameras.items():
        shape = shape_of(feature)
        if shape is not None and len(shape) == 3 and min(shape[1:]) < _SMALLEST:
            message = f"shape {list(shape)} is too small for LeRobot's encoder, which shrinks it four times"
            change = f"use at least {_SMALLEST} pixels, for example 128"
            yield Problem("image-size", message, f"policy.input_features.{key}", change)


def _sizes(facts: Facts) -> Iterator[Problem]:
    shapes = {key: shape_of(feature) for key, feature in facts.cameras.items()}
    if len(set(shapes.values())) > 1:
        message = ", ".join(f"{key}: {list(shape)}" for key, shape in shapes.items() if shape is not None)
        change = "give all cameras one shape: LeRobot encodes them in one batch"
        yield Problem(
            "image-size", f"cameras have different shapes: {message}", "policy.input_features", change
        )
