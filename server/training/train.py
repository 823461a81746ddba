"""The training loop: one network, soft labels, checkpoints after every epoch."""

import json
import logging
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import Progress
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from server.exceptions import DatasetError
from server.models.checkpoint import load_checkpoint
from server.models.factory import create_model
from server.models.normalisation import Normalisation, NormalisationSpec
from server.training.augmentation import augment, mixup
from server.training.config import TrainingConfig
from server.training.datasets import LABELS, FaceDataset, evaluation_set, read_ferplus, training_set
from server.training.metrics import Scores, score

logger = logging.getLogger(__name__)

#: The training pictures are grey and of every exposure; so the networks look at nothing else.
NORMALISATION = NormalisationSpec(grayscale=True, per_image=True)
_EVALUATION_BATCH = 256


class Trainer:
    """One run in one folder: ``config.json``, ``metrics.jsonl``, ``checkpoint.pt``, ``model.safetensors``.

    A folder with a checkpoint is continued after its last whole epoch.
    """

    def __init__(self, config: TrainingConfig, folder: Path, device: torch.device) -> None:
        self.config, self.folder, self.device = config, folder, device
        torch.manual_seed(config.seed)
        self.train_set = training_set(read_ferplus(config.train))
        self.validation_set = evaluation_set(read_ferplus(config.validation))
        if self.steps_per_epoch == 0:
            raise DatasetError(
                f"{config.train} has {len(self.train_set)} pictures to learn from: fewer than a batch of "
                f"{config.batch_size}"
            )
        self.normalise = Normalisation(NORMALISATION).to(device)
        model = create_model(config.architecture, len(LABELS))
        if config.start_from is not None:
            load_checkpoint(model, config.start_from)
        # channels_last: what the CPU's and the GPU's convolutions want
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(
            self.model,
            multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay),
            use_buffers=True,
        )
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.model, config.weight_decay), fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=config.learning_rate,
            total_steps=config.epochs * self.steps_per_epoch,
            pct_start=0.2,
        )
        self.epoch = 0

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train_set) // self.config.batch_size

    def run(self) -> Scores:
        """Trains to the last epoch and returns the averaged network's scores on the validation split."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.json").write_text(self.config.model_dump_json(indent=2))
        self._resume()
        scores = None
        while self.epoch < self.config.epochs:
            started = time.monotonic()
            loss = self._train_epoch()
            self.epoch += 1
            scores = self.evaluate()
            self._save()
            self._log(loss, scores, time.monotonic() - started)
        self._export()
        return scores or self.evaluate()

    def _train_epoch(self) -> float:
        self.model.train()
        # A generator of its own per epoch: a resumed run draws what an uninterrupted one would.
        generator = np.random.default_rng((self.config.seed, self.epoch))
        torch.manual_seed(self.config.seed * 100_003 + self.epoch)
        order = self._order(generator)
        share = self.epoch / self.config.epochs
        mixup_probability = self.config.mixup_probability if share < self.config.mixup_until else 0.0
        side = self.config.small_side if share < self.config.small_until else None
        total = 0.0
        with Progress(transient=True) as progress:
            for step in progress.track(range(self.steps_per_epoch), description=f"epoch {self.epoch + 1}"):
                chosen = order[step * self.config.batch_size : (step + 1) * self.config.batch_size]
                images, targets = self._batch(self.train_set, chosen)
                images = augment(images, self.config.augmentation_spec, side)
                if generator.random() < mixup_probability:
                    images, targets = mixup(images, targets, self.config.mixup_alpha)
                loss = F.cross_entropy(self._logits(self.model, images), targets)
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
                self.optimizer.step()
                self.schedule.step()
                self.average.update_parameters(self.model)
                total += loss.item()
        return total / self.steps_per_epoch

    def _order(self, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        """The pictures of one epoch: each once, or drawn by the frequency of their classes."""
        n = len(self.train_set)
        if self.config.class_balance == 0:
            return generator.permutation(n)
        targets = self.train_set.targets.astype(np.float64)
        rarity = np.maximum(targets.sum(0), 1) ** -self.config.class_balance
        chance = targets @ rarity
        return generator.choice(n, n, p=chance / chance.sum())

    def evaluate(self) -> Scores:
        """The averaged network on the validation split, each picture seen once and not flipped."""
        return score(self.probabilities(), self.validation_set.targets.argmax(1))

    @torch.no_grad()
    def probabilities(self) -> npt.NDArray[np.float32]:
        """(N, 7) of the averaged network on the validation split."""
        self.average.eval()
        batches = []
        for start in range(0, len(self.validation_set), _EVALUATION_BATCH):
            chosen = np.arange(start, min(start + _EVALUATION_BATCH, len(self.validation_set)))
            images, _ = self._batch(self.validation_set, chosen)
            batches.append(self._logits(self.average, images).softmax(1).cpu().numpy())
        return np.concatenate(batches)

    def _batch(self, data: FaceDataset, chosen: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        images = torch.from_numpy(data.images[chosen]).to(self.device).float().unsqueeze(1)
        return images, torch.from_numpy(data.targets[chosen]).to(self.device)

    def _logits(self, model: nn.Module, images: Tensor) -> Tensor:
        pixels = images.expand(-1, 3, -1, -1)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits: Tensor = model(self.normalise(pixels).contiguous(memory_format=torch.channels_last))
        return logits.float()

    def _save(self) -> None:
        state = {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        partial = self.folder / "checkpoint.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "checkpoint.pt")  # atomic: a kill leaves the old one or the new one

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        logger.info("continuing after epoch %d", self.epoch)

    def _log(self, loss: float, scores: Scores, seconds: float) -> None:
        line = {
            "epoch": self.epoch,
            "loss": round(loss, 4),
            "accuracy": round(scores.accuracy, 4),
            "macro_f1": round(scores.macro_f1, 4),
            "ece": round(scores.expected_calibration_error, 4),
            "seconds": round(seconds, 1),
        }
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        logger.info("%s", line)

    def _export(self) -> None:
        """The averaged network as float16 safetensors. The last epoch's: picking the best one would be
        tuning on the validation split."""
        state = {
            name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for name, value in self.average.module.state_dict().items()
        }
        metadata = {"architecture": self.config.architecture, "labels": ",".join(LABELS)}
        save_file(state, self.folder / "model.safetensors", metadata)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay for matrices and kernels; none for biases, norms, slopes and position tables."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
