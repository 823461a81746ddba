"""What crops that are turned upright (docs/crop.md) are worth, and what they cost.

    python -m bench.upright photographs.tar                    # the half of the people that is reported on
    python -m bench.upright photographs.tar --half choice      # the half by which the rule was chosen

Photographs of one face each, with their emotions (bench/labelled.py), are set into 320 × 320 on their own
blurred reflection, turned in the plane, searched by the detector, and recognised twice: by the crop as it is,
and by the crop turned upright. Labels change where the same face, not turned, had another one, by the same
kind of crop. Prints tables.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.imaging.boxes import ious
from emostream.imaging.crop import RawBoxXywh, crop_turn, cut
from emostream.inference import Recognizer
from emostream.loading import load_recognizer
from emostream.process import configure_process
from emostream.settings import read_settings
from emostream.training.datasets import LABELS
from rich.progress import track
from skimage.data import astronaut

from bench.labelled import HALVES, labelled_photographs

#: Degrees, clockwise; what is measured to both sides is reported together.
TURNS = {"0": (0,), "±15": (-15, 15), "±30": (-30, 30), "±45": (-45, 45), "90": (90,), "180": (180,)}

_SCENE_PX = 320
_PHOTOGRAPH_PX = 160

#: A face that was found overlaps with where the one that was not turned has gone by so much.
_MIN_IOU = 0.2


def scene(image: Pixels, turn_deg: float) -> Pixels:
    """The photograph in the middle of its own blurred reflection, turned clockwise."""
    longer = max(image.shape[:2])
    wide = cv2.copyMakeBorder(image, longer, longer, longer, longer, cv2.BORDER_REFLECT_101)
    wide = cv2.GaussianBlur(wide, (0, 0), longer / 5)
    wide[longer:-longer, longer:-longer] = image
    middle = np.array([wide.shape[1], wide.shape[0]]) / 2 - 0.5
    matrix = cv2.getRotationMatrix2D(tuple(middle.tolist()), -turn_deg, _PHOTOGRAPH_PX / longer)
    matrix[:, 2] += _SCENE_PX / 2 - 0.5 - middle
    size = (_SCENE_PX, _SCENE_PX)
    turned = cv2.warpAffine(wide, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, np.uint8)


@dataclass(frozen=True)
class Answers:
    """Of the faces that are found at one turn: their places in the list of faces, and their answers (N,) as
    places in ``LABELS``, by crops as they are and by upright ones, and how many of the latter were turned."""

    places: npt.NDArray[np.intp]
    plain: npt.NDArray[np.intp]
    upright: npt.NDArray[np.intp]
    turned: int


def recognized(recognizer: Recognizer, crops: list[tuple[Pixels, ...]]) -> npt.NDArray[np.intp]:
    """Answers (N,) as places in ``LABELS``."""
    order = [recognizer.labels.index(label) for label in LABELS]
    rows = [recognizer.infer(crops[start : start + 32])[:, order] for start in range(0, len(crops), 32)]
    return np.concatenate(rows).argmax(1) if rows else np.empty(0, np.intp)


def found_at(
    detector: FaceDetector, image: Pixels, expected: RawBoxXywh | None
) -> tuple[RawBoxXywh, float] | None:
    """The face's box, and how its crop is to be turned; None where it is not found."""
    found = detector.detect(image, 4)
    if expected is not None:
        found = found[ious(found.boxes_xywh, np.array([expected], np.float32))[:, 0] >= _MIN_IOU]
    if not len(found):
        return None
    box = found.boxes()[0]
    return box, crop_turn(box, found.landmarks_xy[0].tolist())


def gone_to(box_xywh: RawBoxXywh, turn_deg: float) -> RawBoxXywh:
    """Where a box of a scene is once the scene has been turned."""
    x, y, width, height = box_xywh
    middle = _SCENE_PX / 2 - 0.5
    turn = np.radians(turn_deg)
    across, down = x + width / 2 - middle, y + height / 2 - middle
    centre_x = middle + across * np.cos(turn) - down * np.sin(turn)
    centre_y = middle + across * np.sin(turn) + down * np.cos(turn)
    return (float(centre_x - width / 2), float(centre_y - height / 2), width, height)


def answers(
    detector: FaceDetector, recognizer: Recognizer, faces: list[tuple[Pixels, RawBoxXywh]], turn_deg: float
) -> Answers:
    places, plain, upright = [], [], []
    for place, (image, box) in enumerate(faces):
        turned = scene(image, turn_deg)
        if (found := found_at(detector, turned, gone_to(box, turn_deg))) is not None:
            at, crop_turn_deg = found
            places.append(place)
            plain.append(cut(turned, at, recognizer.input_sizes))
            upright.append((crop_turn_deg, turned, at))
    moved = [cut(image, at, recognizer.input_sizes, turn) for turn, image, at in upright if turn]
    before = recognized(recognizer, plain)
    after = before.copy()
    after[[bool(turn) for turn, _, _ in upright]] = recognized(recognizer, moved)
    return Answers(np.array(places, np.intp), before, after, len(moved))


