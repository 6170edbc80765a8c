"""LeRobot's trainer with what this package adds to it, on LeRobot's own SAC."""

import threading
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lerobot.rl")


@pytest.fixture
def training():
    """What LeRobot's trainer is made of: a small policy, an online and an offline buffer."""
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies import make_pre_post_processors
    from lerobot.policies.gaussian_actor.configuration_gaussian_actor import GaussianActorConfig
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy
    from lerobot.rl.algorithms.sac import SACAlgorithm, SACAlgorithmConfig
    from lerobot.rl.buffer import ReplayBuffer
    from lerobot.rl.data_sources import OnlineOfflineMixer

    torch.manual_seed(0)
    config = GaussianActorConfig(
        input_features={"observation.state": PolicyFeature(FeatureType.STATE, (3,))},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        num_discrete_actions=3,
        latent_dim=8,
        device="cpu",
        dataset_stats={
            "observation.state": {"min": [-1.0] * 3, "max": [1.0] * 3},
            "action": {"min": [-1.0] * 2, "max": [1.0] * 2},
        },
    )
    policy = GaussianActorPolicy(config)
    algorithm = SACAlgorithm(policy, SACAlgorithmConfig.from_policy_config(config))
    algorithm.make_optimizers_and_scheduler()
    preprocessor, _ = make_pre_post_processors(policy_cfg=config, dataset_stats=config.dataset_stats)
    online, offline = (
        ReplayBuffer(50, device="cpu", state_keys=["observation.state"], use_drq=False) for _ in range(2)
    )
    for buffer in (online, offline):
        for _ in range(50):
            state = {"observation.state": torch.rand(1, 3)}
            action = torch.tensor([[0.5, -0.5, 1.0]])
            buffer.add(state, action, 1.0, state, done=False, truncated=False)
    return {
        "algorithm": algorithm,
        "data_mixer": OnlineOfflineMixer(online, offline, online_ratio=0.5),
        "batch_size": 16,
        "preprocessor": preprocessor,
    }


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).clone()


def test_the_actor_follows_the_critics_from_critic_steps_on(training):
    from lerobot.rl.trainer import RLTrainer

    from lerobot_grasp_plugin.learning.rl.trainer import TrainerFactory, TrainerSettings

    watch = SimpleNamespace(follow=lambda algorithm: None, updated=lambda algorithm, stats: None)
    trainer = TrainerFactory(RLTrainer, TrainerSettings(critic_steps=3), watch, resumed=False)(**training)
    algorithm = training["algorithm"]
    actor, critics = weights(algorithm.policy.actor.mean_layer), weights(algorithm.critic_ensemble)
    temperature = algorithm.temperature
    for _ in range(3):
        trainer.training_step()
    assert torch.equal(weights(algorithm.policy.actor.mean_layer), actor)
    assert algorithm.temperature == temperature
    assert not torch.equal(weights(algorithm.critic_ensemble), critics)
    trainer.training_step()
    assert not torch.equal(weights(algorithm.policy.actor.mean_layer), actor)
    assert algorithm.temperature != temperature


def test_a_resumed_run_has_the_settings_that_its_checkpoint_has_not(tmp_path):
    from lerobot_grasp_plugin.learning.rl.trainer import TrainerSettings

    assert TrainerSettings(bc_steps=3).resumed(tmp_path) == TrainerSettings(bc_steps=3)
    saved = {"bc_ratio": 1.5, "critic_steps": 50, "image_shift": 2}
    TrainerSettings(bc_steps=2000, **saved).save(tmp_path)
    assert TrainerSettings().resumed(tmp_path) == TrainerSettings(bc_steps=0, **saved)
    for given in ({"bc_ratio": 0.0}, {"critic_steps": 0}, {"image_shift": 0}):
        assert TrainerSettings(**given).resumed(tmp_path) == TrainerSettings(**saved | given)


@pytest.mark.parametrize("content", ["", "[1]", '{"speed": 1}'])
def test_settings_that_cannot_be_read_are_an_error_with_their_file(tmp_path, content):
    from lerobot_grasp_plugin.findings.problem import DataError
    from lerobot_grasp_plugin.learning.rl.trainer import SETTINGS, TrainerSettings

    (tmp_path / SETTINGS).write_text(content)
    with pytest.raises(DataError, match=SETTINGS):
        TrainerSettings().resumed(tmp_path)


def test_a_signal_ends_the_behaviour_cloning_before_the_first_update():
    from lerobot_grasp_plugin.learning.rl.cloning import Cloning

    cloning, ending, steps = Cloning.__new__(Cloning), threading.Event(), []

    def step():
        steps.append(len(steps))
        if len(steps) == 3:
            ending.set()
        return 0.5

    cloning.step = step
    assert cloning.run(100, ending.is_set) == 0.5
    assert len(steps) == 3
