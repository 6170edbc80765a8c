"""Behaviour cloning on LeRobot's own policy and buffer."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lerobot.rl")


def test_the_policy_comes_to_do_what_the_buffer_did():
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies import make_pre_post_processors
    from lerobot.policies.gaussian_actor.configuration_gaussian_actor import GaussianActorConfig
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy
    from lerobot.rl.buffer import ReplayBuffer

    from lerobot_grasp_plugin.learning.rl.cloning import Cloning, CloningTrainer

    torch.manual_seed(0)
    config = GaussianActorConfig(
        input_features={"observation.state": PolicyFeature(FeatureType.STATE, (3,))},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        num_discrete_actions=3,
        latent_dim=32,
        device="cpu",
        dataset_stats={
            "observation.state": {"min": [-1.0] * 3, "max": [1.0] * 3},
            "action": {"min": [-1.0] * 2, "max": [1.0] * 2},
        },
    )
    policy = GaussianActorPolicy(config)
    preprocessor, _ = make_pre_post_processors(policy_cfg=config, dataset_stats=config.dataset_stats)
    buffer = ReplayBuffer(400, device="cpu", state_keys=["observation.state"], use_drq=False)
    for _ in range(400):
        state = torch.rand(1, 3) * 2 - 1
        command = torch.round(state[:, 2:] + 1)
        action = torch.cat([state[:, :2] * 0.8, command], dim=1)
        moved = {"observation.state": state}
        buffer.add(moved, action, 0.0, moved, done=False, truncated=False)
    cloning = Cloning(policy, buffer, preprocessor, batch_size=64, learning_rate=1e-3)
    before = cloning.run(20)
    after = cloning.run(300)
    assert after < before / 3
    state = torch.tensor([[0.5, -0.5, 0.9], [-0.5, 0.5, -0.9]])
    batch = preprocessor.process_observation({"observation.state": state})
    _, _, mean = policy.actor(batch)
    assert torch.allclose(torch.tanh(mean), state[:, :2] * 0.8, atol=0.15)
    assert policy.discrete_critic(batch).argmax(dim=1).tolist() == [2, 0]
    assert policy.actor.encoder_is_shared

    def update():
        return SimpleNamespace(losses={"loss_critic": 1.0})

    updates = SimpleNamespace(training_step=update, batch_size=64)
    trainer = CloningTrainer(updates, cloning, ratio=0.5)
    cloned = ["loss_bc" in trainer.training_step().losses for _ in range(6)]
    assert cloned == [False, True] * 3
    assert trainer.batch_size == 64
