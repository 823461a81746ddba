"""Fine-tuning on few images: a new last layer on frozen features.

From a few dozen images, other layers would mostly learn noise. Cross-validation among the training images
decides how far the last layer may move. The result is measured on the validation split, which is used for
nothing else.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import Progress
from torch import Tensor
from torch.nn import functional as F

from ..exceptions import DatasetError
from ..models.weight_file import WeightDescription, write_weights
from ..settings import Settings
from .augmentation import AugmentationSpec, augment
from .calibration import fit_temperature
from .config import FinetuneConfig
from .datasets import FaceDataset, read_training_and_evaluation
from .folds import stratified_folds
from .metrics import Interval, expected_calibration_error
from .paired import Paired, accuracy_interval, compare_paired
from .reading import mixture_of, read_as, reading_of
from .run_folder import RunFolder
from .starting_point import Floats, StartingPoint

logger = logging.getLogger(__name__)

#: Fewest training images of a class that is new to the network.
LEAST_OF_A_CLASS = 10
#: Fewest training images in total, of known classes.
LEAST_IN_ALL = 20

#: Strengths of the pull towards the initial weights, per standard deviation of a feature.
_STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
_FOLDS = 5
#: Fewest images for a temperature, which is fitted on held-out predictions.
_LEAST_FOR_TEMPERATURE = 40
_MOST_STEPS = 60

#: Approximate limit on images and augmented copies whose features are computed: the default's two networks
#: take one core about 30 ms for each.
_VIEWED = 1500


@dataclass(frozen=True)
class Measured:
    """One side of the comparison, on the validation split."""

    accuracy: Interval
    calibration_error: float


@dataclass(frozen=True)
class FinetuneResult:
    """The result of fine-tuning, on ``images`` held-out images.

    ``read_as`` maps labels of the initial network to new ones (empty if it knows them all). ``strength`` is
    that of the pull towards the old weights; None if cross-validation preferred to change nothing.
    """

    labels: tuple[str, ...]
    learned_from: int
    images: int
    before: Measured
    after: Measured
    paired: Paired
    read_as: dict[str, str]
    strength: float | None
    temperature: float


@dataclass(frozen=True)
class _Layer:
    """A last layer, weights (C, D) and biases (C,)."""

    weights: Floats
    biases: Floats

    def logits(self, features: Floats) -> Floats:
        logits: Floats = features @ self.weights.T + self.biases
        return logits


@dataclass(frozen=True)
class _Anchor(_Layer):
    """The initial layer, towards which the fit is pulled. ``is_an_answer``: it predicts every label, so the
    fit may keep it unchanged. ``holds_biases``: the biases are pulled, too, since the frequencies of the
    labels are taken as known."""

    is_an_answer: bool
    holds_biases: bool


class FineTune:
    """One fine-tune in one folder (``RunFolder``).

    Raises EmostreamError if the data or the network cannot be used.
    """

    def __init__(
        self, config: FinetuneConfig, folder: Path, device: torch.device, settings: Settings
    ) -> None:
        self.config, self.folder, self.device = config, RunFolder(folder), device
        self.train_set, self.held_out = read_training_and_evaluation((config.train,), config.validation)
        self.labels = self.train_set.labels
        self.start = StartingPoint(config.start_from, settings, device)
        self._check_counts()

    def run(self, progress: Progress) -> FinetuneResult:
        """Trains, measures, and writes the weights and ``finetune.json``."""
        self.folder.open(self.config, self.device)
        torch.manual_seed(self.config.seed)
        truth = self.train_set.targets.argmax(1)
        views = self._views(progress)
        held_out = self._plain_views(self.held_out, "held out", progress)
        known, before = self.start.labels, self._answers_before(views[:2])
        reading = reading_of(known, before, self.labels, truth)
        anchor = self._anchor(before, reading)
        strength, out_of_fold = self._chosen_strength(views, truth, anchor, progress)
        layer = _fitted(views, self.train_set.targets, strength, anchor)
        temperature = 1.0
        if len(truth) >= _LEAST_FOR_TEMPERATURE:
            temperature = fit_temperature(out_of_fold, truth)
        result = self._measured(reading, held_out, layer, strength, temperature)
        description = WeightDescription(
            architecture=self.start.architecture,
            labels=self.labels,
            normalisation=self.start.normalisation,
            temperature=temperature,
            mirrored=self.start.mirrored,
        )
        state = self.start.with_last_layer(layer.weights, layer.biases)
        halves = {name: (v.half() if v.is_floating_point() else v).contiguous() for name, v in state.items()}
        write_weights(self.folder.weights, halves, description)
        facts = json.dumps({"start_from": self.start.name, **asdict(result)}, indent=2)
        (self.folder.path / "finetune.json").write_text(facts + "\n")
        return result

    def _check_counts(self) -> None:
        counts = np.bincount(self.train_set.targets.argmax(1), minlength=len(self.labels)).tolist()
        of = dict(zip(self.labels, counts, strict=True))
        few = [f"{label} {n}" for label, n in of.items() if n < LEAST_OF_A_CLASS]
        if few and not self._knows_all:
            raise DatasetError(
                f"{self.config.train} has too few training images: {', '.join(few)}; at least "
                f"{LEAST_OF_A_CLASS} of each class are needed, besides the held-out ones"
            )
        if sum(counts) < LEAST_IN_ALL or sum(count > 0 for count in counts) < 2:
            raise DatasetError(
                f"{self.config.train} has {sum(counts)} images of {sum(n > 0 for n in counts)} classes to "
                f"learn from; {LEAST_IN_ALL} of two are needed, besides the held-out ones"
            )

    @property
    def _knows_all(self) -> bool:
        """Whether the initial network knows all labels."""
        return set(self.labels) <= set(self.start.labels)

    def _anchor(self, before: Floats, reading: dict[str, str]) -> "_Anchor | None":
        """The initial last layer, which predicts as before, with the labels mapped to the new ones."""
        if self._knows_all:
            mixture = np.eye(len(self.start.labels), dtype=np.float32)
            mixture = mixture[[self.start.labels.index(label) for label in self.labels]]
        else:
            mixture = mixture_of(before, self.start.labels, self.labels, reading)
        layer = self.start.last_layer(mixture)
        if layer is None:
            return None
        return _Anchor(*layer, is_an_answer=bool(mixture.any(1).all()), holds_biases=self._knows_all)

    def _views(self, progress: Progress) -> list[Floats]:
        """Features (N, D) of the training images: unchanged, mirrored, and augmented without changing the
        expression."""
        plain = self._plain_views(self.train_set, "training images", progress)
        more = int(np.clip(_VIEWED // len(self.train_set) - len(plain), 0, self.config.views))
        task = progress.add_task("augmented copies", total=more)
        spec = AugmentationSpec(**self.config.augmentation)
        for _ in range(more):
            changed = augment(_pixels(self.train_set), spec, self.start.input_size)
            plain.append(self.start.features(changed))
            progress.advance(task)
        return plain

    def _plain_views(self, data: FaceDataset, title: str, progress: Progress) -> list[Floats]:
        pixels, found = _pixels(data), []
        task = progress.add_task(title, total=2)
        for view in (pixels, pixels.flip(3)):
            found.append(self.start.features(view))
            progress.advance(task)
        return found

    def _chosen_strength(
        self,
        views: list[Floats],
        truth: npt.NDArray[np.int64],
        anchor: "_Anchor | None",
        progress: Progress,
    ) -> tuple[float | None, Floats]:
        """The strongest pull whose fits are as good as the best ones on held-out images, and their
        predictions for those, (N, C).

        "As good" means that the log loss exceeds the least by less than the standard error of the difference
        (the one-standard-error rule of Breiman et al., 1984, on pairs). With few images, the least loss is
        often chance.
        """
        folds = stratified_folds(truth, self.train_set.groups, _FOLDS, self.config.seed)
        candidates: list[float | None] = [*_STRENGTHS]
        if anchor is not None and anchor.is_an_answer:
            candidates.insert(0, None)
        task = progress.add_task("cross-validation", total=len(candidates) * len(folds))
        found = np.empty((len(candidates), len(truth), len(self.labels)), np.float32)
        for place, strength in enumerate(candidates):
            for held in folds:
                learned = ~held
                layer = _fitted(
                    [v[learned] for v in views], self.train_set.targets[learned], strength, anchor
                )
                found[place, held] = self._answers(layer, [view[held] for view in views[:2]], 1.0)
                progress.advance(task)
        losses = -np.log(np.maximum(found[:, np.arange(len(truth)), truth], 1e-12))  # (strengths, N)
        worse = losses - losses[losses.mean(1).argmin()]
        chosen = int(np.argmax(worse.mean(1) <= worse.std(1) / np.sqrt(len(truth))))
        logger.info(
            "cross-validation chose the pull %s, log loss %.3f", candidates[chosen], losses[chosen].mean()
        )
        return candidates[chosen], found[chosen]

    def _answers(self, layer: _Layer, views: list[Floats], temperature: float) -> Floats:
        """Predictions (N, C) for each image, averaged with those for its mirror image if the initial model
        does so."""
        used = views if self.start.mirrored else views[:1]
        logits = [torch.from_numpy(layer.logits(view)) / temperature for view in used]
        return torch.stack(logits).softmax(2).mean(0).numpy()

    def _answers_before(self, views: list[Floats]) -> Floats:
        used = views if self.start.mirrored else views[:1]
        mean: Floats = np.mean([self.start.answers(view) for view in used], axis=0)
        return self.start.sharpened(mean)

    def _measured(
        self,
        reading: dict[str, str],
        held_out: list[Floats],
        layer: _Layer,
        strength: float | None,
        temperature: float,
    ) -> FinetuneResult:
        truth = self.held_out.targets.argmax(1)
        before = read_as(self._answers_before(held_out), self.start.labels, self.labels, reading)
        after = self._answers(layer, held_out, temperature)
        return FinetuneResult(
            labels=self.labels,
            learned_from=len(self.train_set),
            images=len(truth),
            before=_side(before, truth),
            after=_side(after, truth),
            paired=compare_paired(before.argmax(1) == truth, after.argmax(1) == truth),
            read_as={} if self._knows_all else reading,
            strength=strength,
            temperature=temperature,
        )


def _pixels(data: FaceDataset) -> Tensor:
    """Float (N, 1 or 3, H, W) in [0, 255]."""
    images = torch.from_numpy(data.images)
    return (images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)).float()


def _side(probabilities: Floats, truth: npt.NDArray[np.int64]) -> Measured:
    right = probabilities.argmax(1) == truth
    return Measured(accuracy_interval(right), expected_calibration_error(probabilities.max(1), right))


def _fitted(
    views: list[Floats],
    targets: npt.NDArray[np.float32],
    strength: float | None,
    anchor: _Anchor | None,
) -> _Layer:
    """Multinomial logistic regression on the features (N, D) of every view, towards ``targets`` (N, C).

    Weights are pulled towards those of ``anchor``, or towards 0 without one, in units of the features'
    standard deviations; with a ``strength`` of None they stay there.
    """
    if strength is None:
        assert anchor is not None
        return _Layer(anchor.weights, anchor.biases)
    features = np.concatenate(views)
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    x = torch.from_numpy((features - mean) / deviation)
    y = torch.from_numpy(np.tile(targets, (len(views), 1)))
    if anchor is None:
        start_weights, start_biases = torch.zeros(targets.shape[1], x.shape[1]), torch.zeros(targets.shape[1])
    else:
        start_weights = torch.from_numpy(anchor.weights * deviation)
        start_biases = torch.from_numpy(anchor.biases + anchor.weights @ mean)
    weights = start_weights.clone().requires_grad_()
    biases = start_biases.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights, biases], max_iter=_MOST_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x @ weights.T + biases, y) + strength / 2 * (
            (weights - start_weights).square().sum()
            + ((biases - start_biases).square().sum() if anchor and anchor.holds_biases else 0.0)
        )
        value.backward()
        return value

    optimizer.step(loss)
    scaled = weights.detach().numpy() / deviation
    return _Layer(scaled, biases.detach().numpy() - scaled @ mean)
