"""What a training run is told, as a YAML file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..exceptions import EmostreamError
from ..models.factory import ARCHITECTURES
from ..models.normalisation import NormalisationSpec
from .augmentation import AugmentationSpec


class TrainingConfig(BaseModel):
    """A recipe; see ``server/training/recipes`` for those of the shipped members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    train: Path = Field(description="prepared folder, or a split of one")
    validation: Path = Field(description="the same; of a folder its split valid")
    start_from: Path | None = Field(default=None, description="weights to go on from, else random ones")
    pretrained: dict[str, Path] = Field(
        default_factory=dict, description="files of parts of the network by their name in it, such as ir_back"
    )
    grayscale: bool = Field(default=True, description="the network sees luma only")
    per_image: bool = Field(
        default=True, description="each image's own mean and deviation are taken out, else ImageNet's"
    )
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0, description="peak of the one-cycle schedule")
    weight_decay: float = Field(default=0.02, ge=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)
    sharpness_radius: float = Field(
        default=0.0,
        ge=0,
        description="of sharpness-aware minimisation, which doubles a step's cost; 0: without",
    )
    teacher: str | None = Field(default=None, description="model or ensemble of the catalogue to learn from")
    teacher_share: float = Field(default=0.5, ge=0, le=1, description="of the loss; the rest is the votes'")
    teacher_temperature: float = Field(default=2.0, gt=0)
    mixup_alpha: float = Field(default=0.4, gt=0)
    mixup_probability: float = Field(default=0.5, ge=0, le=1)
    mixup_until: float = Field(
        default=1.0, ge=0, le=1, description="share of the run after which there is none"
    )
    class_balance: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="images are drawn in proportion to their class's frequency to the power of minus this: "
        "0 as they come, 1 every class equally often",
    )
    small_side: int | None = Field(
        default=None, ge=16, description="side in px of the network's input at first, else the data's own"
    )
    small_until: float = Field(default=0.0, ge=0, le=1, description="share of the run with the small side")
    augmentation: dict[str, float] = Field(default_factory=dict)
    seed: int = 0

    @field_validator("architecture")
    @classmethod
    def _known_architecture(cls, value: str) -> str:
        if value not in ARCHITECTURES:
            raise ValueError(f"no such architecture; known are: {', '.join(ARCHITECTURES)}")
        return value

    @field_validator("augmentation")
    @classmethod
    def _known_augmentation(cls, value: dict[str, float]) -> dict[str, float]:
        unknown = set(value) - {f.name for f in fields(AugmentationSpec)}
        if unknown:
            raise ValueError(f"unknown changes: {', '.join(sorted(unknown))}")
        return value

    @property
    def normalisation_spec(self) -> NormalisationSpec:
        return NormalisationSpec(grayscale=self.grayscale, per_image=self.per_image)

    @property
    def augmentation_spec(self) -> AugmentationSpec:
        return AugmentationSpec(**self.augmentation)


def read_config(path: Path) -> TrainingConfig:
    """Raises EmostreamError, naming the file and the field, if it is no valid recipe."""
    try:
        content: Any = yaml.safe_load(path.read_text())
        return TrainingConfig.model_validate(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise EmostreamError(f"{path}: {error}") from error
