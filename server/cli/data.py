"""``emostream data``: converts data sets into the format that training and evaluation read."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..detection.detector import FaceDetector
from ..exceptions import DatasetError
from ..process import configure_process
from ..settings import read_settings
from ..training.preparing.class_folders import Grouping
from ..training.preparing.prepare import Manifest, Numbering, Options, find_source, prepare
from .console import messages, progress_bar, results
from .lazy import examples

app = typer.Typer(help="Prepare data sets.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Prepare data sets."""


@app.command("prepare", epilog=examples("emostream data prepare ~/fer2013 --out data/fer2013"))
def prepare_(
    source: Annotated[
        Path,
        typer.Argument(
            help="fer2013.csv; a tar file or folder with label.csv; FER+; or one folder per class."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the prepared data set.")],
    side: Annotated[int, typer.Option(min=16, max=512, help="Side of the prepared images, in px.")] = 48,
    colour: Annotated[bool, typer.Option("--colour/--grey", help="RGB, or luma only.")] = False,
    detect: Annotated[
        bool, typer.Option("--detect", help="Crop the face. Default: the images are crops already.")
    ] = False,
    min_side: Annotated[int, typer.Option(min=1, help="Drop smaller images, in px.")] = 24,
    votes: Annotated[
        Path | None, typer.Option(help="FER+'s fer2013new.csv, if not beside fer2013.csv.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Shares of train, valid and test, for class folders without splits. "
            "\\[default: 0.8,0.1,0.1; of fewer than 1,000 images 0.7,0.3,0]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random split.")] = 0,
    numbers: Annotated[Numbering | None, typer.Option(help="Numbering of the class folders.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Your own labels in order, separated by commas, such as bored,focused.", metavar="LABEL,…"
        ),
    ] = None,
    group_by: Annotated[
        Grouping | None,
        typer.Option(
            help="Images to keep in one split besides copies: those of one folder below a class, or those "
            "whose names only differ by a number at the end (of a person or recording)."
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FOLDER=LABEL", help="Label of a class folder; FOLDER= drops its images."
        ),
    ] = None,
    selection: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="Share of the training split to set aside for choosing: DIR/selection.",
        ),
    ] = 0.0,
    corrections: Annotated[
        Path | None,
        typer.Option(help="For a table of labels: a table of image and emotion that replaces some."),
    ] = None,
    drop_repeated: Annotated[
        bool, typer.Option("--drop-repeated", help="Drop images that are also in the training split.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace another data set in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Convert a data set into the format that train and evaluate read (docs/training.md)."""
    configure_process()
    options = Options(
        side=side,
        colour=colour,
        detect=detect,
        min_side=min_side,
        shares=None if split is None else _shares(split),
        seed=seed,
        numbering=numbers,
        mapping=_mapping(mapping or []),
        labels=None if labels is None else tuple(label.strip() for label in labels.split(",")),
        grouping=group_by,
        selection=selection,
        corrections=None if corrections is None else corrections.name,
        drop_repeated=drop_repeated,
    )
    found = find_source(source, options, votes, corrections)
    detector = FaceDetector.load(read_settings().faces_dir, min_side) if detect else None
    with progress_bar() as progress:
        prepared = prepare(found, source, out, options, progress, detector, force)
    if as_json:
        typer.echo(prepared.manifest.model_dump_json(indent=2))
    else:
        _show(prepared.manifest)
    if prepared.is_new:
        messages.print(f"written to {out}; dropped images are listed in {out / 'rejects.csv'}")
    else:
        messages.print(
            f"{out} was already prepared from the same source with the same options: nothing to do"
        )
    for name, facts in prepared.manifest.splits.items():
        if facts.also_in_train:
            repeated = f"{facts.also_in_train} images of {name} are also in train"
            messages.print(f"{repeated}; --drop-repeated drops them", style="yellow")


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, valid, test = (float(share) for share in text.split(","))
    except ValueError as error:
        raise DatasetError(f"--split {text}: three shares, such as 0.8,0.1,0.1") from error
    if min(train, valid, test) < 0 or train == 0 or abs(train + valid + test - 1) > 1e-6:
        raise DatasetError(f"--split {text}: the shares must add up to 1, and that of train must not be 0")
    return train, valid, test


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        name, equals, label = pair.partition("=")
        if not equals or not name:
            raise DatasetError(f"--map {pair}: folder and label, such as --map glad=happiness")
        mapping[name] = label
    return mapping


def _show(manifest: Manifest) -> None:
    splits = manifest.splits.values()
    colours = "RGB" if manifest.channels == 3 else "grey"
    # Not the table's title, which would be wrapped to the table's width.
    results.print(f"{manifest.name}: {manifest.kind}, {manifest.side} px, {colours}", style="italic")
    table = Table(box=None)
    table.add_column("")
    for split in manifest.splits:
        table.add_column(split, justify="right")
    for label in manifest.labels:
        table.add_row(label, *(f"{facts.counts[label]:,}" for facts in splits))
    table.add_row("images", *(f"{facts.images:,}" for facts in splits), style="bold")
    for reason in sorted({reason for facts in splits for reason in facts.rejects}):
        table.add_row(
            f"dropped: {reason}", *(f"{facts.rejects.get(reason, 0):,}" for facts in splits), style="dim"
        )
    results.print(table)
