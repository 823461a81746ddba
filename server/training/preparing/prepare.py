"""``emostream data prepare``: converts any source to the prepared format.

The format is a folder with ``dataset.json`` (``Manifest``) and, for each split, an ``.npz`` with ``images``
uint8 (N, S, S) or (N, S, S, 3), ``targets`` float32 (N, C), ``names`` and, if related images are known,
``groups`` int64 (N,). A split also has a ``.csv`` if the source has further columns. ``rejects.csv`` has the
name, the split and the reason of every rejected image.
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
    """Everything besides the source that a prepared data set depends on; stored in its manifest."""

    side: int = 48
    colour: bool = False
    detect: bool = False
    min_side: int = 24  # also the smallest face to detect in whole images
    shares: tuple[float, float, float] | None = None  # None: depends on the number of images
    seed: int = 0
    numbering: Numbering | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None  # None: from the names of the class folders
    grouping: Grouping | None = None
    selection: float = 0.0  # share of the training split held out for choices
    corrections: str | None = None  # name of a table of reviewed labels
    drop_repeated: bool = False  # reject images whose exact pixels are in the training split, too


class SplitFacts(BaseModel):
    """``counts`` has the number of images of each label, by the largest share of their targets; ``rejects``
    that of rejected images by reason. ``also_in_train`` counts images that were kept although their exact
    pixels are in the training split, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: int
    counts: dict[str, int]
    rejects: dict[str, int]
    also_in_train: int = 0


class Manifest(BaseModel):
    """``dataset.json``. ``sha256`` covers the names and contents of all files of the source."""

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
    """``is_new`` is False if the same source had already been prepared with the same options."""

    manifest: Manifest
    is_new: bool


def find_source(
    path: Path, options: Options, votes: Path | None = None, corrections: Path | None = None
) -> Source:
    """The source at ``path``: ``fer2013.csv`` or a folder with it, splits of FER+, a table of labels, or
    class folders.

    ``votes`` is the file of FER+'s votes for ``fer2013.csv``; the default is one beside it. ``corrections``
    is a file of labels that replace those of a table. Raises DatasetError if ``path`` is none of these.
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
    """Writes ``out``, unless it is already of the same source and options.

    An interrupted run does not change ``out``. Raises DatasetError if ``out`` is something else (with
    ``force``: something that is no prepared data set), if a line of the source cannot be used, or if a split
    would be empty.
    """
    if isinstance(source, ClassFolders) and out.resolve().is_relative_to(root.resolve()):
        raise DatasetError(f"--out {out} lies in {root}, where it would be taken for a class: name another")
    sha256 = _sha256(source.files, root, progress)
    known = _check_out(out, force)
    # Lists instead of tuples, as in JSON.
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
    """The manifest of an existing data set; None if there is nothing, or if ``force`` may replace it."""
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
                images=len(names),
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
    """Writes the source's further columns about the images, if there are any."""
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
    """Names, pixels and targets of the usable samples, and the rejected ones."""
    shape = (cutter.side, cutter.side, 3) if cutter.colour else (cutter.side, cutter.side)
    # Allocated for all samples and filled from the start, so that nothing is in memory twice.
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
