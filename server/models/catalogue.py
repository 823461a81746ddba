"""The catalogue of models, with their architecture, labels, normalisation and source, and of ensembles.

``catalogue.toml`` beside this file lists the built-in ones. A user's file of the same form may add others
(``emostream weights import`` writes one).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from ..choices import Policy
from ..exceptions import ModelError, UnknownModelError, did_you_mean
from .factory import ARCHITECTURES, input_size
from .normalisation import IMAGENET_MEAN_RGB, IMAGENET_STD_RGB, NormalisationSpec

_BUILT_IN = Path(__file__).with_name("catalogue.toml")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_TableT = TypeVar("_TableT", bound=_Table)


class _NormalisationTable(_Table):
    grayscale: bool = False
    per_image: bool = False
    mean: tuple[float, float, float] = IMAGENET_MEAN_RGB
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = IMAGENET_STD_RGB


class ModelEntry(_Table):
    """One trained network. ``labels`` are in the order of its outputs.

    ``input_size`` is the side in pixels of its input images. It is optional, but must match the architecture.

    ``mirrored`` is test-time augmentation, as for an ensemble.

    Its weights are a file of this package (``shipped``) or of this machine (``path``), or are downloaded from
    Google Drive (``drive``, a file's id) or a URL (``url``).
    """

    name: str
    architecture: str
    labels: tuple[str, ...] = Field(min_length=2)
    description: str = ""
    input_size: int | None = None
    normalisation: _NormalisationTable = _NormalisationTable()
    mirrored: bool = False
    shipped: str | None = None
    path: Path | None = None
    drive: str | None = None
    url: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    licence: str = "unknown"
    citation: str = ""

    @model_validator(mode="after")
    def _check(self) -> "ModelEntry":
        if self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            hint = did_you_mean(self.architecture, ARCHITECTURES)
            raise ValueError(f"no architecture {self.architecture!r}{hint}; known are: {known}")
        side = input_size(self.architecture)
        if self.input_size not in (None, side):
            raise ValueError(f"{self.architecture} takes images of {side} px, not of {self.input_size}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label appears twice")
        if sum(source is not None for source in (self.shipped, self.path, self.drive, self.url)) != 1:
            raise ValueError("exactly one of shipped, path, drive and url must be given")
        return self

    @property
    def normalisation_spec(self) -> NormalisationSpec:
        return NormalisationSpec(**self.normalisation.model_dump())

    @property
    def source(self) -> str:
        """Where the weights come from, for display."""
        if self.drive is not None:
            return f"Google Drive {self.drive}"
        return self.url or (str(self.path) if self.path else "shipped")


class _EnsembleTable(_Table):
    members: tuple[str, ...] = Field(min_length=1)
    policy: Policy = Policy.MEAN
    weights: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None
    #: by member: its label -> the ensemble's label, or "" to exclude it
    mapping: dict[str, dict[str, str]] = Field(default_factory=dict)
    temperature: float = Field(default=1.0, gt=0)
    mirrored: bool = False
    description: str = ""


@dataclass(frozen=True)
class EnsembleEntry:
    """Networks whose predictions are combined. ``labels`` are in the order of the probabilities.

    ``temperature`` sharpens them: the mean of several networks is less confident than any of them.
    ``mirrored`` is test-time augmentation: each member's probabilities are the mean over the crop and its
    mirror image, at twice the cost.
    """

    name: str
    labels: tuple[str, ...]
    members: tuple[ModelEntry, ...]
    policy: Policy = Policy.MEAN
    weights: tuple[float, ...] = ()  # one per member with Policy.WEIGHTED, summing to 1
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    temperature: float = 1.0
    mirrored: bool = False

    def columns(self, member: ModelEntry) -> tuple[tuple[int, ...], ...]:
        """The member's outputs for each of the ensemble's labels.

        Raises ModelError if a label of either side has no counterpart.
        """
        mapping = self.mapping.get(member.name, {})
        targets = [mapping.get(label, label) for label in member.labels]
        unknown = [label for label in targets if label and label not in self.labels]
        columns = tuple(
            tuple(index for index, target in enumerate(targets) if target == label) for label in self.labels
        )
        missing = [label for label, column in zip(self.labels, columns, strict=True) if not column]
        if unknown or missing:
            problem = f"does not know {', '.join(missing)}" if missing else f"also knows {', '.join(unknown)}"
            raise ModelError(
                f"{member.name} {problem}, unlike the ensemble {self.name} ({', '.join(self.labels)}): "
                f"give a mapping of its labels, or leave it out"
            )
        return columns


class Catalogue:
    """The known models and ensembles."""

    def __init__(self, models: Mapping[str, ModelEntry], ensembles: Mapping[str, _EnsembleTable]) -> None:
        self.models = dict(models)
        self._ensembles = dict(ensembles)

    @property
    def ensemble_names(self) -> tuple[str, ...]:
        return tuple(self._ensembles)

    def model(self, name: str) -> ModelEntry:
        """Raises UnknownModelError."""
        if name not in self.models:
            raise UnknownModelError(name, (*self._ensembles, *self.models))
        return self.models[name]

    def members(self, name: str) -> tuple[ModelEntry, ...]:
        """The networks of an ensemble, or the one model of that name. Raises UnknownModelError."""
        names = self._ensembles[name].members if name in self._ensembles else (name,)
        return tuple(self.model(member) for member in names)

    def _member(self, name: str) -> ModelEntry:
        if name in self._ensembles:
            parts = ", ".join(self._ensembles[name].members)
            raise ModelError(f"{name} is an ensemble and cannot be part of another; its members are: {parts}")
        return self.model(name)

    def find(
        self, names: str, policy: Policy | None = None, weights: tuple[float, ...] = ()
    ) -> EnsembleEntry:
        """The ensemble of that name, or one of several models whose names are separated by commas.

        ``policy`` and ``weights``, if given, replace the ensemble's own. Raises UnknownModelError, and
        ModelError if the members do not fit together.
        """
        table = self._ensembles.get(names)
        if table is None:
            members = tuple(part.strip() for part in names.split(",") if part.strip())
            if not members:
                raise UnknownModelError(names, (*self._ensembles, *self.models))
            table = _EnsembleTable(members=members)
        models = tuple(self._member(member) for member in table.members)
        policy = policy or (Policy.WEIGHTED if weights else table.policy)
        entry = EnsembleEntry(
            name=names,
            labels=table.labels or models[0].labels,
            members=models,
            policy=policy,
            weights=_normalised(weights or table.weights or (), len(models), policy, names),
            mapping=table.mapping,
            temperature=table.temperature,
            mirrored=table.mirrored,
        )
        for member in models:
            entry.columns(member)
        return entry


def read_catalogue(user_file: Path | None = None) -> Catalogue:
    """Reads the built-in catalogue and adds or replaces entries by those of ``user_file``, if it exists.

    Raises ModelError, naming the file and the entry, if it cannot be read.
    """
    models: dict[str, ModelEntry] = {}
    ensembles: dict[str, _EnsembleTable] = {}
    for file in (_BUILT_IN, user_file):
        if file is None or not file.is_file():
            continue
        try:
            content = tomllib.loads(file.read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ModelError(f"{file}: {error}") from error
        for name, table in content.get("models", {}).items():
            models[name] = parse_model(name, table, file)
        for name, table in content.get("ensembles", {}).items():
            ensembles[name] = _parse(_EnsembleTable, table, file, name)
    return Catalogue(models, ensembles)


def parse_model(name: str, content: Mapping[str, Any], place: str | Path) -> ModelEntry:
    """Parses a model's table. Raises ModelError that names ``place`` and what is wrong."""
    return _parse(ModelEntry, {"name": name, **content}, place, name)


def _parse(table_class: type[_TableT], content: Mapping[str, Any], place: str | Path, name: str) -> _TableT:
    try:
        return table_class.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field_name = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        problem = f"{field_name}: {message}" if field_name else message
        raise ModelError(f"{place}: {name}: {problem}") from error


def _normalised(weights: tuple[float, ...], members: int, policy: Policy, name: str) -> tuple[float, ...]:
    if policy is not Policy.WEIGHTED:
        return ()
    if len(weights) != members or min(weights) < 0 or sum(weights) <= 0:
        raise ModelError(
            f"{name}: the policy weighted needs a weight of at least 0 for each of {members} members"
        )
    return tuple(weight / sum(weights) for weight in weights)
