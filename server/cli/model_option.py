"""Which model: what several commands are told, and a shell can complete."""

from collections.abc import Iterator
from typing import Annotated

import typer

from ..exceptions import EmostreamError
from ..models.weights import WeightsStore
from ..settings import read_settings


def known_models(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names that begin so, with what they are: ensembles, then single networks."""
    try:
        catalogue = WeightsStore(read_settings().weights_dir).catalogue()
    except EmostreamError:
        return  # a shell has no place for errors
    descriptions = dict.fromkeys(catalogue.ensemble_names, "ensemble") | {
        name: entry.description for name, entry in catalogue.models.items()
    }
    yield from ((name, text) for name, text in descriptions.items() if name.startswith(incomplete))


ModelOption = Annotated[
    str | None,
    typer.Option(help="Model or ensemble, or models with commas between.", autocompletion=known_models),
]

#: For commands that take runs and weights files, too; ``emostream.loading.find_model`` makes sense of it.
ModelArgument = Annotated[
    str,
    typer.Argument(
        help="Of the catalogue, commas between several; or a run's folder or weights.",
        autocompletion=known_models,
    ),
]
