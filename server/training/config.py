"""Recipes: YAML files that configure a training run."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from ..exceptions import EmostreamError, did_you_mean
from ..models.factory import ARCHITECTURES
from ..models.normalisation import NormalisationSpec
from .augmentation import AugmentationSpec


def _check_augmentation(value: dict[str, float]) -> dict[str, float]:
    known = [f.name for f in fields(AugmentationSpec)]
    for name in value:
        if name not in known:
            raise ValueError(
                f"no such augmentation: {name}{did_you_mean(name, known)}; known are: {', '.join(known)}"
            )
    return value


def _several(value: object) -> object:
    """One path stands for a list of it."""
    return (value,) if isinstance(value, str | Path) else value


class FinetuneConfig(BaseModel):
    """A recipe that trains a last layer on few images; see ``training/finetune.py``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["finetune"]
    train: Path = Field(description="prepared folder, or a split of one")
    validation: Path = Field(description="the same; of a folder its split valid")
    start_from: str = Field(
        default="from-scratch",
        description="initial model, ensemble of two equal architectures, or earlier run",
    )
    views: int = Field(default=6, ge=0, description="most augmented copies of each image")
    augmentation: dict[str, float] = Field(default_factory=dict)
    seed: int = 0

    _known_augmentation = field_validator("augmentation")(_check_augmentation)


class TrainingConfig(BaseModel):
    """A recipe; see ``server/training/recipes`` for those of the shipped members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    train: Annotated[tuple[Path, ...], BeforeValidator(_several)] = Field(
        min_length=1, description="prepared folders, or splits of such, to learn from together"
    )
    validation: Path = Field(description="the same; of a folder its split valid")
    start_from: Path | None = Field(
        default=None, description="initial weights, or a model's name; default: random"
    )
    pretrained: dict[str, Path] = Field(
        default_factory=dict, description="weights files by the name of the network's part, such as ir_back"
    )
    grayscale: bool = Field(default=True, description="the network sees luma only")
    per_image: bool = Field(
        default=True, description="normalised by each image's own mean and deviation, otherwise by ImageNet's"
    )
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0, description="peak of the one-cycle schedule")
    weight_decay: float = Field(default=0.02, ge=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)
    sharpness_radius: float = Field(
        default=0.0,
        ge=0,
        description="radius of sharpness-aware minimisation, which doubles the cost of a step; 0: off",
    )
    teacher: str | None = Field(default=None, description="model or ensemble of the catalogue to learn from")
    teacher_share: float = Field(default=0.5, ge=0, le=1, description="of the loss; the rest is the votes'")
    teacher_temperature: float = Field(default=2.0, gt=0)
    teacher_sees: Literal["augmented", "original"] = Field(
        default="augmented",
        description="the image that the student sees, with all that was done to it; or the image as it "
        "is in the data, once: its probabilities are then mixed into the targets, at no temperature",
    )
    teacher_mirrored: bool = Field(
        default=False, description="the teacher sees each image and its mirror image"
    )
    mixup_alpha: float = Field(default=0.4, gt=0)
    mixup_probability: float = Field(default=0.5, ge=0, le=1)
    mixup_until: float = Field(default=1.0, ge=0, le=1, description="share of the run after which it ends")
    class_balance: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="images are sampled by their class's frequency to the power of minus this: "
        "0 keeps the frequencies, 1 samples all classes equally",
    )
    small_side: int | None = Field(
        default=None, ge=16, description="initial side in px of the network's input; default: the data's"
    )
    small_until: float = Field(default=0.0, ge=0, le=1, description="share of the run with the small side")
    augmentation: dict[str, float] = Field(default_factory=dict)
    seed: int = 0

    @field_validator("architecture")
    @classmethod
    def _known_architecture(cls, value: str) -> str:
        if value not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            hint = did_you_mean(value, ARCHITECTURES)
            raise ValueError(f"no such architecture{hint}; known are: {known}")
        return value

    _known_augmentation = field_validator("augmentation")(_check_augmentation)

    @property
    def normalisation_spec(self) -> NormalisationSpec:
        return NormalisationSpec(grayscale=self.grayscale, per_image=self.per_image)

    @property
    def augmentation_spec(self) -> AugmentationSpec:
        return AugmentationSpec(**self.augmentation)


#: The shipped recipes by name.
RECIPES = {path.stem: path for path in Path(__file__).with_name("recipes").glob("*.yaml")}


def find_recipe(name: str) -> Path:
    """The file of a shipped recipe by its name, or of a path. Raises EmostreamError if it is neither."""
    path = Path(name)
    if name in RECIPES:
        return RECIPES[name]
    if path.is_file():
        return path
    kind = "file" if path.suffix or len(path.parts) > 1 else "recipe"
    hint = did_you_mean(path.stem, RECIPES)
    raise EmostreamError(f"there is no {kind} {name}{hint}; shipped recipes: {', '.join(sorted(RECIPES))}")


def read_config(path: Path, **given: object) -> TrainingConfig | FinetuneConfig:
    """Reads a recipe; given fields (that are not None) replace the file's.

    Raises EmostreamError that names the file and its first invalid field.
    """
    try:
        content: Any = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise EmostreamError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        place = f", line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise EmostreamError(f"{path}{place}: invalid YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(content, dict):
        raise EmostreamError(f"{path}: a recipe must have lines such as `epochs: 12`")
    model = FinetuneConfig if content.get("kind") is not None else TrainingConfig
    changed = {name: value for name, value in given.items() if value is not None}
    try:
        return model.model_validate(content | changed)
    except ValidationError as error:
        raise EmostreamError(f"{path}: {_problem(error, model)}") from error


def _problem(error: ValidationError, model: type[BaseModel]) -> str:
    """A message about the first error in a recipe."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"there is no {name}{did_you_mean(name, model.model_fields)}"
    if first["type"] == "missing":
        return f"{name} is missing: {model.model_fields[name].description or 'a recipe needs it'}"
    return f"{name}: {first['msg'].removeprefix('Value error, ')} (it is {first['input']!r})"
