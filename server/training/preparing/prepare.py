"""``emostream data prepare``: any source in, the prepared form out.

The form: a folder with ``dataset.json`` (``Manifest``), for each split an ``.npz`` with ``images`` uint8
(N, S, S) or (N, S, S, 3), ``targets`` float32 (N, C), ``names`` and, where it is known what belongs
together, ``groups`` int64 (N,), a ``.csv`` where the source says more of its images, and ``rejects.csv`` with
the name, the split and the reason of every image that was left out.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.progress import Progress

from ...exceptions import DatasetError
from ...files import replacing, sha256_of
from ...inert import in_cell
from ..datasets import FORM, MANIFEST, FaceDataset
from .class_folders import ClassFolders, Grouping
from .fer2013 import VOTES_FILE, Fer2013
from .ferplus import Ferplus, ferplus_parts
from .images import Cutter, Detector, Pixels
from .labelled_table import LabelledTable, holds_table
from .sample import SPLITS, Reason, Sample, Source
from .selection import with_selection

Numbering = Literal["raf-db", "affectnet", "fer2013"]


@dataclass(frozen=True)
class Options:
    """What a prepared set depends on beside its source; kept in its manifest."""

    side: int = 48
    colour: bool = False
    detect: bool = False
    min_side: int = 24  # what is looked for in whole images, too
    shares: tuple[float, float, float] | None = None  # None: by the number of images
    seed: int = 0
    numbering: Numbering | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None  # None: by the names of the class folders
    grouping: Grouping | None = None
    selection: float = 0.0  # share of the training split that is kept aside to choose on
    corrections: str | None = None  # name of a table of labels that somebody has looked at
    drop_repeated: bool = False  # images of other splits whose very pixels the training split has, too


class SplitFacts(BaseModel):
    """``counts`` has the images of each label, by the largest share of their targets; ``rejects`` those
    left out, by reason. ``also_in_train`` counts images, not left out, whose very pixels the training
    split has, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pictures: int
    counts: dict[str, int]
    rejects: dict[str, int]
    also_in_train: int = 0


class Manifest(BaseModel):
    """``dataset.json``. ``sha256`` is of the names and contents of all files of the source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: int = FORM
    name: str
    kind: str
    sha256: str
    options: dict[str, object]
    labels: tuple[str, ...]
    side: int
    channels: Literal[1, 3]
    splits: dict[str, SplitFacts]


@dataclass(frozen=True)
class Prepared:
    """``is_new`` is False where the same source had been prepared in the same way before."""

    manifest: Manifest
    is_new: bool


def find_source(
    path: Path, options: Options, votes: Path | None = None, corrections: Path | None = None
) -> Source:
    """What ``path`` holds: ``fer2013.csv`` (or is that file), splits of FER+, a table of labels, or class
    folders.

    ``votes`` names the file of FER+'s votes for ``fer2013.csv``, else one beside it is taken;
    ``corrections`` one of labels that replace those of a table. Raises DatasetError if it is none of them.
    """
    for option, file in (("--votes", votes), ("--corrections", corrections)):
        if file is not None and not file.is_file():
            raise DatasetError(f"{option} {file}: there is no such file")
    if holds_table(path):
        if votes is not None:
            raise DatasetError(f"--votes {votes} belongs to a fer2013.csv, and {path} is none")
        return LabelledTable(path, options.shares, options.seed, options.mapping, corrections)
    if corrections is not None:
        raise DatasetError(f"--corrections {corrections} belongs to a table of labels, and {path} holds none")
    table = path / "fer2013.csv" if path.is_dir() else path
    if table.is_file():
        if table.suffix != ".csv":
            raise DatasetError(f"{path} is no table: name fer2013.csv, or the folder that holds the data set")
        beside = table.with_name(VOTES_FILE)
        return Fer2013(table, votes or (beside if beside.is_file() else None))
    if not path.is_dir():
        raise DatasetError(f"{path}: there is no such file or folder")
    if votes is not None:
        raise DatasetError(f"--votes {votes} belongs to a fer2013.csv, and {path} holds none")
    if parts := ferplus_parts(path):
        return Ferplus(parts)
    return ClassFolders(
        path,
        options.shares,
        options.seed,
        options.mapping,
        options.numbering,
        options.labels,
        options.grouping,
    )


def prepare(
    source: Source,
    root: Path,
    out: Path,
    options: Options,
    progress: Progress,
    detector: Detector | None = None,
    force: bool = False,
) -> Prepared:
    """Writes ``out``, or leaves it as it is where it is of the same source and options.

    A run that ends early leaves ``out`` as it was. Raises DatasetError if ``out`` is something else (with
    ``force``: something that is no prepared data set), if a line of the source can't be used, or if a split
    comes out empty.
    """
    if isinstance(source, ClassFolders) and out.resolve().is_relative_to(root.resolve()):
        raise DatasetError(f"--out {out} lies in {root}, where it would be taken for a class: name another")
    sha256 = _sha256(source.files, root, progress)
    known = _check_out(out, force)
    # As JSON has them.
    given = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(options).items()}
    if known is not None and (known.form, known.kind, known.sha256, known.options) == (
        FORM,
        source.kind,
        sha256,
        given,
    ):
        return Prepared(known, is_new=False)
    if known is not None and not force:
        raise DatasetError(
            f"{out} has been prepared from another source or with other options: name another folder, or say "
            "--force to replace it"
        )
    samples = source.samples(progress)
    if options.selection:
        samples = with_selection(samples, options.selection, options.seed, progress)
    cutter = Cutter(options.side, options.colour, options.min_side, detector)
    with replacing(out) as temporary:
        temporary.mkdir(parents=True)
        facts = _write_splits(samples, source.labels, cutter, options.drop_repeated, temporary, progress)
        manifest = Manifest(
            name=root.resolve().name if root.is_dir() else root.resolve().parent.name,
            kind=source.kind,
            sha256=sha256,
            options=given,
            labels=source.labels,
            side=options.side,
            channels=3 if options.colour else 1,
            splits=facts,
        )
        (temporary / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    return Prepared(manifest, is_new=True)


def _check_out(out: Path, force: bool) -> Manifest | None:
    """The manifest of what is there; None where nothing is, or where ``force`` may replace it."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not (out / MANIFEST).is_file():
        raise DatasetError(f"{out} is there and is no prepared data set: name another folder")
    try:
        return Manifest.model_validate_json((out / MANIFEST).read_text())
    except ValidationError as error:
        if force:
            return None
        raise DatasetError(f"{out}/{MANIFEST} is broken or of another version: say --force") from error


