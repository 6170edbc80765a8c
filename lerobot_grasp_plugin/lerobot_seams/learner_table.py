"""Seams of the learner, the actor and behaviour cloning: a part of the table."""

from __future__ import annotations

from typing import Final

from lerobot_grasp_plugin.lerobot_seams.seam import How, Seam

_BUFFER = "lerobot.rl.buffer"
_POLICY = "lerobot.policies.gaussian_actor.modeling_gaussian_actor"
_LEARNER = "lerobot.rl.learner"
_SAC = "lerobot.rl.algorithms.sac.sac_algorithm"
_MIXER = "lerobot.rl.data_sources.data_mixer"
_WHEN_THE_LEARNER_ENDS = "when the learner ends"
_ITS = "not: only of the trainer that the learner has made"


def _of_cloning(module: str, path: str, how: How) -> Seam:
    return Seam("behaviour cloning", module, path, how, "the policy learns what the demonstrations did")


LEARNER_SEAMS: Final[tuple[Seam, ...]] = (
    Seam("learner", _LEARNER, "train", "called", "lerobot-grasp-learner runs LeRobot's learner"),
    Seam("learner", _LEARNER, "use_threads", "called", "processes are started as LeRobot does"),
    Seam(
        "learner",
        _LEARNER,
        "handle_resume_logic",
        "replaced",
        "errors come before the start, and a resumed run has its checkpoint's policy",
        _WHEN_THE_LEARNER_ENDS,
    ),
    Seam(
        "learner",
        _LEARNER,
        "RLTrainer",
        "replaced",
        "behaviour cloning before the updates and with them, and figures of each",
        _WHEN_THE_LEARNER_ENDS,
        parameters=("algorithm", "data_mixer", "batch_size", "preprocessor"),
    ),
    Seam(
        "learner",
        _LEARNER,
        "LearnerService",
        "replaced",
        "an actor joins when the trainer has started, and not before",
        _WHEN_THE_LEARNER_ENDS,
    ),
    Seam(
        "learner",
        _LEARNER,
        "process_interaction_message",
        "replaced",
        "the figures of a run have its actor's episodes",
        _WHEN_THE_LEARNER_ENDS,
        parameters=("message", "interaction_step_shift", "wandb_logger"),
    ),
    Seam(
        "learner",
        _LEARNER,
        "save_training_checkpoint",
        "replaced",
        "the replay buffers are saved in seconds, and whole or not at all; the end of a run is saved",
        _WHEN_THE_LEARNER_ENDS,
        parameters=(
            *("cfg", "optimization_step", "online_steps", "interaction_message", "policy", "optimizers"),
            *("replay_buffer", "algorithm", "offline_replay_buffer", "dataset_repo_id"),
            *("preprocessor", "postprocessor"),
        ),
    ),
    Seam(
        "learner",
        _LEARNER,
        "make_pre_post_processors",
        "called",
        "the end of a run is saved",
        parameters=("policy_cfg", "dataset_stats"),
    ),
    *(
        Seam(
            "learner",
            _LEARNER,
            name,
            "replaced",
            "a resumed run reads the replay buffers that were saved this way",
            _WHEN_THE_LEARNER_ENDS,
            parameters=("cfg", "device", "storage_device"),
        )
        for name in ("initialize_replay_buffer", "initialize_offline_replay_buffer")
    ),
    Seam("learner", "lerobot.rl.trainer", "RLTrainer.training_step", "replaced", "updates are counted", _ITS),
    Seam("learner", _SAC, "SACAlgorithm.critic_ensemble", "read", "the mean of Q in the figures of a run"),
    Seam("learner", _SAC, "SACAlgorithm.temperature", "read", "the temperature in the figures of a run"),
    Seam("actor", "lerobot.rl.actor", "actor_cli", "called", "lerobot-grasp-actor runs LeRobot's actor"),
    Seam(
        "actor",
        "lerobot.rl.actor",
        "python_object_to_bytes",
        "replaced",
        "the learner learns the truth of an episode with its reward",
        "when the actor ends",
    ),
    _of_cloning(_POLICY, "GaussianActorPolicy.actor", "called"),
    _of_cloning(_POLICY, "GaussianActorPolicy.discrete_critic", "called"),
    _of_cloning(_POLICY, "Policy.encoder_is_shared", "written"),
    _of_cloning(_SAC, "SACAlgorithm.discrete_critic_target", "written"),
    _of_cloning(_SAC, "SACAlgorithm.optimizers", "written"),
    _of_cloning(_SAC, "SACAlgorithm.optimization_step", "read"),
    _of_cloning(_POLICY, "GaussianActorObservationEncoder.get_cached_image_features", "called"),
    _of_cloning(_POLICY, "GaussianActorObservationEncoder.has_images", "read"),
    _of_cloning(_MIXER, "OnlineOfflineMixer.offline_buffer", "read"),
    _of_cloning(_MIXER, "OnlineOfflineMixer.online_buffer", "read"),
    _of_cloning("lerobot.rl.learner_service", "LearnerService.Ready", "extended"),
    _of_cloning(_BUFFER, "ReplayBuffer.image_augmentation_function", "written"),
    _of_cloning(_BUFFER, "ReplayBuffer.use_drq", "written"),
    _of_cloning(_BUFFER, "random_shift", "called"),
)
