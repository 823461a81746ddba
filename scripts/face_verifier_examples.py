"""What the face verifier learns from: crops of bare and covered faces, and of what is no face."""

import csv
import io
import math
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.detection.suppression import best_of_each_face
from emostream.detection.verification import MIN_VERIFIABLE_PX, verifier_input
from emostream.detection.verifier import ANSWERS, INPUT_PX
from emostream.imaging.boxes import ious
from emostream.imaging.crop import RawBoxXywh, crop_square, cut, face_square
from emostream.training.occlusion import HEADSET, MASK
from rich.progress import track

from bench.detection import Example, cut_off, head_shot, in_scene, photographs_of_people, with_reference
from bench.labelled import contents

PROPOSALS_PER_IMAGE = 6
#: Of the proposals' scores, lower than the detector's own.
MIN_SCORE = 0.1
IS_FACE_IOU, NO_FACE_IOU = 0.5, 0.2
#: Of the ten people who voted on each image of FER+.
NOT_A_FACE_VOTES = 6
#: Two faces are near each other where 16 × 16 pixels of them correlate by so much, or do with one mirrored.
NEAR = 0.97
#: One image, person or texture in so many is held out.
HELD_OUT = 5

Greys = npt.NDArray[np.uint8]
Source = Literal["proposal", "photograph", "FER+", "texture"]


@dataclass(frozen=True)
class Examples:
    """Crops uint8 (N, 48, 48), the places of their answers in ANSWERS, where they come from, and whether they
    are held out."""

    crops: npt.NDArray[np.uint8]
    answers: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]
    held_out: npt.NDArray[np.bool_]

    def save(self, path: Path) -> None:
        np.savez_compressed(path, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "Examples":
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**arrays)


