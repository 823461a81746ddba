"""Which model: an option of several commands, whose values a shell can complete."""

from collections.abc import Iterator
from typing import Annotated

import typer

from server.exceptions import EmostreamError
from server.models.weights import WeightsStore
from server.settings import read_settings


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
