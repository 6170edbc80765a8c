"""Compares keys and shapes of the policy and the environment."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import is_image, shape_of
from lerobot_grasp_plugin.preflight.facts import Facts


def check_features(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``env_to_policy_features`` and ``make_policy``."""
    config = facts.config
    features, names = config.mapping("env.features"), config.mapping("env.features_map")
    outputs = config.mapping("policy.output_features")
    if "action" not in outputs:
        change = 'write "action": {"type": "ACTION", "shape": [...]}'
        yield Problem("feature-key", "action is missing", "policy.output_features", change)
    if not features:
        message = "it is empty, but the policy reads its action from it"
        yield Problem("feature-key", message, "env.features", "list the images, the state and the action")
        return
    given: dict[str, str] = {}
    for key in features:
        if key not in names:
            message = f"{key} of env.features is missing (a KeyError in LeRobot)"
            yield Problem(
                "feature-key", message, "env.features_map", f'add "{key}": the name the policy uses'
            )
        elif isinstance(names[key], str):
            given[names[key]] = key
    wanted = {**facts.inputs, **{key: outputs[key] for key in outputs if key == "action"}}
    for key, feature in wanted.items():
        block = "output" if key == "action" else "input"
        place = f"policy.{block}_features.{key}"
        if key not in given:
            if set(features) <= set(names):
                message = f"the environment has {', '.join(sorted(given))}"
                yield Problem(
                    "feature-key", message, place, f"add {key} to env.features and env.features_map"
                )
            continue
        own, theirs = shape_of(feature), shape_of(features[given[key]])
        if is_image(key, feature) and theirs is not None and len(theirs) == 3 and theirs[0] not in (1, 3, 4):
            theirs = (theirs[2], theirs[0], theirs[1])
        if own is not None and theirs is not None and own != theirs:
            message = f"shape is {list(own)}, but env.features.{given[key]} has {list(theirs)}"
            yield Problem("feature-shape", message, f"{place}.shape", "set the same shape in both")
    seen = {"action", *wanted, *(facts.classifier.image_features if facts.classifier is not None else ())}
    for key in given:
        if key not in seen and facts.inputs:
            message = f"the policy does not use {key}"
            change = "add it to policy.input_features, or remove it from env.features"
            yield Problem("feature-unused", message, f"env.features.{given[key]}", change)
    if facts.inputs and not facts.cameras and "observation.state" not in facts.inputs:
        message = "it has neither an image nor observation.state"
        yield Problem("feature-key", message, "policy.input_features", "add the inputs of the policy")
