"""What images a small encoder learns from."""

from __future__ import annotations

import pytest
import torch

from lerobot_grasp_plugin.learning.classifier.small_encoder import augmented


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(5, 3, 32, 32), (4, 1, 24, 48), (1, 3, 40, 20)])
def test_images_keep_their_shape_and_range_and_the_generator_decides(shape):
    images = torch.rand(shape, generator=seeded(1))
    made = augmented(images, seeded())
    assert made.shape == images.shape
    assert made.dtype == torch.float32
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert torch.equal(made, augmented(images, seeded()))
    assert not torch.equal(made, augmented(images, seeded(2)))


def test_each_image_is_varied_by_itself():
    one = torch.rand(1, 3, 32, 32, generator=seeded(1))
    made = augmented(one.expand(6, 3, 32, 32), seeded())
    assert all(not torch.equal(made[0], other) for other in made[1:])


def test_what_is_there_stays_in_the_image():
    # a bright square in the middle, a sixth of the image wide
    images = torch.zeros(200, 3, 60, 60)
    images[:, :, 25:35, 25:35] = 1.0
    made = augmented(images, seeded()).mean(dim=1)
    bright = made > 0.5
    rows, columns = torch.arange(60.0).reshape(1, -1, 1), torch.arange(60.0).reshape(1, 1, -1)
    area = bright.sum(dim=(1, 2))
    whole = area > 60
    assert whole.float().mean() > 0.75  # the others have it hidden in part
    for axis in (rows, columns):
        centre = ((axis * bright).sum(dim=(1, 2)) / area.clamp(min=1))[whole]
        assert float((centre - 29.5).abs().max()) < 60 * 0.1 / 0.85 + 3
        assert float(centre.std()) > 2
    assert float(area[whole].float().std()) > 5  # nearer and farther


def test_of_every_other_image_a_square_is_hidden():
    made = augmented(torch.full((400, 3, 30, 30), 0.9), seeded())
    hidden = (made == 0).all(dim=1).float().mean(dim=(1, 2))
    assert 0.4 < float((hidden > 0).float().mean()) < 0.6
    assert float(hidden.max()) == pytest.approx(0.09, abs=0.03)
