"""The option and argument for a model, with shell completion, that several commands share."""

from collections.abc import Iterator
from typing import Annotated

import typer

from ..exceptions import EmostreamError
from ..models.weights import WeightsStore
from ..settings import read_settings


def known_models(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names with this prefix and their descriptions: ensembles, then single networks."""
    try:
        catalogue = WeightsStore(read_settings().weights_dir).catalogue()
    except EmostreamError:
        return  # a shell's completion cannot show errors
    descriptions = dict.fromkeys(catalogue.ensemble_names, "ensemble") | {
        name: entry.description for name, entry in catalogue.models.items()
    }
    yield from ((name, text) for name, text in descriptions.items() if name.startswith(incomplete))


ModelOption = Annotated[
    str | None,
    typer.Option(
        help="Model or ensemble, or several models separated by commas.", autocompletion=known_models
    ),
]

#: For commands that accept runs and weights files, too; ``emostream.loading.find_model`` resolves it.
ModelArgument = Annotated[
    str,
    typer.Argument(
        help="Names from the catalogue, separated by commas; or a run's folder or weights file.",
        autocompletion=known_models,
    ),
]
