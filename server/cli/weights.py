"""``emostream weights``: lists the known networks, and downloads, checks and imports weights."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..exceptions import WeightsError
from ..models.factory import ARCHITECTURES, input_size
from ..models.weight_file import WEIGHTS_FILE
from ..models.weights import Import, State, WeightsStore
from ..settings import read_settings
from .console import download_progress, messages, results
from .lazy import examples
from .model_option import known_models

app = typer.Typer(help="List, download, check and import networks' weights.", no_args_is_help=True)

_STYLES = {State.READY: "green", State.ABSENT: "dim", State.CHANGED: "red"}


def _store() -> WeightsStore:
    return WeightsStore(read_settings().weights_dir)


@app.command("list", epilog=examples("emostream weights list", "emostream weights list --json"))
def list_models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every known model and whether its weights are on this machine."""
    store = _store()
    catalogue = store.catalogue()
    in_use = store.in_use()
    rows = [
        {
            "name": entry.name,
            "in_use": entry.name == in_use,
            "state": store.state(entry).value,
            "architecture": entry.architecture,
            "labels": list(entry.labels),
            "input_size": input_size(entry.architecture),
            "normalisation": entry.normalisation.model_dump(),
            "source": entry.source,
            "sha256": store.expected_sha256(entry),
            "licence": entry.licence,
            "description": entry.description,
            "citation": entry.citation,
        }
        for entry in catalogue.models.values()
    ]
    ensembles = {name: [m.name for m in catalogue.members(name)] for name in catalogue.ensemble_names}
    if as_json:
        typer.echo(json.dumps({"models": rows, "ensembles": ensembles, "in_use": in_use}, indent=2))
        return

    def mark(name: str) -> str:
        return " [cyan](in use)[/]" if name == in_use else ""

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("model", "weights", "classes", "description"):
        table.add_column(heading, overflow="fold")
    for row, entry in zip(rows, catalogue.models.values(), strict=True):
        style = _STYLES[State(row["state"])]
        table.add_row(
            entry.name + mark(entry.name),
            f"[{style}]{row['state']}[/]",
            str(len(entry.labels)),
            entry.description,
        )
    for name, members in ensembles.items():
        table.add_row(f"[bold]{name}[/]{mark(name)}", "", "", f"ensemble of {', '.join(members)}")
    results.print(table)


@app.command(epilog=examples("emostream weights pull poster-v2-occlusion"))
def pull(
    names: Annotated[list[str], typer.Argument(help="Models or ensembles.", autocompletion=known_models)],
) -> None:
    """Download weights. An interrupted download is resumed."""
    store = _store()
    catalogue = store.catalogue()
    for entry in dict.fromkeys(member for name in names for member in catalogue.members(name)):
        pinned_before = store.expected_sha256(entry)
        with download_progress(entry.name) as progress:
            path = store.pull(entry, progress)
        messages.print(f"{entry.name} is at {path}")
        pinned = store.expected_sha256(entry)
        if pinned_before is None and pinned is not None:
            messages.print(
                f"  Its authors publish no hash. This file's hash is now pinned: {pinned}", style="dim"
            )


@app.command(epilog=examples("emostream weights verify"))
def verify(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Read all weights on this machine and compare their hashes with the known or pinned ones."""
    store = _store()
    entries = store.catalogue().models.values()
    states = {entry.name: store.state(entry, check_hash=True) for entry in entries}
    if as_json:
        typer.echo(json.dumps({name: state.value for name, state in states.items()}, indent=2))
    else:
        for entry in entries:
            state = states[entry.name]
            if state is not State.ABSENT:
                known = "" if store.expected_sha256(entry) else " (no known hash)"
                results.print(f"[{_STYLES[state]}]{state.value:8}[/]{entry.name}{known}")
    changed = [name for name, state in states.items() if state is State.CHANGED]
    if changed:
        raise WeightsError(
            f"changed since they were pinned: {', '.join(changed)}; delete them and pull them again"
        )


@app.command(epilog=examples("emostream weights use candidate", "emostream weights use default"))
def use(
    name: Annotated[str, typer.Argument(help="Model or ensemble.", autocompletion=known_models)],
) -> None:
    """Choose the model that is used unless --model or EMOSTREAM_MODEL names another."""
    store = _store()
    before = store.in_use()
    entry = store.use(name)
    messages.print(f"{name} is in use: {', '.join(entry.labels)}. Restart running servers.")
    if before != name:
        messages.print(f"  To undo: emostream weights use {before}", style="dim")
    settings = read_settings()
    if settings.model_file is not None:
        messages.print(f"  MODEL_FILE is set and overrides it: {settings.model_file}", style="yellow")
    elif "model" in settings.model_fields_set:
        messages.print(f"  EMOSTREAM_MODEL is set and overrides it: {settings.model}", style="yellow")


@app.command(
    "import",
    epilog=examples(
        "emostream weights import runs/mine/model.safetensors --name mine",
        "emostream weights import mine.pth --labels calm,tense,bored --arch dan",
    ),
)
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Checkpoint or .safetensors.")],
    labels: Annotated[
        str | None,
        typer.Option(help="Labels in the outputs' order, separated by commas. Default: the file's."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help=f"One of {', '.join(ARCHITECTURES)}. \\[default: the file's own, or poster_v2]"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model. Default: the file's name.")] = None,
    mean: Annotated[
        tuple[float, float, float] | None, typer.Option(help="RGB. Default: the file's own, or ImageNet's.")
    ] = None,
    std: Annotated[
        tuple[float, float, float] | None, typer.Option(help="RGB. Default: the file's own, or ImageNet's.")
    ] = None,
) -> None:
    """Add your own weights: check them against the architecture, copy them, and give them a name.

    Files from `emostream train` contain labels, architecture and normalisation.
    """
    words = None if labels is None else tuple(word.strip() for word in labels.split(",") if word.strip())
    called = name or (file.resolve().parent.name if file.name == WEIGHTS_FILE else file.stem)
    entry = _store().add(Import(called, file, arch, words, mean, std))
    messages.print(f"{entry.name} can be used now: EMOSTREAM_MODEL={entry.name} emostream serve")
