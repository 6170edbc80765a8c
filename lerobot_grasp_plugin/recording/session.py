"""Runs a recording session: LeRobot's loop, the person's keys and answers, and the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from lerobot.datasets import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.processor import make_default_processors
from lerobot.robots import make_robot_from_config
from lerobot.scripts.lerobot_record import record_loop
from lerobot.teleoperators import make_teleoperator_from_config
from lerobot.utils.feature_utils import combine_feature_dicts
from lerobot.utils.utils import log_say
from lerobot.utils.visualization_utils import init_visualization, shutdown_visualization

from lerobot_grasp_plugin.core.marks import MarkEvent
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.lerobot_seams.access import require
from lerobot_grasp_plugin.lerobot_seams.recording_clock import is_simulated
from lerobot_grasp_plugin.recording.config import GraspRecordConfig
from lerobot_grasp_plugin.recording.controls import Controls
from lerobot_grasp_plugin.recording.dialogue import Verdict, ask_about
from lerobot_grasp_plugin.recording.hooks import HookSession, make_hooks
from lerobot_grasp_plugin.recording.keys import Keys
from lerobot_grasp_plugin.recording.mark_keys import MarkKeys
from lerobot_grasp_plugin.recording.options import check_name
from lerobot_grasp_plugin.recording.pause import Pause
from lerobot_grasp_plugin.recording.recorder import Attempt, EpisodeRecorder, pairs
from lerobot_grasp_plugin.recording.records import label_text, spelled
from lerobot_grasp_plugin.recording.session_report import SessionReport
from lerobot_grasp_plugin.recording.store import RecordingStore

logger = logging.getLogger(__name__)

type Step = tuple[str, Callable[[], Any]]


class Session:
    """Records the episodes of a config.

    Args:
        config: The session's.
        show: Shows a line to the person.
    """

    def __init__(self, config: GraspRecordConfig, show: Callable[[str], None] = print) -> None:
        check_name(config.dataset.repo_id, resume=config.resume)
        config.grasp.check()
        require("recording")
        self._config = config
        self._show = show
        self._controls = Controls(show)
        self._processors = make_default_processors()
        self._mark_keys = MarkKeys(config.grasp, self._controls.press, show)
        self.robot = make_robot_from_config(config.robot)
        self.teleop = make_teleoperator_from_config(config.teleop)
        self._pause = Pause(config.dataset.fps, self.robot.action_features)
        self._hooks = make_hooks(config.grasp.hooks, config.dataset.fps)
        self.store = RecordingStore(config, self.robot, self._features(), show)
        grasp = config.grasp
        controls = (
            f"{grasp.success_key}=success on/off, {grasp.failure_key}=rest fails, {grasp.undo_key}=undo, "
            f"{grasp.pause_key}=pause"
        )
        self.keys = Keys(self._mark_keys.press, grasp.key_repeat_s, controls)
        self.store.annotations.ask = self._ask if grasp.ask else None

    def run(self) -> SessionReport:
        """Records until all episodes are there, the person quits, or something fails.

        Saved episodes stay saved in every case; the report says what failed. The dataset is closed,
        and its contents are shown, before robot and teleoperator disconnect, which may take long.
        """
        config, store = self._config, self.store
        failure: str | None = None
        if config.display_data:
            init_visualization(
                config.display_mode, session_name="recording", ip=config.display_ip, port=config.display_port
            )
        try:
            self.teleop.connect()
            self.robot.connect()
            if store.first_episode and hasattr(self.robot, "continue_recording"):
                self.robot.continue_recording(store.root, store.first_episode)
            hook_session = HookSession(
                self.robot,
                self.teleop,
                config.dataset.fps,
                store.dataset.features,
                store.root,
                self._show,
                store.first_episode,
            )
            for hook in self._hooks:
                hook.hook.session_started(hook_session)
            self.keys.start()
            self._record()
        except KeyboardInterrupt:
            failure = "interrupted"
        except GraspError as error:
            failure = str(error)
        except Exception as error:  # a cable, a driver, a disk: saved episodes are safe in all cases
            logger.debug("the session failed", exc_info=True)
            failure = f"{type(error).__name__}: {error}"
        shutdown = _attempted([("the dataset", store.close)])
        report = SessionReport(
            store.repo_id,
            store.root,
            store.annotations.path,
            store.episodes - store.first_episode,
            store.episodes,
            failure,
            shutdown,
        )
        for line in report.lines():
            self._show(line)
        shutdown += self._let_go()
        return report

    # -- recording --------------------------------------------------------------------------------

    def _record(self) -> None:
        config, controls, store = self._config, self._controls, self.store
        wanted = config.dataset.num_episodes
        done = 0
        while (done < wanted or store.edits.waiting) and not controls.quit:
            for hook in self._hooks:
                hook.hook.reset(store.episodes)
            if controls.quit:
                break
            saved = counted = False
            edit = store.edits.claim()
            attempt = self._attempt()
            verdict = self._verdict(attempt)
            if verdict.keep:
                saved = self._save(attempt, verdict)
                counted = saved and not (edit is not None and edit.do == "replace")
                done += counted
            else:
                store.discard()
                done += verdict.counts
                self._show(f"Episode {store.episodes} is discarded." + _used(verdict, wanted - done))
            more = done < wanted or store.edits.waiting
            if not controls.quit and more and self._reset_rerecords() and saved:
                store.take_back()
                done -= counted
                self._say(f"Re-record episode {store.episodes}")

    def _reset_rerecords(self) -> bool:
        """Waits for a reset of the scene; returns whether to record the last episode again."""
        seconds = self._config.dataset.reset_time_s
        if seconds <= 0:
            return False
        with self._controls.phase("reset"):
            self._say("Reset the environment")
            self._loop(None, seconds)
        return self._controls.take_rerecord()

    def _attempt(self) -> Attempt:
        store, grasp = self.store, self._config.grasp
        fps = self._config.dataset.fps
        dataset = store.dataset
        for hook in self._hooks:
            hook.begin()
            hook.hook.episode_started(store.episodes)
        recorder = EpisodeRecorder(
            dataset,
            grasp.lag(fps),
            self._hooks,
            self._tell,
            self._controls.frame_added,
            min_rate=grasp.min_rate,
            simulated=is_simulated(),
            pause=self._pause,
            trim=grasp.trim_threshold if grasp.trim == "idle" else None,
        )
        with self._controls.phase("episode"):
            self._mark_keys.recorder = recorder
            self._say(f"Recording episode {store.episodes}")
            for edit in store.edits.waiting[:1]:
                self._show(f"  {edit}: this one, if accepted")
            try:
                seconds = float(self._config.dataset.episode_time_s)
                while seconds > 0:  # pauses lengthen the episode
                    self._loop(recorder, seconds)
                    seconds = 0.0 if self._controls.ended else recorder.lengthening_s()
                self.keys.settle()
            finally:
                self._mark_keys.recorder = None
                self._pause.end()
        return recorder.finish()

    def _loop(self, recorder: EpisodeRecorder | None, seconds: float) -> None:
        config = self._config
        teleop_action, robot_action, observed = self._processors

        def observation(raw: Any) -> Any:  # other values are only for the display
            return observed(raw) | ({} if recorder is None else {"success": float(recorder.success)})

        remote = config.display_data and config.display_ip is not None and config.display_port is not None
        record_loop(
            robot=self.robot,
            events=self._controls.events,
            fps=config.dataset.fps,
            teleop_action_processor=lambda transition: self._pause.action(teleop_action(transition)),
            robot_action_processor=robot_action,
            robot_observation_processor=observation,
            teleop=self.teleop,
            dataset=recorder,
            control_time_s=seconds,
            single_task=config.dataset.single_task,
            display_data=config.display_data,
            display_mode=config.display_mode,
            display_compressed_images=True if remote else config.display_compressed_images,
        )

    def _verdict(self, attempt: Attempt) -> Verdict:
        store = self.store
        if not attempt.length:
            return Verdict(keep=False)
        if self._controls.take_rerecord():
            self._say("Re-record episode")
            return Verdict(keep=False)
        episode, length = store.episodes, attempt.length
        seconds = length / self._config.dataset.fps
        self._show(
            f"Episode {episode}: {count(length, 'frame')} ({seconds:.1f} s), "
            f"{label_text(attempt.success, length)} ({attempt.success.count(length)} success frames)"
        )
        if any(attempt.trimmed):
            before, after = attempt.trimmed
            self._show(f"  trimmed: {count(before, 'idle frame')} at the start, {after} at the end")
        for line in attempt.timing.lines():
            self._show(line)
        for number, (name, suggestion) in enumerate(attempt.suggestions.items(), 1):
            key = "t" if number == 1 else f"t {number}"
            self._show(f"  {key}: {name} suggests {spelled(suggestion, length)}")
        if not self._config.grasp.ask:
            return Verdict(keep=True, success=attempt.success)
        self.keys.stop()
        try:
            verdict = ask_about(self.keys.ask, self._show, store, attempt)
        finally:
            self.keys.start()
        if verdict.quit:
            self._controls.stop()
        return verdict

    def _save(self, attempt: Attempt, verdict: Verdict) -> bool:
        success = attempt.success if verdict.success is None else verdict.success
        record = {
            **attempt.record,
            "success": pairs(success, attempt.length),
            "edited": success != attempt.success,
        }
        try:
            episode = self.store.save(success, record)
        except DatasetError as error:  # frames were lost: only this attempt is at fault
            self._show(str(error))
            return False
        self._show(f"Episode {episode} saved.")
        return True

    # -- keys and words ---------------------------------------------------------------------------

    def _ask(self, question: str) -> str | None:
        """The person's answer; afterwards keys are handled as keys again."""
        self.keys.stop()
        try:
            return self.keys.ask(question)
        finally:
            self.keys.start()

    def _tell(self, event: MarkEvent) -> None:
        state = "SUCCESS" if event.success else "failure"
        what = {"toggle": "mark", "fail_rest": "rest fails", "undo": "undone"}[event.action]
        if not event.changed:
            what = "nothing to undo" if event.action == "undo" else "ignored, the rest is marked failure"
        logger.debug("key %s at frame_index %d, %.3f s", event.action, event.frame_index, event.time_s)
        self._show(
            f"[frame {event.frame_index + 1}, {event.time_s:.2f} s] {what}: {state} from frame "
            f"{event.from_frame + 1} on"
        )
        if self._config.play_sounds:  # starting the speaker may take longer than a frame
            threading.Thread(target=log_say, args=(state.lower(), True), daemon=True).start()

    def _say(self, text: str) -> None:
        self._show(text)
        if self._config.play_sounds:
            threading.Thread(target=log_say, args=(text, True), daemon=True).start()

    def _features(self) -> dict[str, Any]:
        teleop_action, _, observation = self._processors
        video = self._config.dataset.video
        features: dict[str, Any] = combine_feature_dicts(
            aggregate_pipeline_dataset_features(
                pipeline=teleop_action,
                initial_features=create_initial_features(action=self.robot.action_features),
                use_videos=video,
            ),
            aggregate_pipeline_dataset_features(
                pipeline=observation,
                initial_features=create_initial_features(observation=self.robot.observation_features),
                use_videos=video,
            ),
        )
        return features

    def _let_go(self) -> list[str]:
        """Disconnects everything but the dataset; returns the errors."""
        steps: list[Step] = [(f"hook {hook.name}", hook.hook.session_ended) for hook in self._hooks]
        for name, device in (("the robot", self.robot), ("the teleoperator", self.teleop)):
            steps.append((name, partial(_disconnect, device)))
        steps.append(("the keys", self.keys.stop))
        if self._config.display_data:
            steps.append(("the display", lambda: shutdown_visualization(self._config.display_mode)))
        return _attempted(steps)


def _used(verdict: Verdict, left: int) -> str:
    """The text on the episodes that a discarded attempt uses up."""
    if not verdict.counts:
        return ""
    return f" Its number goes to the next one; it counts as one of the requested episodes: {left} left."


def _attempted(steps: list[Step]) -> list[str]:
    """Runs every step, even if others fail; returns the errors.

    Ctrl+C aborts the current step.
    """
    wrong = []
    for name, step in steps:
        try:
            step()
        except (Exception, KeyboardInterrupt) as error:
            wrong.append(f"{name}: {type(error).__name__}: {error}")
    return wrong


def _disconnect(device: Any) -> None:
    if device.is_connected:
        device.disconnect()
