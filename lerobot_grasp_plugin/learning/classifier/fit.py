"""Runs the optimisation: cached inputs, weighted loss, early stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lerobot.rewards.classifier import Classifier
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.data import ClassifierData, LabelledEpisode
from lerobot_grasp_plugin.learning.classifier.metrics import area_under_curve
from lerobot_grasp_plugin.learning.classifier.model import encode, head_parameters, logits
from lerobot_grasp_plugin.learning.classifier.small_encoder import LEARNING_RATE, augmented
from lerobot_grasp_plugin.learning.data.preprocessing import to_unit_range

_BLOCK = 256  # frames per batch without training
_MEMORY = 0.97  # of the averaged weights: they are a mean over the last 30 steps or so


@dataclass(frozen=True)
class Validation:
    """Figures after some steps.

    Attributes:
        step: Steps done.
        train_loss: Weighted loss, mean over the steps since the last validation.
        val_loss: Weighted loss on the validation episodes, with the weights of the training episodes.
        val_auc: Area under the curve there; None when they have one class only.
        is_best: Whether ``val_loss`` is the lowest so far.
        seconds: Since the start.
        left_s: Seconds until the last step, at the speed so far.
    """

    step: int
    train_loss: float
    val_loss: float
    val_auc: float | None
    is_best: bool
    seconds: float
    left_s: float


@dataclass(frozen=True)
class FitResult:
    """The result of an optimisation.

    Attributes:
        history: Every validation.
        best_step: The step whose weights the model has now.
        steps: Steps done.
    """

    history: Sequence[Validation]
    best_step: int
    steps: int


@dataclass(frozen=True)
class Frames:
    """Cached frames.

    Attributes:
        inputs: camera_key -> the frozen encoder's result, float32, or images, uint8; shape (frames, ...).
        label: 1.0 for success, shape (frames,).
    """

    inputs: Mapping[str, Tensor]
    label: Tensor


def fit(
    model: Classifier,
    data: ClassifierData,
    train: Sequence[LabelledEpisode],
    val: Sequence[LabelledEpisode],
    weights: Tensor,
    config: ClassifierTrainConfig,
    progress: Progress,
    on_validation: Callable[[Validation], None],
    keep: Callable[[Validation], None] = lambda _: None,
) -> FitResult:
    """Trains a classifier, and leaves it with the weights of the lowest validation loss.

    What is validated and kept are weights averaged over the last steps (Polyak and Juditsky 1992): those of
    a single step are a matter of luck while the learning rate is high.

    A frozen encoder stays in evaluation mode, so what it makes of a frame never changes: it is
    computed once. An encoder made for this run learns with the head, from images that are varied a
    little. The learning rates rise and fall once over ``config.steps`` (Smith 2018).

    Args:
        model: New, with an encoder; changed in place.
        data: Where the episodes are.
        train: Episodes to learn from.
        val: Episodes to validate on.
        weights: Of a failure frame and a success frame in the loss.
        config: All settings.
        progress: Called with the progress.
        on_validation: Called after each validation.
        keep: Called before that if the validation loss is the lowest so far; the model then has the
            validated weights.
    """
    started = time.monotonic()
    run = Run(model, weights.to(model.config.device), config)
    frames = run.collected(data, train, "reading training episodes", progress)
    val_frames = run.collected(data, val, "reading validation episodes", progress)
    history: list[Validation] = []
    best: dict[str, Tensor] = {}
    began = time.monotonic()
    best_step, lowest, losses = 0, float("inf"), []
    for step, batch in enumerate(run.batches(len(frames.label)), start=1):
        losses.append(run.step(frames, batch))
        progress("training", step, config.steps)
        if step % config.eval_steps and step < config.steps:
            continue
        with run.averaged():
            val_loss, val_auc = run.validate(val_frames)
            is_best = val_loss < lowest
            if is_best:
                best_step, lowest = step, val_loss
                best = {name: value.detach().clone() for name, value in model.state_dict().items()}
            now = time.monotonic()
            left = (now - began) / step * (config.steps - step)
            mean = sum(losses) / len(losses)
            history.append(Validation(step, mean, val_loss, val_auc, is_best, now - started, left))
            if is_best:
                keep(history[-1])
        on_validation(history[-1])
        losses.clear()
        if step >= config.steps or step - best_step >= config.patience * config.eval_steps:
            break
    model.load_state_dict(best)
    model.eval()
    return FitResult(history, best_step, history[-1].step)


class Run:
    """A classifier in training: its optimizer, its averaged weights, its steps and validations.

    Args:
        model: Changed in place.
        weights: Of a failure frame and a success frame in the loss.
        config: All settings.
    """

    def __init__(self, model: Classifier, weights: Tensor, config: ClassifierTrainConfig) -> None:
        self.model = model
        self.weights = weights
        self.config = config
        self.device = model.config.device
        self.cameras = list(model.config.input_features)
        self.encoder_learns = config.make_encoder
        self.generator = torch.Generator().manual_seed(0 if config.seed is None else config.seed)
        preset = config.optimizer or model.config.get_optimizer_preset()
        self.clip = preset.grad_clip_norm
        groups = [{"params": head_parameters(model), "lr": preset.lr}]
        if self.encoder_learns:
            encoder = [parameter.requires_grad_(True) for parameter in model.encoder.parameters()]
            groups.append({"params": encoder, "lr": LEARNING_RATE})
        self.optimizer = preset.build(groups)
        self.steps = 0
        self.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        rates = [group["lr"] for group in groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=rates, total_steps=max(2, config.steps)
        )

    def collected(
        self, data: ClassifierData, episodes: Sequence[LabelledEpisode], step: str, progress: Progress
    ) -> Frames:
        """Decodes episodes once, in order, and caches what the steps need."""
        kept: dict[str, list[Tensor]] = {camera: [] for camera in self.cameras}
        labels = []
        for done, episode in enumerate(episodes):
            progress(step, done, len(episodes))
            assert episode.label is not None
            labels.append(torch.from_numpy(episode.label))
            for block in data.images(episode, self.cameras):
                for camera, images in block.items():
                    kept[camera].append(self._kept(camera, images))
        progress(step, len(episodes), len(episodes))
        inputs = {camera: torch.cat(parts) for camera, parts in kept.items()}
        return Frames(inputs, torch.cat(labels).to(torch.float32))

    def _kept(self, camera: str, images: Tensor) -> Tensor:
        if self.encoder_learns:
            return (images * 255).round().to(torch.uint8)
        with torch.no_grad():
            return encode(self.model, camera, images.to(self.device)).cpu()

    def batches(self, frames: int) -> Iterator[Tensor]:
        """Positions of frames: every frame once, in random order, and over again."""
        size = min(self.config.batch_size, frames)
        while True:
            order = torch.randperm(frames, generator=self.generator)
            yield from (order[at : at + size] for at in range(0, frames - size + 1, size))

    def step(self, frames: Frames, batch: Tensor) -> float:
        """One optimisation step; returns its loss."""
        self.model.train()
        if not self.encoder_learns:
            self.model.encoder.eval()
        encoded = {}
        for camera, inputs in frames.inputs.items():
            chosen = inputs[batch]
            if self.encoder_learns:
                varied = augmented(to_unit_range(chosen), self.generator).to(self.device)
                encoded[camera] = encode(self.model, camera, varied)
            else:
                encoded[camera] = chosen.to(self.device)
        loss = self._loss(logits(self.model, encoded), frames.label[batch].to(self.device))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for group in self.optimizer.param_groups:
            clip_grad_norm_(group["params"], self.clip)
        self.optimizer.step()
        self.schedule.step()
        self._average()
        return float(loss.item())

    def _average(self) -> None:
        """Moves the averaged weights towards the present ones, by less the more steps are done."""
        self.steps += 1
        share = 1 - min(_MEMORY, (1 + self.steps) / (10 + self.steps))
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), share)
            else:
                self.average[name].copy_(value)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model has its averaged weights inside."""
        present = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        yield
        self.model.load_state_dict(present)

    def validate(self, frames: Frames) -> tuple[float, float | None]:
        """Weighted loss and area under the curve."""
        self.model.eval()
        parts = []
        with torch.no_grad():
            for start in range(0, len(frames.label), _BLOCK):
                encoded = {}
                for camera, inputs in frames.inputs.items():
                    chosen = inputs[start : start + _BLOCK]
                    if self.encoder_learns:
                        chosen = encode(self.model, camera, to_unit_range(chosen).to(self.device))
                    encoded[camera] = chosen.to(self.device)
                parts.append(logits(self.model, encoded))
            scores = torch.cat(parts)
            loss = float(self._loss(scores, frames.label.to(self.device)).item())
        return loss, area_under_curve(scores.cpu().numpy(), frames.label.numpy() > 0)

    def _loss(self, scores: Tensor, label: Tensor) -> Tensor:
        weight = self.weights[label.long()]
        return functional.binary_cross_entropy_with_logits(scores, label, weight=weight)
