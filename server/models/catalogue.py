"""Which models there are: names, files, labels and what each network wants to see (``catalogue.toml``)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from server.exceptions import ModelError, UnknownModelError
from server.models.normalisation import NormalisationSpec

_CATALOGUE = Path(__file__).with_name("catalogue.toml")
_WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class ModelEntry:
    """One trained network. ``labels`` are in the order of its outputs."""

    name: str
    architecture: str
    labels: tuple[str, ...]
    normalisation: NormalisationSpec
    file: Path
    licence: str
    description: str


@dataclass(frozen=True)
class EnsembleEntry:
    """Networks whose probabilities are averaged. ``labels`` are in the order of the ensemble's answers."""

    name: str
    labels: tuple[str, ...]
    members: tuple[ModelEntry, ...]


def find(name: str) -> EnsembleEntry:
    """The ensemble of that name, or a model of that name as an ensemble of one.

    Raises UnknownModelError for neither, and ModelError if members do not know the same labels.
    """
    models, ensembles = _read()
    if name in models:
        members: tuple[ModelEntry, ...] = (models[name],)
    elif name in ensembles:
        members = tuple(models[member] for member in ensembles[name])
    else:
        raise UnknownModelError(name, (*ensembles, *models))
    labels = members[0].labels
    for member in members[1:]:
        if set(member.labels) != set(labels):
            raise ModelError(
                f"{member.name} knows the labels {', '.join(member.labels)}, but {members[0].name} knows "
                f"{', '.join(labels)}: they cannot be averaged"
            )
    return EnsembleEntry(name, labels, members)


@cache
def _read() -> tuple[dict[str, ModelEntry], dict[str, tuple[str, ...]]]:
    content = tomllib.loads(_CATALOGUE.read_text())
    models = {
        name: ModelEntry(
            name=name,
            architecture=entry["architecture"],
            labels=tuple(entry["labels"]),
            normalisation=NormalisationSpec(**entry["normalisation"]),
            file=_WEIGHTS / entry["file"],
            licence=entry["licence"],
            description=entry["description"],
        )
        for name, entry in content["models"].items()
    }
    return models, {name: tuple(entry["members"]) for name, entry in content["ensembles"].items()}
