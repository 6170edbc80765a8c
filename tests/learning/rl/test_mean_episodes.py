"""Episodes in which LeRobot's policy acts by its mean."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lerobot.rl")


@pytest.fixture
def policy():
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies.gaussian_actor.configuration_gaussian_actor import GaussianActorConfig
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy

    torch.manual_seed(0)
    config = GaussianActorConfig(
        input_features={"observation.state": PolicyFeature(FeatureType.STATE, (3,))},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        num_discrete_actions=3,
        latent_dim=8,
        device="cpu",
    )
    return GaussianActorPolicy(config)


def test_a_share_of_the_episodes_is_without_exploration(policy, tmp_path):
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy

    from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, read_episodes
    from lerobot_grasp_plugin.learning.rl.mean_episodes import MeanEpisodes
    from lerobot_grasp_plugin.lerobot_seams.environment import follow_environment, leave_environment

    batch = {"observation.state": torch.tensor([[0.1, -0.2, 0.3]])}
    _, _, mean = policy.actor(batch)
    lerobots = GaussianActorPolicy.select_action
    episodes = MeanEpisodes(0.4, first_episode=5)
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    follow_environment(log)
    repeats = []
    try:
        with episodes.acting():
            for _ in range(10):
                episodes.episode_starts(None)
                log.episode_starts(None)
                actions = [policy.select_action(batch=batch) for _ in range(3)]
                repeats.append(all(torch.equal(action, actions[0]) for action in actions))
                assert {action.shape for action in actions} == {(1, 3)}
                if repeats[-1]:
                    assert torch.equal(actions[0][:, :2], torch.tanh(mean))
                    assert actions[0][0, 2] == policy.discrete_critic(batch).argmax()
                log.stepped(None, {"reward": 0.0, "done": True})
    finally:
        leave_environment(log)
    assert repeats == [False, False, True, False, True] * 2
    assert [one.by_mean for one in read_episodes(Path(tmp_path / "episodes.jsonl"))] == repeats
    assert GaussianActorPolicy.select_action is lerobots


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, [False] * 4), (1.0, [True] * 4), (0.5, [False, True] * 2)]
)
def test_the_episodes_of_a_share_are_evenly_spread(share, expected):
    from lerobot_grasp_plugin.learning.rl.mean_episodes import BY_MEAN, MeanEpisodes

    episodes, found = MeanEpisodes(share, first_episode=0), []
    for _ in range(4):
        episodes.episode_starts(None)
        found.append(episodes.notes()[BY_MEAN])
    assert found == expected
