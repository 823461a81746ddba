"""Whether doubt falls on wrong answers, and on what a camera does to faces; and which covers are seen.

    python -m bench.quality data/ferplus photographs.tar    # tables, and results/risk-coverage.png

``data/ferplus`` is FER+ as ``emostream data prepare`` writes it. The tar file holds photographs of one face
each and their ``label.csv`` (image, emotion, person). The report is on FER+'s validation split and on the
photographs of the half of the people whom nothing was chosen on.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from emostream.analysis.finder import FaceFinder
from emostream.detection.detector import FaceDetector
from emostream.detection.verifier import ANSWERS, shared_verifier
from emostream.inference import Recognizer
from emostream.loading import load_recognizer
from emostream.process import configure_process
from emostream.quality.assessment import MIN_COVERED, Assessment, assess, reasons_of
from emostream.quality.covering import covered
from emostream.quality.measures import MEASURED_PX, measure_crop
from emostream.settings import read_settings
from emostream.training.datasets import LABELS, read_prepared
from emostream.training.occlusion import HEADSET, MASK, Region, cover, cover_block
from rich.progress import track

from bench.labelled import labelled_photographs

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_PLOT = Path(__file__).with_name("results") / "risk-coverage.png"


@dataclass(frozen=True)
class Seen:
    """A face as the networks get it, uint8 (48, 48, 3) RGB, its label's place, and how well it is seen."""

    crop: Pixels
    label: int
    assessment: Assessment


# What covers a face


def worn(faces: Floats, region: Region, rng: np.random.Generator) -> Floats:
    """Grey faces (N, 48, 48) with a mask or headset drawn on them, of any brightness, with folds."""
    levels = torch.from_numpy(rng.uniform(0, 255, len(faces)).astype(np.float32))
    drawn = cover(torch.from_numpy(faces[:, None]), region, levels, jitter=0.05).numpy()[:, 0]
    folds = np.stack(
        [cv2.GaussianBlur(rng.normal(0, 1, (48, 48)), (0, 0), rng.uniform(0.7, 4)) for _ in faces]
    )
    folds *= rng.uniform(0, 9, len(faces))[:, None, None] / folds.std((1, 2), keepdims=True)
    drawn = np.where(drawn != faces, drawn + folds, drawn)
    soft = [cv2.GaussianBlur(face, (0, 0), max(0.2, rng.uniform(0, 1))) for face in drawn]
    return np.stack(soft).clip(0, 255).round().astype(np.float32)


def in_other_light(faces: Floats, rng: np.random.Generator) -> Floats:
    changed = []
    for face in faces:
        softened = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.2, 1.2)) if rng.random() < 0.5 else face
        changed.append(softened * rng.uniform(0.3, 1.1) + rng.normal(0, rng.uniform(0, 3), face.shape))
    return np.stack(changed).clip(0, 255).round().astype(np.float32)


def blocked(faces: Floats, area: float, rng: np.random.Generator) -> Floats:
    """Grey faces (N, 48, 48) with a square of ``area`` (fraction of the image) on each, somewhere."""
    levels = torch.from_numpy(rng.uniform(0, 255, len(faces)).astype(np.float32))
    return np.asarray(cover_block(torch.from_numpy(faces[:, None]), area, levels).numpy()[:, 0], np.float32)


def covers(sets: dict[str, list[Seen]]) -> None:
    """Prints what the verifier says covers faces, and how many of them are called covered."""
    verifier = shared_verifier()
    print(f"\n| faces | picture | {' | '.join(ANSWERS)} | covered |\n{'| --- ' * 8}|")
    for name, seen in sets.items():
        rng = np.random.default_rng(1)
        torch.manual_seed(1)
        faces = np.stack([cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY) for face in seen]).astype(np.float32)
        pictures = {
            "as they are": faces,
            "in other light": in_other_light(faces, rng),
            "down to a crop of 20 px and up again": np.stack([_small(face) for face in faces]),
            "mask": worn(faces, MASK, rng),
            "headset": worn(faces, HEADSET, rng),
            "block of 10 %": blocked(faces, 0.1, rng),
            "block of 20 %": blocked(faces, 0.2, rng),
        }
        for title, changed in pictures.items():
            crops = [np.repeat(face.round().astype(np.uint8)[..., None], 3, axis=2) for face in changed]
            answers = np.stack([verifier.answers(crop) for crop in crops]).argmax(1)
            parts = np.bincount(answers, minlength=len(ANSWERS)) / len(crops)
            called = np.mean([covered(crop) > MIN_COVERED for crop in crops])
            told = " | ".join(f"{part:.1%}" for part in parts)
            print(f"| {name} | {title} | {told} | {called:.1%} |", flush=True)


# The report


def validation_faces(ferplus: Path) -> list[Seen]:
    data = read_prepared(ferplus, "valid")
    crops = np.repeat(data.images[..., None], 3, axis=3)
    return [
        Seen(crop, int(target.argmax()), assess(measure_crop(crop)))
        for crop, target in zip(crops, data.targets, strict=True)
    ]


def photographed_faces(archive: Path, finder: FaceFinder, half: str = "report") -> Iterator[Seen]:
    """Faces of one half of the people, as the detector finds them."""
    for image, label in labelled_photographs(archive, half):
        faces = finder.find(image, max_faces=1)
        if faces.crops:
            yield Seen(np.asarray(faces.crops[0][0], np.uint8), label, faces.assessments[0])


