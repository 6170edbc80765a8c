"""Lists episodes that cannot be read, with reasons, and hints how to use the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import EPISODES, DatasetError, Place, Problem, the_episodes
from lerobot_grasp_plugin.findings.words import agree, all_but, count

MAX_UNLISTED = 1_000_000
"""Maximum number of missing episodes; more mean a wrong number, not a loss."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an episode cannot be read.

    Attributes:
        code: The finding's code.
        text: The error, to follow ``episode 7: ``.
        place: The file with the error.
    """

    code: str
    text: str
    place: Place | Path


class LostEpisodesError(DatasetError):
    """Chosen episodes cannot be read.

    Attributes:
        lost: The reasons, by ``episode_index``; empty if the error was made from problems or text.
    """

    lost: Mapping[int, Reason] = MappingProxyType({})


def lost_error(lost: Mapping[int, Reason], *, others: bool = True) -> LostEpisodesError:
    """The error that names lost episodes, as ``loss_problems`` does."""
    error = LostEpisodesError(loss_problems(lost, others=others))
    error.lost = lost
    return error


def refuse_lost(lost: Mapping[int, Reason], episodes: Iterable[int]) -> None:
    """Refuses episodes that cannot be read.

    Args:
        lost: The dataset's lost episodes, by ``episode_index``.
        episodes: The chosen ones.

    Raises:
        LostEpisodesError: Some of them are lost; it names all of these.
    """
    asked = list(episodes)
    if lost and (chosen := {episode: lost[episode] for episode in asked if episode in lost}):
        raise lost_error(chosen, others=len(chosen) < len(asked))


def loss_problems(lost: Mapping[int, Reason], *, others: bool = True) -> list[Problem]:
    """One problem for each reason, with its episodes, and the selection that leaves all of them out.

    Args:
        lost: The lost episodes, by ``episode_index``.
        others: Whether any episode is left to use.
    """
    alike: dict[Reason, list[int]] = {}
    hint = way_out(lost) if others else ""
    for episode, reason in lost.items():
        alike.setdefault(reason, []).append(episode)
    return [
        Problem(
            reason.code, f"{EPISODES}: {reason.text}", reason.place, hint, episodes=the_episodes(episodes)
        )
        for reason, episodes in alike.items()
    ]


def way_out(episodes: Iterable[int]) -> str:
    """The hint how to use the other episodes."""
    return f'to use the others: episodes: "{all_but(episodes)}" (lerobot-grasp-merge, lerobot-grasp-frames)'


def missing_files(lost: Mapping[Path, Iterable[int]], total: int, what: str) -> list[Problem]:
    """The findings for missing files of episodes.

    Args:
        lost: Missing path -> the chosen episodes in it.
        total: Number of chosen episodes.
        what: The kind of files, such as ``table``.
    """
    affected = {episode for episodes in lost.values() for episode in episodes}
    hint = way_out(affected) if len(affected) < total else ""
    dangling = [path for path in lost if layout.dangling_link(path)]
    found = [layout.missing(path) for path in dangling]
    gone = [path for path in lost if path not in dangling]
    if gone:
        problem = layout.missing(gone[0], f"the {what} of {EPISODES}", hint)
        episodes = the_episodes(episode for path in gone for episode in lost[path])
        found.insert(0, replace(problem, episodes=episodes))
    return found


def unlisted(
    indices: Iterable[int], claimed: int, path: Path, list_name: str
) -> tuple[int, dict[int, Reason]]:
    """The number of episodes of a dataset, and the ones missing in its list.

    Args:
        indices: ``episode_index`` of the listed ones, ascending.
        claimed: ``total_episodes`` of ``info.json``.
        path: The list.
        list_name: Its name in a sentence.

    Raises:
        DatasetError: Too many are missing.
    """
    listed = list(indices)
    total = max([claimed, *(episode + 1 for episode in listed[-1:])])
    if total - len(listed) > MAX_UNLISTED:
        are = agree(len(listed), "is", "are")
        message = f"{count(len(listed), 'episode')} of {total} {are} listed"
        raise DatasetError(Problem("wrong-total", message, path))
    gaps = sorted(set(range(total)) - set(listed))
    text = f"not listed in {list_name}; info.json has {count(claimed, 'episode')}, the list has {len(listed)}"
    return total, dict.fromkeys(gaps, Reason("episode-not-listed", text, path))