def _sha256(files: list[Path], root: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    base = root if root.is_dir() else root.parent
    for file in progress.track(files, description="reading"):
        name = file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name
        digest.update(f"{sha256_of(file)}  {name}\n".encode())
    return digest.hexdigest()


def _write_splits(
    samples: list[Sample],
    labels: tuple[str, ...],
    cutter: Cutter,
    drop_repeated: bool,
    folder: Path,
    progress: Progress,
) -> dict[str, SplitFacts]:
    facts: dict[str, SplitFacts] = {}
    learnt: set[bytes] = set()
    with (folder / "rejects.csv").open("w", newline="") as file:
        rejects = csv.writer(file, lineterminator="\n")
        rejects.writerow(("name", "split", "reason"))
        for split in SPLITS:
            listed = [sample for sample in samples if sample.split == split]
            if not listed:
                continue
            names, data, rejected = _cut(listed, labels, cutter, progress)
            digests = [hashlib.sha256(image).digest() for image in data.images]
            repeated = np.array([digest in learnt for digest in digests], bool)
            if split == "train":
                learnt.update(digests)
            elif drop_repeated:
                rejected += [(names[index], Reason.IN_TRAIN) for index in np.flatnonzero(repeated)]
                names = [names[index] for index in np.flatnonzero(~repeated)]
                kept_groups = None if data.groups is None else data.groups[~repeated]
                data = FaceDataset(data.images[~repeated], data.targets[~repeated], labels, kept_groups)
                repeated = repeated[~repeated]
            rejects.writerows((in_cell(name), split, reason.value) for name, reason in rejected)
            reasons = Counter(reason.value for _, reason in rejected)
            if not names:
                raise DatasetError(
                    f"not one image of the split {split} can be used: "
                    + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
                )
            arrays: dict[str, Any] = {
                "images": data.images,
                "targets": data.targets,
                "names": np.array(names),
            }
            if data.groups is not None:
                arrays["groups"] = data.groups
            np.savez(folder / f"{split}.npz", **arrays)
            _write_columns({sample.name: sample.columns for sample in listed}, names, folder / f"{split}.csv")
            facts[split] = SplitFacts(
                pictures=len(names),
                counts=dict(
                    zip(
                        labels,
                        np.bincount(data.targets.argmax(1), minlength=len(labels)).tolist(),
                        strict=True,
                    )
                ),
                rejects=dict(sorted(reasons.items())),
                also_in_train=int(repeated.sum()),
            )
    if not facts:
        raise DatasetError("the source lists no image")
    return facts


def _write_columns(columns_of: Mapping[str, Mapping[str, str]], names: list[str], file: Path) -> None:
    """What the source says of the images beside their labels, if anything."""
    columns = list(dict.fromkeys(column for name in names for column in columns_of[name]))
    if columns:
        with file.open("w", newline="") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(("image", *columns))
            table.writerows(
                (name, *(columns_of[name].get(column, "") for column in columns)) for name in names
            )


def _cut(
    samples: list[Sample], labels: tuple[str, ...], cutter: Cutter, progress: Progress
) -> tuple[list[str], FaceDataset, list[tuple[str, Reason]]]:
    """Names, pixels and targets of those that can be used, and those that cannot."""
    shape = (cutter.side, cutter.side, 3) if cutter.colour else (cutter.side, cutter.side)
    # Of the size of all, filled from the start: nothing is in memory twice.
    images = np.empty((len(samples), *shape), np.uint8)
    targets = np.empty((len(samples), len(labels)), np.float32)
    groups: list[int] = []
    names: list[str] = []
    rejected: list[tuple[str, Reason]] = []
    for sample in progress.track(samples, description=samples[0].split):
        if isinstance(sample.label, Reason):
            rejected.append((sample.name, sample.label))
            continue
        pixels: Pixels | Reason = cutter(sample)
        if isinstance(pixels, Reason):
            rejected.append((sample.name, pixels))
            continue
        images[len(names)], targets[len(names)] = pixels, sample.label
        names.append(sample.name)
        if sample.group is not None:
            groups.append(sample.group)
    n = len(names)
    numbered = np.array(groups, np.int64) if groups else None
    return names, FaceDataset(images[:n], targets[:n], labels, numbered), rejected