class Painter:
    """Draws what covers faces, and images without any, from a part of the textures of a folder."""

    def __init__(self, folder: Path, generator: np.random.Generator, *, held_out: bool) -> None:
        self._generator = generator
        paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png", ".webp")]
        # In their order, as neighbours are often the same picture in two sizes.
        border = len(paths) - len(paths) // HELD_OUT
        self._textures = []
        for path in paths[border:] if held_out else paths[:border]:
            bgr = cv2.imread(str(path))
            if bgr is not None and min(bgr.shape[:2]) >= 700:
                scale = min(1.0, 2600 / bgr.shape[1])
                small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                self._textures.append(np.ascontiguousarray(small[..., ::-1]))
        if not self._textures:
            raise SystemExit(f"error: too few images of 700 px or more in {folder}")

    def texture(self, smallest: float, largest: float) -> Pixels:
        """A square of one of the textures, of these parts of its shorter side."""
        generator = self._generator
        image = self._textures[generator.integers(len(self._textures))]
        side = int(generator.uniform(smallest, largest) * min(image.shape[:2]))
        y, x = (int(generator.integers(0, length - side + 1)) for length in image.shape[:2])
        return np.asarray(image[y : y + side, x : x + side], np.uint8)

    def without_face(self) -> Pixels:
        side = int(self._generator.integers(160, 640))
        image = cv2.resize(self.texture(0.15, 1), (side, side), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(np.rot90(image, int(self._generator.integers(4)))).astype(np.uint8)

    def _material(self, size_wh: tuple[int, int]) -> Pixels:
        generator, (width, height) = self._generator, size_wh
        if generator.random() < 0.45:
            level = generator.uniform(0, 255, 3) if generator.random() < 0.4 else generator.uniform(0, 255)
            shade = np.linspace(*generator.uniform(0.8, 1.2, 2), height)[:, None, None]
            return (level * shade + np.zeros((height, width, 3))).clip(0, 255).astype(np.uint8)
        part = cv2.resize(self.texture(0.1, 0.9), size_wh, interpolation=cv2.INTER_AREA).astype(np.float32)
        contrast = (part - part.mean((0, 1))) * generator.uniform(0.1, 0.9)
        return np.asarray((generator.uniform(0, 255) + contrast).clip(0, 255), np.uint8)

    def covered(self, image: Pixels, square_xywh: RawBoxXywh, kind: str) -> Pixels:
        """An image of a face, whose crop is the square, under a headset, a mask or a block, at a place of its
        own each time; a block's middle is on the face."""
        generator = self._generator
        height, width, _ = image.shape
        left, top, side, _ = square_xywh
        region = {"headset": HEADSET, "mask": MASK}.get(kind)
        if region is None:
            area, aspect = generator.uniform(0.06, 0.25), math.exp(generator.uniform(-0.7, 0.7))
            w, h = min(math.sqrt(area * aspect), 0.85), min(math.sqrt(area / aspect), 0.85)
            x, y = generator.uniform(0.25, 0.75) - w / 2, generator.uniform(0.3, 0.85) - h / 2
            edges, roundness = np.array((x, y, x + w, y + h)), int(generator.choice((2, 8, 64)))
        else:
            edges = np.array((region.left, region.top, region.right, region.bottom))
            edges, roundness = edges + generator.uniform(-0.08, 0.08, 4), int(generator.choice((4, 8, 12)))
        x0, y0, x1, y1 = edges * side + np.array((left, top, left, top))
        across = np.abs((2 * (np.arange(width) + 0.5) - x0 - x1) / (x1 - x0)) ** roundness
        down = np.abs((2 * (np.arange(height) + 0.5) - y0 - y1) / (y1 - y0)) ** roundness
        inside = down[:, None] + across[None] <= 1
        painted = image.copy()
        painted[inside] = self._material((width, height))[inside]
        return painted


class Collector:
    """Collects examples: those to learn from and those held out, each with textures of its own."""

    def __init__(self, textures: Path, detector: FaceDetector) -> None:
        self._painters = {
            held_out: Painter(textures, np.random.default_rng(5 + held_out), held_out=held_out)
            for held_out in (False, True)
        }
        self._detector = detector
        self._generator = np.random.default_rng(1)
        self._found: list[tuple[npt.NDArray[np.uint8], str, Source, bool]] = []

    def examples(self) -> Examples:
        crops, answers, sources, held_out = zip(*self._found, strict=True)
        places = np.array([ANSWERS.index(answer) for answer in answers])
        return Examples(np.array(crops, np.uint8), places, np.array(sources), np.array(held_out))

    def _add(self, crop_rgb: Pixels, answer: str, source: Source, held_out: bool) -> None:
        grey = np.asarray(cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        self._found.append((grey, answer, source, held_out))

    def photographs(self, archive: Path, searched: int, cropped: int) -> None:
        """The first photographs give proposals, in the conditions of the measurement; those and the next ones
        their faces' crops, once bare and once covered."""
        generator = self._generator
        for number, (image, held_out) in enumerate(track(people_to_choose_on(archive), "photographs")):
            if number == max(searched, cropped):
                break
            example = with_reference(image, self._detector.network)
            if example is None:
                continue
            if number < searched:
                self._search(*self._in_a_condition(example, held_out), held_out)
            if number < cropped:
                cover = str(generator.choice(("headset", "mask", "block")))
                square = crop_square(example.box_xywh, (image.shape[1], image.shape[0]))
                worn = self._painters[held_out].covered(image, square, cover)
                for pixels, answer in ((image, "none"), (worn, cover)):
                    (crop,) = cut(pixels, example.box_xywh, (INPUT_PX,))
                    self._add(crop, answer, "photograph", held_out)

    def _in_a_condition(self, example: Example, held_out: bool) -> tuple[Example, str]:
        generator = self._generator
        kind = str(generator.choice(ANSWERS[1:], p=(0.3, 0.35, 0.2, 0.15)))
        frame = generator.random()
        if frame < 0.3:
            example = head_shot(example)
        elif frame < 0.7:
            example = in_scene(example, generator)
        if kind != "none":
            square = face_square(example.box_xywh)
            worn = self._painters[held_out].covered(example.image, square, kind)
            example = Example(worn, example.box_xywh)
        if generator.random() < 0.25:
            example = cut_off(example, str(generator.choice(("left", "right", "top", "bottom"))))
        return example, kind

    def textures(self, searched: int, cropped: int) -> None:
        """Images without a face: what the detector proposes there, and others as they are."""
        for number in track(range(max(searched, cropped)), "textures"):
            held_out = number % HELD_OUT == 0
            painter = self._painters[held_out]
            if number < searched:
                self._search(Example(painter.without_face(), (0, 0, 0, 0)), "no face", held_out)
            if number < cropped:
                size = (INPUT_PX, INPUT_PX)
                crop = cv2.resize(painter.texture(0.05, 0.9), size, interpolation=cv2.INTER_AREA)
                self._add(np.asarray(crop, np.uint8), "no face", "texture", held_out)

    def _search(self, example: Example, kind: str, held_out: bool) -> None:
        for box in proposals(self._detector, example.image):
            pair = (np.array([each], np.float32) for each in (box, example.box_xywh))
            overlap = float(ious(*pair)[0, 0])
            if not NO_FACE_IOU <= overlap < IS_FACE_IOU:
                crop = verifier_input(example.image, box)
                self._add(crop, kind if overlap >= IS_FACE_IOU else "no face", "proposal", held_out)

    def ferplus(self, training: Path, validation: Path, faces: int) -> None:
        """Faces far from all validation images, half of them covered, and what most people called none."""
        images, votes = read_ferplus(training)
        usable = np.flatnonzero(far_from(images, read_ferplus(validation)[0]))
        chosen = self._generator.permutation(usable[votes[usable] == 0])[:faces]
        for number in track([*np.flatnonzero(votes >= NOT_A_FACE_VOTES), *chosen], "FER+"):
            held_out = bool(number % HELD_OUT == 0)
            rgb = np.repeat(images[number][..., None], 3, axis=2)
            answer = "no face" if votes[number] else "none"
            if not votes[number] and self._generator.random() < 0.5:
                answer = str(self._generator.choice(("headset", "mask", "block")))
                # Drawn at twice the size, so that edges are as soft as those of reduced photographs.
                twice = np.asarray(cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
                square = (0.0, 0.0, float(len(twice)), float(len(twice)))
                worn = self._painters[held_out].covered(twice, square, answer)
                rgb = np.asarray(cv2.resize(worn, rgb.shape[:2], interpolation=cv2.INTER_AREA), np.uint8)
            self._add(rgb, answer, "FER+", held_out)


def proposals(detector: FaceDetector, image: Pixels) -> list[RawBoxXywh]:
    """What may be a face, and where a second look sees it."""
    found, _ = detector.proposals(image, MIN_VERIFIABLE_PX, MIN_SCORE)
    boxes = found[best_of_each_face(found)[:PROPOSALS_PER_IMAGE]].boxes()
    looked = [detector.second_look(image, box, MIN_SCORE / 2) for box in boxes]
    return boxes + [face.boxes()[0] for face in looked if len(face)]


def people_to_choose_on(archive: Path) -> Iterator[tuple[Pixels, bool]]:
    """The photographs of bench/detection.py's half ``choice``, uint8 (H, W, 3) RGB, and whether each one's
    person is held out."""
    for person, image in photographs_of_people(archive, "choice"):
        yield image, zlib.crc32(person.encode()) // 2 % HELD_OUT == 0


def read_ferplus(archive: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images uint8 (N, 48, 48) of a tar file of FER+, and how many people called each one no face."""
    with tarfile.open(archive) as files:
        content = contents(files)
        rows = list(csv.reader(io.StringIO(content("label.csv").decode())))
        images = [
            cv2.imdecode(np.frombuffer(content(row[0]), np.uint8), cv2.IMREAD_GRAYSCALE) for row in rows
        ]
    return np.array(images, np.uint8), np.array([int(row[-1]) for row in rows])


def far_from(images: Greys, others: Greys) -> npt.NDArray[np.bool_]:
    """Which of grey images (N, 48, 48) are near none of the others."""

    def reduced(faces: Greys) -> npt.NDArray[np.float32]:
        small = np.stack([cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA) for face in faces])
        flat = small.reshape(len(faces), -1).astype(np.float32)
        flat -= flat.mean(1, keepdims=True)
        return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)

    known = np.concatenate([reduced(others), reduced(others[:, :, ::-1])]).T
    parts = [reduced(images[start : start + 2000]) @ known for start in range(0, len(images), 2000)]
    return np.concatenate([part.max(1) < NEAR for part in parts])
