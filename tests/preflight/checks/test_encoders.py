"""The vision encoder, and images that are large enough for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import CAMERA, IMAGES, Case, sound
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("random encoder, frozen", "encoder-frozen", "policy/freeze_vision_encoder", True, "warning")
planted("encoder in no folder", "encoder-missing", "policy/vision_encoder_name", "/no/such/encoder")
planted("encoder of no possible name", "encoder-missing", "policy/vision_encoder_name", "my encoder!")
plant("classifier whose encoder was left behind", "encoder-missing")(
    lambda case: case.classifier.update(model_name="/somewhere/else/encoder")
)


@plant("images too small for the encoder", "image-size classifier-image-size")
def _(case: Case) -> None:
    case.set(f"{IMAGES}/resize_size", [32, 32])
    case.learning["image_preprocessing"]["resize_size"] = [32, 32]
    for features in (case.config["policy"]["input_features"], case.config["env"]["features"]):
        features[CAMERA]["shape"] = [3, 32, 32]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_without_the_hub_an_encoder_has_to_be_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = sound(tmp_path)
    case.set("policy/vision_encoder_name", "lab/no-such")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = case.write()
    assert preflight(path).codes == {"encoder-missing"}
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert preflight(path).codes == {"encoder-not-local"}
