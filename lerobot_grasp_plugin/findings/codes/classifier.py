"""Codes of reward classifiers: training, checkpoints, images they see."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, NOTE, WARNING, Code, Family

CLASSIFIER = Family(
    "Reward classifiers and learning",
    (
        Code("bad-crop", "A crop is not top, left, height and width in pixels.", ERROR),
        Code("bad-fractions", "Fractions of a split do not sum to 1.", ERROR),
        Code("bad-preprocessing", "image_preprocessing has an unknown form.", ERROR),
        Code("bad-record", "The record of a classifier's training cannot be read.", ERROR),
        Code("bad-resize", "The size to resize to is not height and width.", ERROR),
        Code("camera-count", "num_cameras differs from the number of cameras.", ERROR),
        Code("class-count", "The classifier does not have two classes.", ERROR),
        Code("classifier-camera", "The classifier and the environment have different cameras.", ERROR),
        Code("classifier-crop", "The classifier was trained with another crop.", ERROR),
        Code("classifier-image-size", "The classifier was trained on images of another size.", ERROR),
        Code("classifier-missing", "The checkpoint of the classifier is missing.", ERROR),
        Code("classifier-normaliser", "The classifier was trained on normalised images.", WARNING),
        Code("classifier-not-local", "The classifier is not on this machine.", NOTE),
        Code("classifier-type", "The checkpoint is not of a reward classifier.", ERROR),
        Code("classifier-unreadable", "The checkpoint of the classifier cannot be read.", ERROR),
        Code("empty-split", "A split has no episodes.", ERROR),
        Code("lost-frames", "Frames were recorded without the recorder.", ERROR),
        Code("model-type", "The reward model is not a reward classifier.", ERROR),
        Code("no-camera", "The dataset has no camera.", ERROR),
        Code("no-checkpoint", "A folder has no checkpoint that can be loaded.", ERROR),
        Code("no-classifier", "No classifier is given.", ERROR),
        Code("no-frame-cache", "The dataset has no frame cache.", ERROR),
        Code("no-learning", "The packages for learning are not installed.", ERROR),
        Code("not-opened", "LeRobot cannot open the dataset.", ERROR),
        Code("not-recording", "The dataset is not being recorded.", ERROR),
        Code("other-shape", "reward_model.input_features has another shape than the images.", ERROR),
        Code("refused-by-lerobot", "LeRobot refuses the config.", ERROR),
        Code("rows-apart", "The rows of an episode are not contiguous.", ERROR),
        Code("several-sizes", "Cameras of one classifier have several sizes.", ERROR),
        Code("success-threshold", "success_threshold is not between 0 and 1.", ERROR),
        Code("unknown-crop", "It is unknown how training images were cropped.", WARNING),
        Code("unknown-seam", "This version of LeRobot differs from the supported one.", ERROR),
        Code("unknown-split", "No split has that name.", ERROR),
        Code("unreadable-item", "An item of the dataset cannot be read.", ERROR, fix="lerobot-grasp-verify"),
        Code("unsupported-model", "This type of reward model cannot be trained or used here.", ERROR),
        Code("unsupported-storage", "The dataset is not stored in parquet files.", ERROR),
        Code("wrong-map", "The encoder's output does not fit LeRobot's head.", ERROR),
    ),
)
