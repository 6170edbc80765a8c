"""Notifies listeners of LeRobot's real-robot environment: when it is built, each episode and step.

``lerobot.rl.gym_manipulator`` and ``lerobot.rl.actor`` give a robot or a teleoperator no sign of an
episode's start. Their functions below are replaced by ones that call LeRobot's own and then the listeners.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.lerobot_seams.access import current, is_loaded, replace, require

MODULES = ("lerobot.rl.gym_manipulator", "lerobot.rl.actor")
FUNCTIONS = ("make_processors", "reset_and_build_transition", "step_env_and_process_transition")
SLEEP = "precise_sleep"
VETO = "vetoed_reward"
"""In a transition's info: the reward that the person's key took away, 0 where there was none."""

URDF = "env.processor.inverse_kinematics.urdf_path"


class EnvironmentListener:
    """Base of what follows an environment; each method does nothing unless a subclass says so."""

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        """The processors of ``env`` exist; ``config`` is LeRobot's ``HILSerlRobotEnvConfig``."""

    def episode_starts(self, env: Any) -> None:
        """An episode starts; LeRobot reads its first observation after this."""

    def stepped(self, env: Any, transition: dict[Any, Any]) -> None:
        """One step is done; ``transition`` is the processed one, which may be changed in place."""

    def notes(self) -> Mapping[str, Any]:
        """What there is to say of the episode that goes on, as JSON values by name."""
        return {}

    def paces(self) -> bool:
        """Whether steps wait for the wall clock, as those of a real arm must."""
        return True


_listeners: list[EnvironmentListener] = []
_originals: dict[tuple[str, str], Callable[..., Any]] = {}


def follow_environment(listener: EnvironmentListener) -> None:
    """Call ``listener`` for the environments of this process from now on; once is enough.

    Raises:
        SeamError: The installed lerobot does not have what is replaced.
    """
    loaded = [module for module in MODULES if is_loaded(module)]
    if loaded:
        require("environment")
    if listener not in _listeners:
        _listeners.append(listener)
    for module in loaded:
        for name in (*FUNCTIONS, SLEEP):
            if (module, name) not in _originals:
                _originals[module, name] = current(module, name)
                replace(module, name, _followed(name, _originals[module, name]))


def leave_environment(listener: EnvironmentListener) -> None:
    """Stop calling ``listener``; after the last one LeRobot is restored."""
    if listener in _listeners:
        _listeners.remove(listener)
    if not _listeners:
        for (module, name), original in _originals.items():
            replace(module, name, original)
        _originals.clear()


def notes_of_episode() -> dict[str, Any]:
    """What all listeners have to say of the episode that goes on."""
    return {name: value for listener in _listeners for name, value in listener.notes().items()}


def _find_urdf(config: Any) -> None:
    """Put the path of an installed file in place of ``package://name/path``; LeRobot takes paths only."""
    kinematics = config.processor.inverse_kinematics
    if kinematics is not None:
        kinematics.urdf_path = installed_file(str(kinematics.urdf_path), URDF)


def _as_configured(env: Any, config: Any, action_processor: Any) -> None:
    """Hand over what LeRobot leaves at its defaults, and keep a large step from ending the process.

    ``make_robot_env`` does not pass on ``reset_time_s``, and ``EEBoundsAndSafety`` raises a ValueError where
    the gripper is to move more than 5 cm in one step, as it is after a reset to a pose outside the bounds.
    With LeRobot's ``raise_on_jump=False`` the step is shortened to 5 cm.
    """
    if config.processor.reset is not None:
        env.reset_time_s = config.processor.reset.reset_time_s
    for step in action_processor.steps:
        if hasattr(step, "raise_on_jump"):
            step.raise_on_jump = False


def _complete_state(config: Any, env_processor: Any) -> None:
    """Append the end effector's pose to the state where the config asks for it."""
    observation = config.processor.observation
    if observation is None or not observation.add_ee_pose_to_observation:
        return
    from lerobot_grasp_plugin.lerobot_seams.pose_in_state import put_pose_in_state

    put_pose_in_state(env_processor)


def _heed_veto(transition: dict[Any, Any]) -> None:
    """Take a reward away in whose step the person said failure or re-record.

    LeRobot's reward classifier comes after the person's keys, and writes its reward over theirs. The key
    ends the episode in any case.
    """
    from lerobot.teleoperators.utils import TeleopEvents

    info = transition.get("info") or {}
    said = {event for event in TeleopEvents if info.get(event)}
    vetoes = {TeleopEvents.FAILURE, TeleopEvents.RERECORD_EPISODE, TeleopEvents.TERMINATE_EPISODE}
    if said & vetoes and TeleopEvents.SUCCESS not in said:
        info[VETO] = float(transition.get("reward") or 0.0)
        transition.update({"reward": 0.0, "done": True})


def _followed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def make_processors(env: Any, teleop_device: Any, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        _find_urdf(cfg)
        processors = function(env, teleop_device, cfg, *args, **kwargs)
        _as_configured(env, cfg, processors[1])
        _complete_state(cfg, processors[0])
        for listener in tuple(_listeners):
            listener.environment_built(env, cfg, *processors)
        return processors

    @functools.wraps(function)
    def reset_and_build_transition(env: Any, *args: Any, **kwargs: Any) -> Any:
        for listener in tuple(_listeners):
            listener.episode_starts(env)
        return function(env, *args, **kwargs)

    @functools.wraps(function)
    def step_env_and_process_transition(env: Any, *args: Any, **kwargs: Any) -> Any:
        transition = function(env, *args, **kwargs)
        _heed_veto(transition)
        for listener in tuple(_listeners):
            listener.stepped(env, transition)
        return transition

    @functools.wraps(function)
    def precise_sleep(*args: Any, **kwargs: Any) -> None:
        if all(listener.paces() for listener in _listeners):
            function(*args, **kwargs)

    replacements: dict[str, Callable[..., Any]] = {
        "make_processors": make_processors,
        "reset_and_build_transition": reset_and_build_transition,
        "step_env_and_process_transition": step_env_and_process_transition,
        SLEEP: precise_sleep,
    }
    return replacements[name]
