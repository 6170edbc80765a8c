"""Renders the simulated scene: one GL context for every size, and only objects in view are drawn."""

from __future__ import annotations

import os
from ctypes.util import find_library
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SceneRenderer:
    """Renders a model's cameras; its images are those of ``mujoco.Renderer``."""

    def __init__(self, model: Any) -> None:
        """Args:
        model: The compiled ``mujoco.MjModel``.
        """
        use_gl_that_is_there()
        import mujoco

        self._mujoco = mujoco
        self._model = model
        self._size = int(model.vis.global_.offwidth), int(model.vis.global_.offheight)
        self._gl = mujoco.GLContext(*self._size)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + model.nsite)
        self._options = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED

    def image(
        self, data: Any, camera: str, width: int, height: int, fovy: float | None = None
    ) -> NDArray[np.uint8]:
        """What a camera sees now, RGB, uint8 (height, width, 3).

        Args:
            data: The ``mujoco.MjData`` of the model.
            camera: Its name in the model.
            width: Pixels.
            height: Pixels.
            fovy: Vertical field of view, degrees; None for the model's.
        """
        lenses, number = self._model.cam_fovy, self._model.camera(camera).id
        built = float(lenses[number])
        lenses[number] = built if fovy is None else fovy
        try:
            return self._image(data, number, width, height)
        finally:
            lenses[number] = built

    def _image(self, data: Any, camera: int, width: int, height: int) -> NDArray[np.uint8]:
        mujoco = self._mujoco
        self._gl.make_current()
        if width > self._size[0] or height > self._size[1]:
            self._size = max(width, self._size[0]), max(height, self._size[1])
            mujoco.mjr_resizeOffscreen(*self._size, self._context)
        self._camera.fixedcamid = camera
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, everything, self._scene)
        self._leave_out(self._outside(data, camera, width / height))
        area = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(area, self._scene, self._context)
        upside_down = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(upside_down, None, area, self._context)
        return np.ascontiguousarray(upside_down[::-1])

    def _outside(self, data: Any, camera: int, aspect: float) -> NDArray[np.bool_]:
        """Which geoms lie wholly outside of what a camera sees, by their bounding spheres: bool (ngeom,)."""
        radius = self._model.geom_rbound
        rotation = data.cam_xmat[camera].reshape(3, 3)
        right, up, back = ((data.geom_xpos - data.cam_xpos[camera]) @ rotation).T
        outside: NDArray[np.bool_] = back > radius
        slope_up = np.tan(np.radians(self._model.cam_fovy[camera]) / 2)
        for sideways, slope in ((right, slope_up * aspect), (up, slope_up)):
            outside |= np.abs(sideways) + slope * back > radius * np.hypot(1.0, slope)
        outside &= radius > 0  # a plane has no bounding sphere
        return outside

    def _leave_out(self, outside: NDArray[np.bool_]) -> None:
        is_geom, nothing = self._mujoco.mjtObj.mjOBJ_GEOM, self._mujoco.mjtGeom.mjGEOM_NONE
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == is_geom and outside[geom.objid]:
                geom.type = nothing

    def close(self) -> None:
        """Give the GL context back."""
        self._gl.make_current()
        self._context.free()
        self._gl.free()


def use_gl_that_is_there() -> None:
    """Render without a window on Linux: by EGL, or in software where there is none.

    ``MUJOCO_GL`` decides where it is set. Software rasterizes in the calling thread, because the threads of
    a pool wait for each other longer than a small image takes; ``LP_NUM_THREADS`` decides where it is set.
    """
    if os.uname().sysname == "Linux":
        os.environ.setdefault("MUJOCO_GL", "egl" if find_library("EGL") else "osmesa")
        os.environ.setdefault("LP_NUM_THREADS", "0")
