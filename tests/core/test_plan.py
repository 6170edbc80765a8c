"""Numbers of an output, decided before it is written."""

from __future__ import annotations

from lerobot_grasp_plugin.core.plan import ChosenEpisode, plan_merge


def chosen(*episodes: tuple[int, int, int, int]) -> list[ChosenEpisode]:
    return [ChosenEpisode(*episode) for episode in episodes]


def test_indices_follow_one_another() -> None:
    plan = plan_merge(
        chosen((0, 3, 5, 1), (0, 1, 2, 1), (1, 0, 4, 1)), [{0: "a"}, {0: "a"}], max_data_bytes=100
    )
    assert [(e.episode_index, e.source, e.source_episode) for e in plan.episodes] == [
        (0, 0, 3),
        (1, 0, 1),
        (2, 1, 0),
    ]
    assert [(e.from_index, e.to_index) for e in plan.episodes] == [(0, 5), (5, 7), (7, 11)]
    assert plan.total_frames == 11


def test_data_files_stay_below_their_size() -> None:
    sizes = [40, 40, 40, 200, 10, 89, 1]
    plan = plan_merge(
        chosen(*((0, n, 1, size) for n, size in enumerate(sizes))), [{0: "a"}], max_data_bytes=100
    )
    assert [episode.data_file for episode in plan.episodes] == [0, 0, 1, 2, 3, 3, 4]


def test_an_episode_larger_than_a_file_has_one_of_its_own() -> None:
    plan = plan_merge(chosen((0, 0, 1, 500), (0, 1, 1, 500)), [{0: "a"}], max_data_bytes=100)
    assert [episode.data_file for episode in plan.episodes] == [0, 1]


def test_tasks_are_the_union_in_order_of_appearance() -> None:
    tasks = [{1: "place", 0: "pick"}, {0: "push", 5: "pick"}, {0: "same", 1: "same"}]
    plan = plan_merge(chosen((0, 0, 1, 1)), tasks, max_data_bytes=1)
    assert plan.tasks == ("pick", "place", "push", "same")
    assert plan.task_maps == [{0: 0, 1: 1}, {0: 2, 5: 0}, {0: 3, 1: 3}]


def test_runs_break_where_source_or_file_changes() -> None:
    episodes = chosen((0, 0, 1, 60), (0, 4, 1, 10), (1, 0, 1, 10), (0, 1, 1, 10), (0, 2, 1, 60))
    plan = plan_merge(episodes, [{0: "a"}, {0: "a"}], max_data_bytes=100)
    runs = [[(e.source, e.source_episode) for e in run] for run in plan.runs()]
    assert runs == [[(0, 0), (0, 4)], [(1, 0)], [(0, 1)], [(0, 2)]]


def test_a_plan_of_nothing() -> None:
    plan = plan_merge([], [], max_data_bytes=1)
    assert plan.total_frames == 0
    assert list(plan.runs()) == []
    assert plan.tasks == ()
