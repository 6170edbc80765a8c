import json
from types import SimpleNamespace

import pytest

pytest.importorskip("lerobot.rl")

from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, read_episode_log
from lerobot_grasp_plugin.learning.rl.run_lines import read_lines
from tests.support.file_schemas import violation

ACTS = SimpleNamespace(value="is_intervention")


def step(reward=0.0, *, done=False, truncated=False, acts=False):
    info = {ACTS: acts} if acts else {}
    return {"reward": reward, "done": done, "truncated": truncated, "info": info}


class Key:
    value = "is_intervention"


def test_an_episode_is_one_line_and_a_second_run_goes_on(tmp_path):
    path = tmp_path / "run/episodes.jsonl"
    truth = SimpleNamespace(held=False, grasped=False)
    ended = []
    log = EpisodeLog(path, lambda: truth, ended.append)
    log.episode_starts(None)
    log.stepped(None, {**step(), "info": {Key(): True}})
    truth.held = True
    log.stepped(None, step(1.0, done=True))
    log.episode_starts(None)
    truth.held = False
    log.stepped(None, step(1.0, truncated=True))
    first, second = read_episode_log(path)
    assert (first.steps, first.reward, first.rewarded, first.held) == (2, 1.0, True, True)
    assert (first.intervention_steps, first.false_reward) == (1, False)
    assert (second.episode, second.total_steps, second.false_reward, second.held) == (1, 3, True, False)
    assert [one.episode for one in ended] == [0, 1]
    later = EpisodeLog(path)
    later.episode_starts(None)
    later.stepped(None, step(done=True))
    third = list(read_episode_log(path))[2]
    assert (third.episode, third.total_steps, third.held, third.false_reward) == (2, 4, None, None)
    assert third.seconds >= second.seconds
    assert [violation(line, "episodes") for line in read_lines(path)] == [None] * 3


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    path = tmp_path / "episodes.jsonl"
    log = EpisodeLog(path)
    log.episode_starts(None)
    log.stepped(None, step(done=True))
    path.write_text(path.read_text() + json.dumps({"episode": 1})[:8])
    assert [one.episode for one in read_episode_log(path)] == [0]
    later = EpisodeLog(path)  # a line behind half a line would be lost with it
    later.episode_starts(None)
    later.stepped(None, step(done=True))
    assert [one.episode for one in read_episode_log(path)] == [0, 1]


def test_the_classifiers_probability_and_vetoes_are_kept(tmp_path):
    torch = pytest.importorskip("torch")
    head = torch.nn.Linear(1, 1)
    torch.nn.init.ones_(head.weight)
    torch.nn.init.zeros_(head.bias)
    classifier = SimpleNamespace(classifier_head=head)
    steps = [SimpleNamespace(), SimpleNamespace(reward_classifier=classifier)]
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    log.environment_built(None, None, SimpleNamespace(steps=steps), None)
    log.episode_starts(None)
    for logit in (0.0, 2.0, -1.0):
        head(torch.tensor([[logit]]))
        log.stepped(None, step())
    head(torch.tensor([[3.0]]))
    log.stepped(None, {**step(done=True), "info": {"vetoed_reward": 1.0}})
    log.episode_starts(None)
    log.stepped(None, {**step(done=True), "info": {"vetoed_reward": 0.0}})
    first, second = read_episode_log(tmp_path / "episodes.jsonl")
    assert (first.probability, first.highest_probability, first.vetoes) == (0.9526, 0.9526, 1)
    assert (second.probability, second.vetoes, second.reset) == (None, 0, None)
