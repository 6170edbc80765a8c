"""Compares the reward classifier with the environment's images."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.checks.images import CROPS, camera_name, camera_shape
from lerobot_grasp_plugin.preflight.classifier_facts import PATH_KEY, RECORD, ClassifierFacts
from lerobot_grasp_plugin.preflight.config_view import shape_of
from lerobot_grasp_plugin.preflight.facts import Facts
from lerobot_grasp_plugin.preflight.image_shapes import Preprocessing, as_text, crop_text

_WEIGHTS = "model.safetensors"
_NOTHING = Preprocessing({}, None)


def check_classifier(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``RewardClassifierProcessorStep`` and ``Classifier.predict_reward``."""
    classifier = facts.classifier
    if classifier is None:
        return
    config_file = str(classifier.root / "config.json")
    kind = classifier.config.get("type")
    if kind not in (None, "reward_classifier"):
        message = f"the checkpoint has type {kind!r}"
        yield Problem("classifier-type", message, PATH_KEY, "give a checkpoint of type reward_classifier")
    if not (classifier.root / _WEIGHTS).is_file():
        message = f"{_WEIGHTS} is missing next to config.json: the actor cannot load it"
        yield Problem("classifier-unreadable", message, classifier.root, "copy the whole checkpoint")
    classes = classifier.config.get("num_classes", 2)
    if classes != 2:
        message = f"it has {classes} classes, but success_threshold applies to one of two"
        yield Problem("class-count", message, config_file, "train a classifier of two classes")
    cameras = facts.config.mapping("env.robot.cameras")
    given = {f"observation.images.{name}" for name in cameras} or set(facts.cameras)
    for key in classifier.image_features:
        if key not in given:
            message = f"it uses {key}, but the environment has {', '.join(sorted(given)) or 'no images'}"
            yield Problem("classifier-camera", message, PATH_KEY, "train it on the environment's cameras")
    count = classifier.config.get("num_cameras")
    if isinstance(count, int) and count != len(classifier.image_features):
        message = f"num_cameras is {count}, but input_features has {len(classifier.image_features)} images"
        yield Problem(
            "classifier-camera",
            message,
            config_file,
            "train it with num_cameras set to the number of cameras",
        )
    for key, feature in classifier.image_features.items():
        if key in given:
            yield from _image(facts, classifier, key, shape_of(feature))
    for key, stats in classifier.image_stats.items():
        highest = max((max(values) for values in stats.values()), default=0.0)
        if highest > 1.5:
            message = (
                f"it was trained with statistics of {key} up to {highest:g}, that is, on images in 0-255; "
            )
            message += "the environment's are in 0-1"
            yield Problem("image-range", message, classifier.root, "retrain it on images in 0-1")
    if classifier.normalises or classifier.image_stats:
        message = "it was trained on normalised images, but LeRobot skips the saved normaliser "
        message += "in the environment: probabilities differ"
        change = "train with normalization_mapping VISUAL: IDENTITY (lerobot-grasp-train-classifier does)"
        yield Problem("classifier-normaliser", message, classifier.root, change)
    if classifier.value_range not in (None, (0.0, 1.0)):
        message = (
            f"it was trained on images in {list(classifier.value_range or ())}, the environment's are in "
        )
        message += "[0.0, 1.0]"
        yield Problem("image-range", message, classifier.root / RECORD, "retrain it on images in 0-1")


def _image(
    facts: Facts, classifier: ClassifierFacts, key: str, trained: tuple[int, ...] | None
) -> Iterator[Problem]:
    environment = facts.environment or _NOTHING
    camera = camera_shape(facts, key) or shape_of(facts.cameras.get(key))
    if camera is not None and trained is not None and len(camera) == 3:
        shown = environment.output(key, (camera[0], camera[1], camera[2]))
        if shown != trained:
            message = f"it was trained on {key} of shape {list(trained)}, the environment's has {list(shown)}"
            change = f"set resize_size to {list(trained[1:])}, or train it on the environment's size"
            yield Problem("classifier-image-size", message, PATH_KEY, change)
    record = classifier.preprocessing
    if record is None:
        yield from _without_record(classifier, key, environment)
        return
    if record.crops.get(key) != environment.crops.get(key):
        message = (
            f"{crop_text(environment.crops.get(key))} of {camera_name(key)}, but the classifier was trained "
        )
        message += f"with {crop_text(record.crops.get(key))} ({classifier.preprocessing_from})"
        yield Problem("classifier-crop", message, f"{CROPS}.{key}", "use one crop, or retrain it")


def _without_record(classifier: ClassifierFacts, key: str, environment: Preprocessing) -> Iterator[Problem]:
    """LeRobot's training uses images as stored, and only resizes them."""
    crop, stored = environment.crops.get(key), classifier.whole_images.get(key)
    if crop is None or stored is None or stored[1:] == crop[2:] or stored[1:] == environment.resize:
        return
    message = f"{crop_text(crop)} of {camera_name(key)}, but the classifier was trained on whole images of "
    message += as_text(stored)
    change = "train it with this crop (lerobot-grasp-train-classifier --image_preprocessing)"
    yield Problem("classifier-crop", message, f"{CROPS}.{key}", change)