def recognized(recognizer: Recognizer, crops: list[Pixels]) -> Floats:
    """(N, 7) over LABELS."""
    order = [recognizer.labels.index(label) for label in LABELS]
    starts = track(range(0, len(crops), 64), "faces", transient=True)
    return np.concatenate([recognizer.recognize(crops[at : at + 64])[:, order] for at in starts])


def removed(probabilities: Floats, faces: list[Seen], part: float) -> float:
    """The part of all errors that is among the least certain ``part`` of the faces."""
    wrong = probabilities.argmax(1) != [face.label for face in faces]
    order = least_certain_first(probabilities)
    return float(wrong[order[: round(part * len(order))]].sum() / max(1, wrong.sum()))


def least_certain_first(probabilities: Floats) -> npt.NDArray[np.intp]:
    """Faces by the probability of their likeliest label."""
    return np.argsort(probabilities.max(1), kind="stable")


def _small(crop: Pixels) -> Pixels:
    return np.asarray(
        cv2.resize(cv2.resize(crop, (20, 20), interpolation=cv2.INTER_AREA), (48, 48)), np.uint8
    )


def _worn(region: Region) -> Callable[[Pixels], Pixels]:
    def wear(crop: Pixels) -> Pixels:
        planes = torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32))
        drawn = cover(planes, region, torch.tensor([float(crop.mean())]))[0].round().to(torch.uint8)
        return np.ascontiguousarray(drawn.numpy().transpose(1, 2, 0))

    return wear


DEGRADED: dict[str, Callable[[Pixels], Pixels]] = {
    "as they are": lambda crop: crop,
    "down to a crop of 20 px and up again": _small,
    "blurred by 2 px of 48": lambda crop: np.asarray(cv2.GaussianBlur(crop, (0, 0), 2.0), np.uint8),
    "12 % of the light": lambda crop: np.asarray((crop * 0.12).round(), np.uint8),
    "mask": _worn(MASK),
    "headset": _worn(HEADSET),
}


def report(recognizer: Recognizer, sets: dict[str, list[Seen]]) -> None:
    curves: dict[str, tuple[Floats, list[Seen]]] = {}
    print("| faces | picture | right | uncertain | why, of all faces |\n| --- | --- | --- | --- | --- |")
    for name, faces in sets.items():
        for title, change in DEGRADED.items():
            chosen = faces if title == "as they are" else faces[:400]
            crops = [change(face.crop) for face in chosen]
            rows = recognized(recognizer, crops)
            right = float((rows.argmax(1) == [face.label for face in chosen]).mean())
            whys = []
            for row, crop, face in zip(rows, crops, chosen, strict=True):
                measures = measure_crop(crop)
                quality = replace(
                    face.assessment.quality, sharpness=measures.sharpness, brightness=measures.brightness
                )
                seen = replace(face.assessment, quality=quality, covered=measures.covered)
                whys.append(reasons_of(row, seen))
            counts = {why: sum(why in reasons for reasons in whys) / len(whys) for why in _WHYS}
            said = ", ".join(f"{why} {part:.1%}" for why, part in counts.items() if part >= 0.002)
            uncertain = sum(bool(reasons) for reasons in whys) / len(whys)
            print(f"| {name} | {title} | {right:.1%} | {uncertain:.1%} | {said} |", flush=True)
            if title == "as they are":
                curves[name] = (rows, chosen)
    print("\n| faces | number | wrong | of those, among the least certain 5 % | 10 % | 20 % |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (rows, faces) in curves.items():
        wrong = float((rows.argmax(1) != [face.label for face in faces]).mean())
        parts = " | ".join(f"{removed(rows, faces, part):.1%}" for part in (0.05, 0.1, 0.2))
        print(f"| {name} | {len(faces)} | {wrong:.1%} | {parts} |")
    plot(curves)


_WHYS = ("small", "blurred", "dark", "turned", "cut_off", "covered", "ambiguous")


def plot(curves: dict[str, tuple[Floats, list[Seen]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, (rows, faces) in curves.items():
        wrong = (rows.argmax(1) != [face.label for face in faces])[least_certain_first(rows)[::-1]]
        number = np.arange(1, len(wrong) + 1)
        axes.plot(number / len(wrong), wrong.cumsum() / number, label=name)
    axes.set(
        xlabel="part of the faces that are answered, surest first", ylabel="wrong among those", xlim=(0.2, 1)
    )
    axes.set_ylim(0)
    axes.grid(alpha=0.3)
    axes.legend()
    _PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(_PLOT, dpi=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("ferplus", type=Path, help="a prepared folder")
    parser.add_argument("photographs", type=Path, nargs="?", help="the tar file")
    parser.add_argument("--most", type=int, default=1500, help="so many photographs")
    arguments = parser.parse_args()
    configure_process()
    settings = read_settings()
    finder = FaceFinder(FaceDetector.load(settings.faces_dir, settings.min_face_px), (MEASURED_PX,))
    sets = {"FER+ validation": validation_faces(arguments.ferplus)}
    if arguments.photographs is not None:
        photographed = photographed_faces(arguments.photographs, finder)
        sets["photographs"] = list(islice(photographed, arguments.most))
    report(load_recognizer(settings), sets)
    covers(sets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