def report(detector: FaceDetector, recognizer: Recognizer, photographs: list[tuple[Pixels, int]]) -> None:
    faces, labels = [], []
    for image, label in track(photographs, "faces", transient=True):
        # The photograph is in the middle of its scene, and so is most of its face.
        middle = ((_SCENE_PX - 100) / 2, (_SCENE_PX - 100) / 2, 100.0, 100.0)
        if (found := found_at(detector, scene(image, 0), middle)) is not None:
            faces.append((image, found[0]))
            labels.append(label)
    truth = np.array(labels)
    print(f"{len(faces)} of {len(photographs)} photographs have a face that is found\n")
    columns = (
        "turned by",
        "found",
        "crops turned",
        "right, before",
        "after",
        "another label, before",
        "after",
    )
    print(f"| {' | '.join(columns)} | gained, lost |\n{'| --- ' * (len(columns) + 1)}|")
    first: Answers | None = None
    for name, turns in TURNS.items():
        parts = [answers(detector, recognizer, faces, turn) for turn in turns]
        first = first or parts[0]
        known = {
            kind: dict(zip(first.places, getattr(first, kind), strict=True)) for kind in ("plain", "upright")
        }
        number = sum(len(part.places) for part in parts)
        cells = [
            f"{number / len(faces) / len(turns):.2f}",
            f"{sum(part.turned for part in parts) / number:.2f}",
        ]
        for kind in ("plain", "upright"):
            right = sum(int((getattr(part, kind) == truth[part.places]).sum()) for part in parts)
            cells.append(f"{right / number:.3f}")
        for kind in ("plain", "upright"):
            pairs = [
                (known[kind][place], answer)
                for part in parts
                for place, answer in zip(part.places, getattr(part, kind), strict=True)
                if place in known[kind]
            ]
            cells.append(f"{sum(a != b for a, b in pairs) / len(pairs):.3f}")
        gained, lost = (
            sum(
                int(((a == truth[part.places]) & (b != truth[part.places])).sum())
                for part in parts
                for a, b in [(part.upright, part.plain)[::step]]
            )
            for step in (1, -1)
        )
        print(f"| {name} | {' | '.join(cells)} | {gained}, {lost} |", flush=True)


def cost(detector: FaceDetector, recognizer: Recognizer, repeats: int = 100) -> None:
    """What a face in 640 × 480 that leans by 30° takes, with its crop as it is and turned, in turns."""
    portrait = cv2.resize(astronaut(), (480, 480), interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(portrait, 0, 0, 80, 80, cv2.BORDER_REFLECT_101)
    matrix = cv2.getRotationMatrix2D((293.0, 113.0), -30, 1)
    image = np.asarray(cv2.warpAffine(wide, matrix, (640, 480), borderMode=cv2.BORDER_REFLECT_101), np.uint8)
    times = []
    for _ in range(repeats):
        marks = [time.perf_counter()]
        box = detector.detect(image, 1).boxes()[0]
        marks.append(time.perf_counter())
        crops = cut(image, box, recognizer.input_sizes)
        marks.append(time.perf_counter())
        cut(image, box, recognizer.input_sizes, 30.0)
        marks.append(time.perf_counter())
        recognizer.infer([crops])
        marks.append(time.perf_counter())
        times.append(np.diff(marks))
    found, plain, turned, recognised = np.median(times, axis=0) * 1000
    whole = found + plain + recognised
    print("\n| ms | found | cut as it is | cut turned | recognised | all, after ÷ before |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(
        f"| one face in 640 × 480 | {found:.1f} | {plain:.2f} | {turned:.2f} | {recognised:.1f} "
        f"| {(whole - plain + turned) / whole:.3f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path, help="a tar file of JPEG files with their label.csv")
    parser.add_argument("--half", choices=HALVES, default="report")
    parser.add_argument("--number", type=int, default=250, help="photographs")
    arguments = parser.parse_args()
    configure_process()
    settings = read_settings()
    detector = FaceDetector.load(settings.faces_dir, settings.min_face_px)
    photographs = list(islice(labelled_photographs(arguments.photographs, arguments.half), arguments.number))
    recognizer = load_recognizer(settings)
    report(detector, recognizer, photographs)
    cost(detector, recognizer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
