"""Images are those of MuJoCo's own renderer, whatever is left out and whatever size comes next."""

import numpy as np
import pytest

SIZES = ((48, 48), (160, 96), (64, 128), (48, 48))


@pytest.mark.parametrize("view", ["wrist", "front"])
def test_images_are_those_of_mujoco(make_world, view):
    import mujoco

    from lerobot_grasp_plugin.sim.scene import camera_of

    world = make_world()
    random = np.random.default_rng(0)
    left_out = 0
    for width, height in SIZES:
        world.data.qpos[:6] = world.home + random.uniform(-0.5, 0.5, 6)
        mujoco.mj_forward(world.model, world.data)
        image = world.render(view, width, height)
        scene = world._renderer._scene
        left_out += sum(geom.type == mujoco.mjtGeom.mjGEOM_NONE for geom in scene.geoms[: scene.ngeom])
        world.model.vis.global_.offwidth, world.model.vis.global_.offheight = 160, 128
        renderer = mujoco.Renderer(world.model, height, width)
        renderer.update_scene(world.data, camera_of(view))
        expected = renderer.render().copy()
        renderer.close()
        world.model.vis.global_.offwidth = world.model.vis.global_.offheight = 64
        assert image.shape == (height, width, 3)
        assert image.flags.c_contiguous
        assert np.array_equal(image, expected)
    assert left_out > 10 or view == "front"


def test_a_wider_lens_sees_more_and_leaves_the_model_alone(make_world):
    world = make_world()

    def cube(fovy):
        image = world.render("wrist", 48, 48, fovy).astype(int)
        return int(((image[..., 0] > 2 * image[..., 1]) & (image[..., 0] > 60)).sum())

    world.data.qpos[6:9] = 0.2, 0.0, 0.0125
    world.go_home()
    usual = cube(None)
    assert 0 < cube(90.0) < usual / 2
    assert cube(None) == usual


def test_the_table_reaches_the_horizon(make_world):
    world = make_world()
    bottom = world.render("front", 64, 48)[-1]
    top = world.render("front", 64, 48)[0, [0, -1]]
    assert (bottom > 40).all()
    assert (top > 40).all()


def test_a_world_without_images_needs_no_gl(make_world):
    world = make_world()
    world.act(world.goal)
    assert world._renderer is None
