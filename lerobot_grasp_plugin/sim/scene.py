"""The arm's model on a table with a cube, light enough to be rendered without a GPU."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

CUBE_HALF = 0.0125
"""Half an edge of the cube, metres."""

_CELL = 0.002
_BUFFER = 64
"""Pixels of the offscreen buffer; a renderer enlarges it to the images it is asked for."""
_TILE = 0.5303
"""Metres between the points of the table at which its light is computed."""
_TABLE = 20 * _TILE
"""Half an edge of the table. MuJoCo draws an infinite plane as 40,000 tiles, longer than it draws the arm."""
_VIEWS = {"wrist": "wrist_cam", "front": "front_cam"}


def view_names() -> tuple[str, ...]:
    """What a camera of the scene may look from."""
    return tuple(_VIEWS)


def camera_of(view: str) -> str:
    """The model's name of a view."""
    return _VIEWS[view]


def arm_model() -> Path:
    """The arm's MJCF file, from the package that carries it.

    Raises:
        UsageError: The extra ``sim`` is not installed.
    """
    package = find_spec("so101_nexus")
    if package is None or not package.submodule_search_locations or find_spec("mujoco") is None:
        raise UsageError(
            Problem(
                "no-simulator",
                "the simulated SO101 needs MuJoCo and the arm's model, which are not installed",
                hint='pip install "lerobot_grasp_plugin[sim]"',
            )
        )
    return Path(package.submodule_search_locations[0]) / "assets/SO101_menagerie/so101.xml"


@cache
def build_scene() -> Any:
    """The compiled ``mujoco.MjModel``: arm, table, cube, two cameras. It is shared: never change it."""
    import mujoco

    path = arm_model()
    spec = mujoco.MjSpec.from_file(str(path))
    meshes = path.parent / "assets"
    seen = {geom.meshname for geom in spec.geoms if geom.meshname and geom.contype == 0}
    for mesh in spec.meshes:
        if (mesh.name or Path(mesh.file).stem) in seen:
            name = mesh.name or Path(mesh.file).stem
            vertices, faces = simplify(read_stl(meshes / mesh.file))
            mesh.name, mesh.file = name, ""
            mesh.uservert, mesh.userface = vertices.ravel(), faces.ravel()
    spec.visual.global_.offwidth, spec.visual.global_.offheight = _BUFFER, _BUFFER
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = 0
    spec.visual.headlight.ambient = [0.45, 0.45, 0.45]
    spec.visual.headlight.diffuse = [0.5, 0.5, 0.5]
    world = spec.worldbody
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[_TABLE, _TABLE, 1.0001 * _TILE],
        rgba=[0.62, 0.58, 0.52, 1],
    )
    world.add_light(pos=[0.3, -0.4, 1.2], dir=[-0.1, 0.4, -1.0], diffuse=[0.5, 0.5, 0.5])
    world.add_camera(name="front_cam", pos=[0.62, 0.0, 0.34], xyaxes=[0, 1, 0, -0.6, 0, 0.8], fovy=52)
    cube = world.add_body(name="cube", pos=[0.22, 0.0, CUBE_HALF])
    cube.add_freejoint(name="cube")
    cube.add_geom(
        name="cube",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[CUBE_HALF] * 3,
        mass=0.02,
        friction=[1.2, 0.03, 0.003],
        condim=4,
        solref=[0.01, 1],
        rgba=[0.85, 0.12, 0.1, 1],
    )
    return spec.compile()


def read_stl(path: Path) -> NDArray[np.float32]:
    """The triangles of a binary STL file, float32 (n, 3, 3), metres."""
    data = path.read_bytes()
    count = int.from_bytes(data[80:84], "little")
    triangle = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    corners: NDArray[np.float32] = np.frombuffer(data, triangle, count, 84)["corners"]
    return corners


def simplify(triangles: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The same shape in cells of 2 mm: rendering in software costs by the triangle.

    Args:
        triangles: Corners, float32 (n, 3, 3), metres.

    Returns:
        Vertices float64 (v, 3) and faces int32 (f, 3), counted from 0, each face once.
    """
    corners = triangles.reshape(-1, 3).astype(np.float64)
    _, cell_of, sizes = np.unique(
        np.round(corners / _CELL).astype(np.int64), axis=0, return_inverse=True, return_counts=True
    )
    cell_of = cell_of.reshape(-1)
    vertices = np.stack([np.bincount(cell_of, corners[:, k]) / sizes for k in range(3)], axis=1)
    faces = cell_of.reshape(-1, 3)
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (a != c)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return vertices, faces[np.sort(first)].astype(np.int32)
