"""The training loop: one network, soft labels, checkpoints after every epoch."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..exceptions import DatasetError
from ..models.checkpoint import load_checkpoint, load_part
from ..models.factory import create_model, input_size, last_layer_keys
from ..models.normalisation import Normalisation
from ..models.weight_file import WeightDescription, read_description, write_weights
from ..models.weights import WeightsStore
from .augmentation import augment, mixup
from .calibration import fit_temperature
from .config import TrainingConfig
from .datasets import FaceDataset, read_training_and_evaluation
from .metrics import Scores, score
from .optimisation import SharpnessAware, parameter_groups
from .run_folder import RunFolder
from .teacher import TaughtOnce, Teacher, distillation_loss

logger = logging.getLogger(__name__)

_EVALUATION_BATCH = 256
_LARGEST_GRADIENT = 5.0

#: Fewest training images; batch normalisation needs this many.
_LEAST_IMAGES = 8
#: Fewest steps of an epoch; batches are made smaller to reach them.
_LEAST_STEPS = 8

_Tensors = tuple[Tensor, ...] | list[Tensor]


class Trainer:
    """One run in one folder (``RunFolder``). A folder with a checkpoint is resumed after its last complete
    epoch, and gives the same weights as an uninterrupted run.

    Raises EmostreamError if the data, a file of weights or the teacher cannot be used.
    """

    def __init__(self, config: TrainingConfig, folder: Path, device: torch.device, weights_dir: Path) -> None:
        self.config, self.folder, self.device = config, RunFolder(folder), device
        torch.manual_seed(config.seed)
        self.train_set, self.validation_set = read_training_and_evaluation(config.train, config.validation)
        self.labels = self.train_set.labels
        if len(self.train_set) < _LEAST_IMAGES:
            named = ", ".join(map(str, config.train))
            raise DatasetError(
                f"{named} has {len(self.train_set)} training images, but needs {_LEAST_IMAGES}"
            )
        # One batch with all of few images would be one step per epoch.
        self.batch_size = min(config.batch_size, max(_LEAST_IMAGES, len(self.train_set) // _LEAST_STEPS))
        self.side = input_size(config.architecture)
        self.normalise = Normalisation(config.normalisation_spec).to(device)
        model = create_model(config.architecture, len(self.labels))
        if config.start_from is not None:
            _start_from(model, config, self.labels, WeightsStore(weights_dir))
        for part, file in config.pretrained.items():
            load_part(model, part, file)
        # channels_last is faster for convolutions on CPUs and GPUs
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(
            self.model,
            multi_avg_fn=warmed_up_average(config.ema_decay),
            use_buffers=True,
        )
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, config.weight_decay), fused=True)
        self.sharpness_aware = (
            SharpnessAware(self.optimizer, config.sharpness_radius) if config.sharpness_radius else None
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=config.learning_rate,
            total_steps=(steps := config.epochs * self.steps_per_epoch),
            pct_start=0.2 if steps >= 10 else 0.3,  # PyTorch divides by 0 if the warm-up has one step
        )
        self.teacher: Teacher | None = None
        self._taught_once: TaughtOnce | None = None
        if config.teacher and config.teacher_sees == "augmented":
            teacher = Teacher(config.teacher, self.labels, weights_dir, config.teacher_mirrored)
            self.teacher = teacher.to(device)
        elif config.teacher:
            self._taught_once = TaughtOnce(
                config.teacher, weights_dir, self.folder.taught, config.teacher_mirrored
            )
        self.epoch = 0

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train_set) // self.batch_size

    def run(self) -> Scores:
        """Trains to the last epoch and returns the averaged network's scores on the validation split."""
        self.folder.open(self.config, self.device)
        self._resume()
        if self._taught_once is not None and self.epoch < self.config.epochs:
            self.train_set = self._with_taught_targets(self._taught_once)
        truth = self.validation_set.targets.argmax(1)
        probabilities = None
        while self.epoch < self.config.epochs:
            started = time.monotonic()
            loss = self._train_epoch()
            self.epoch += 1
            probabilities = self.probabilities()
            self._save()
            self._log(loss, score(probabilities, truth), time.monotonic() - started)
        finished_before = probabilities is None and self.folder.weights.exists()
        if probabilities is None:
            probabilities = self.probabilities()
        # Existing weights may have got another temperature since, by `emostream calibrate`.
        if not finished_before:
            self._export(fit_temperature(probabilities, truth))
        return score(probabilities, truth)

    def _with_taught_targets(self, teacher: TaughtOnce) -> FaceDataset:
        """The training images, with the teacher's share in their targets."""
        with Progress(transient=True) as progress:
            task = progress.add_task("the teacher", total=len(self.train_set))
            taught = teacher(self.train_set, str(self.device), lambda n: progress.advance(task, n))
        share = np.float32(self.config.teacher_share)
        return replace(self.train_set, targets=(1 - share) * self.train_set.targets + share * taught)

    def _train_epoch(self) -> float:
        self.model.train()
        # One generator per epoch: a resumed run draws the same numbers as an uninterrupted one.
        generator = np.random.default_rng((self.config.seed, self.epoch))
        torch.manual_seed(self.config.seed * 100_003 + self.epoch)
        order = self._order(generator)
        share = self.epoch / self.config.epochs
        mixup_probability = self.config.mixup_probability if share < self.config.mixup_until else 0.0
        side = (self.config.small_side if share < self.config.small_until else None) or self.side
        total = 0.0
        with Progress(transient=True) as progress:
            for step in progress.track(range(self.steps_per_epoch), description=f"epoch {self.epoch + 1}"):
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                images, targets = self._batch(self.train_set, chosen)
                images = augment(images, self.config.augmentation_spec, side)
                if generator.random() < mixup_probability:
                    images, targets = mixup(images, targets, self.config.mixup_alpha)
                total += self._step(images, targets)
        return total / self.steps_per_epoch

    def _step(self, images: Tensor, targets: Tensor) -> float:
        """One training step; returns the loss before it."""
        taught = self.teacher(images) if self.teacher else None

        def loss() -> Tensor:
            logits = self._logits(self.model, images)
            value = F.cross_entropy(logits, targets)
            if taught is not None:
                distilled = distillation_loss(logits, taught, self.config.teacher_temperature)
                value = value.lerp(distilled, self.config.teacher_share)
            return value

        if self.sharpness_aware is not None:
            value = self.sharpness_aware.step(loss)
        else:
            self.optimizer.zero_grad(set_to_none=True)
            value = loss()
            value.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), _LARGEST_GRADIENT)
            self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model)
        return value.item()

    def _order(self, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        """The images of one epoch: each once, or sampled by the frequency of their classes."""
        n = len(self.train_set)
        if self.config.class_balance == 0:
            return generator.permutation(n)
        targets = self.train_set.targets.astype(np.float64)
        rarity = np.maximum(targets.sum(0), 1) ** -self.config.class_balance
        chance = targets @ rarity
        return generator.choice(n, n, p=chance / chance.sum())

    @torch.no_grad()
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) of the averaged network on the validation split, without flips."""
        self.average.eval()
        batches = []
        for start in range(0, len(self.validation_set), _EVALUATION_BATCH):
            chosen = np.arange(start, min(start + _EVALUATION_BATCH, len(self.validation_set)))
            images, _ = self._batch(self.validation_set, chosen)
            logits = self._logits(self.average, self._sized(images))
            batches.append(logits.softmax(1).cpu().numpy())
        return np.concatenate(batches)

    def _batch(self, data: FaceDataset, chosen: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Images, float (N, 1 or 3, H, W) in [0, 255], and their targets (N, C)."""
        images = torch.from_numpy(data.images[chosen]).to(self.device)
        images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
        return images.float(), torch.from_numpy(data.targets[chosen]).to(self.device)

    def _sized(self, images: Tensor) -> Tensor:
        """Resizes images to the network's input size."""
        if images.shape[-1] == self.side:
            return images
        return F.interpolate(images, size=(self.side, self.side), mode="bilinear", antialias=True)

    def _logits(self, model: nn.Module, images: Tensor) -> Tensor:
        inputs = self.normalise(images.expand(-1, 3, -1, -1)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits: Tensor = model(inputs)
        return logits.float()

    def _save(self) -> None:
        self.folder.save(
            {
                "epoch": self.epoch,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
            }
        )

    def _resume(self) -> None:
        state = self.folder.load(self.device)
        if state is None:
            return
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        logger.info("resuming after epoch %d", self.epoch)

    def _log(self, loss: float, scores: Scores, seconds: float) -> None:
        line = {
            "epoch": self.epoch,
            "loss": round(loss, 4),
            "accuracy": round(scores.accuracy, 4),
            "macro_f1": round(scores.macro_f1, 4),
            "ece": round(scores.expected_calibration_error, 4),
            "seconds": round(seconds, 1),
        }
        self.folder.log(line)
        logger.info("%s", line)

    def _export(self, temperature: float) -> None:
        """Writes the averaged network as float16 safetensors, with its temperature.

        It is the last epoch's network: choosing the best one would tune it on the validation split.
        """
        state = {
            name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for name, value in self.average.module.state_dict().items()
        }
        description = WeightDescription(
            architecture=self.config.architecture,
            labels=self.labels,
            normalisation=self.config.normalisation_spec,
            temperature=temperature,
        )
        write_weights(self.folder.weights, state, description)


def warmed_up_average(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """An exponential moving average whose decay grows to ``decay`` with the number of steps.

    With a constant decay, a run of fewer steps than 1 / (1 - decay) would stay near its initial weights.
    """

    def update(averaged: _Tensors, current: _Tensors, steps: Tensor | int) -> None:
        n = int(steps)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averaged, current, steps)

    return update


def _start_from(
    model: nn.Module, config: TrainingConfig, labels: tuple[str, ...], store: WeightsStore
) -> None:
    """Loads weights into ``model`` from a file or a named model; a last layer with other labels stays random.

    Raises ModelError.
    """
    assert config.start_from is not None
    path = config.start_from
    if not path.exists() and str(path) in (catalogue := store.catalogue()).models:
        path = store.require(catalogue.model(str(path)))
    description = read_description(path)
    if description is None or description.labels == labels:
        load_checkpoint(model, path)
        return
    learned = create_model(config.architecture, len(description.labels))
    load_checkpoint(learned, path)
    wanted = model.state_dict()
    own = last_layer_keys(config.architecture)  # also for as many labels: they are others
    model.load_state_dict(wanted | {k: v for k, v in learned.state_dict().items() if k not in own})
