"""Meshes are made lighter, not different."""

from itertools import pairwise

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.sim import scene


def box_of_triangles(steps):
    """A surface of many small triangles, 10 cm wide."""
    grid = np.linspace(0, 0.1, steps)
    triangles = []
    for x0, x1 in pairwise(grid):
        for y0, y1 in pairwise(grid):
            a, b, c, d = (x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)
            triangles += [(a, b, c), (a, c, d)]
    return np.array(triangles, dtype=np.float32)


def test_fewer_faces_and_the_same_extent():
    fine = box_of_triangles(200)
    vertices, faces = scene.simplify(fine)
    assert len(faces) < len(fine) / 5
    assert faces.min() == 0
    assert faces.max() < len(vertices)
    assert np.allclose(vertices.min(axis=0), 0, atol=1.5e-3)
    assert np.allclose(vertices[:, :2].max(axis=0), 0.1, atol=1.5e-3)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert area == pytest.approx(0.01, rel=0.08)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(scene, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"lerobot_grasp_plugin\[sim\]"):
        scene.arm_model()
