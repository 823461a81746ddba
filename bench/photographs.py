"""Whether colour photographs through the real detector work as well as the data set's grey crops.

Validation pictures are made into photographs: tinted, enlarged to a few hundred pixels, set into a scene and
compressed. Each goes as a JPEG through detection, cropping and recognition as over HTTP; its answer is held
against the truth and against the answer for the picture as the data set has it. Prints JSON; exits with 1
beyond the limit.

    python -m bench.photographs data/ferplus

Fewer pictures than a few thousand say little: with 600 the interval is five points wide.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from emostream.analysis.finder import EncodedSearch, FaceFinder
from emostream.detection.detector import FaceDetector
from emostream.inference import Recognizer
from emostream.loading import load_recognizer
from emostream.process import configure_process
from emostream.settings import read_settings
from emostream.training.datasets import LABELS, read_split
from PIL import Image
from rich.progress import track

from bench.faces import astronaut_jpeg

#: Most points of accuracy that photographs may lose.
LIMIT_POINTS = 2.0

_SCENE_WH = (640, 480)
_FACE_PX = (140, 300)
_QUALITY = (60, 92)
_MOST_PIXELS = 10**7


def photograph(grey: npt.NDArray[np.uint8], generator: np.random.Generator) -> bytes:
    """A colour JPEG of 640 x 480 with the picture somewhere in it, 140 to 300 px wide, on its own blurred
    reflection. The tint is a gain and a gamma for each channel, about those of skin in warm to cold light."""
    width, height = _SCENE_WH
    side = int(generator.integers(*_FACE_PX, endpoint=True))
    face = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
    left = int(generator.integers(0, width - side, endpoint=True))
    top = int(generator.integers(0, height - side, endpoint=True))
    scene = cv2.copyMakeBorder(
        face, top, height - side - top, left, width - side - left, cv2.BORDER_REFLECT_101
    )
    scene = cv2.GaussianBlur(scene, (0, 0), side / 16)
    scene[top : top + side, left : left + side] = face
    gains = np.array([1.0, 0.85, 0.75]) + generator.uniform(-0.1, 0.1, 3)
    gammas = np.array([0.9, 1.0, 1.1]) + generator.uniform(-0.1, 0.1, 3)
    colour = (scene[..., None] / 255.0) ** gammas * gains * 255
    bgr = colour.clip(0, 255).astype(np.uint8)[..., ::-1]
    quality = int(generator.integers(*_QUALITY, endpoint=True))
    return cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


def measure(recognizer: Recognizer, finder: FaceFinder, data: Path, pictures: int | None) -> dict[str, Any]:
    faces = read_split(data, "evaluation")
    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(faces))[:pictures]
    order = [recognizer.labels.index(label) for label in LABELS]
    truth = faces.targets[chosen].argmax(1)
    as_they_are = np.stack([np.repeat(faces.images[i][..., None], 3, axis=2) for i in chosen])
    direct = recognizer.recognize(list(as_they_are))[:, order].argmax(1)
    answers = np.full(len(chosen), -1)
    for place, index in enumerate(track(chosen, "photographs", transient=True)):
        found = EncodedSearch(finder, photograph(faces.images[index], generator), _MOST_PIXELS, max_faces=1)()
        if found.crops:
            answers[place] = recognizer.infer(found.crops)[0, order].argmax()
    seen = answers >= 0
    difference = (answers == truth)[seen].astype(float) - (direct == truth)[seen]
    resampled = generator.choice(difference, (2000, len(difference))).mean(1)
    low, high = np.percentile(resampled, [2.5, 97.5]) * 100
    return {
        "pictures": len(chosen),
        "found": round(float(seen.mean()), 4),
        "accuracy_of_those_as_they_are": round(float((direct == truth)[seen].mean()), 4),
        "accuracy_as_photographs": round(float((answers == truth)[seen].mean()), 4),
        "points_gained": round(float(difference.mean() * 100), 2),
        "points_gained_95_percent": [round(float(low), 2), round(float(high), 2)],
        "limit_points_lost": LIMIT_POINTS,
        "same_answer": round(float((answers == direct)[seen].mean()), 4),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="a prepared folder, or a split of one")
    parser.add_argument("--pictures", type=int, help="so many, drawn at random (all if not given)")
    arguments = parser.parse_args()
    configure_process()
    settings = read_settings()
    recognizer = load_recognizer(settings)
    finder = FaceFinder(FaceDetector.load(settings.faces_dir, settings.min_face_px), recognizer.input_sizes)
    figures = measure(recognizer, finder, arguments.data, arguments.pictures)
    portrait = np.asarray(Image.open(io.BytesIO(astronaut_jpeg())))
    (row,) = recognizer.recognize([portrait])
    figures["astronaut"] = {
        label: round(float(p), 3) for label, p in zip(recognizer.labels, row, strict=True)
    }
    print(json.dumps(figures, indent=2))
    return 0 if figures["points_gained"] >= -LIMIT_POINTS else 1


if __name__ == "__main__":
    sys.exit(main())
