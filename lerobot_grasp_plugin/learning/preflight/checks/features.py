"""Keys and shapes between the policy and the environment."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.learning.preflight.config_view import is_image, shape_of
from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error, note


def check_features(facts: Facts) -> Iterator[Finding]:
    """Source of the rules: ``env_to_policy_features`` and ``make_policy``."""
    config = facts.config
    features, names = config.mapping("env.features"), config.mapping("env.features_map")
    outputs = config.mapping("policy.output_features")
    if "action" not in outputs:
        change = 'write "action": {"type": "ACTION", "shape": [...]}'
        yield error("feature-key", "policy.output_features", "there is no action", change)
    if not features:
        message = "it is empty, and the policy takes its action from it"
        yield error("feature-key", "env.features", message, "list the pictures, the state and the action")
        return
    given: dict[str, str] = {}
    for key in features:
        if key not in names:
            message = f"{key} of env.features is not in it (a KeyError in LeRobot)"
            yield error("feature-key", "env.features_map", message, f'add "{key}": the name the policy uses')
        elif isinstance(names[key], str):
            given[names[key]] = key
    wanted = {**facts.inputs, **{key: outputs[key] for key in outputs if key == "action"}}
    for key, feature in wanted.items():
        block = "output" if key == "action" else "input"
        place = f"policy.{block}_features.{key}"
        if key not in given:
            if set(features) <= set(names):
                message = f"the environment gives {', '.join(sorted(given))}"
                yield error("feature-key", place, message, f"add {key} to env.features and env.features_map")
            continue
        own, theirs = shape_of(feature), shape_of(features[given[key]])
        if is_image(key, feature) and theirs is not None and len(theirs) == 3 and theirs[0] not in (1, 3, 4):
            theirs = (theirs[2], theirs[0], theirs[1])
        if own is not None and theirs is not None and own != theirs:
            message = f"shape {list(own)}, and env.features.{given[key]} has {list(theirs)}"
            yield error("feature-shape", f"{place}.shape", message, "write the same shape in both")
    seen = {"action", *wanted, *(facts.classifier.image_features if facts.classifier is not None else ())}
    for key in given:
        if key not in seen and facts.inputs:
            message = f"the policy does not look at {key}"
            change = "add it to policy.input_features, or take it out of env.features"
            yield note("feature-unused", f"env.features.{given[key]}", message, change)
    if facts.inputs and not facts.cameras and "observation.state" not in facts.inputs:
        message = "neither a picture nor observation.state is among them"
        yield error("feature-key", "policy.input_features", message, "add what the policy is to look at")
