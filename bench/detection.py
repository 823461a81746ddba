"""Which faces the detector finds: filling the image, cut off, turned, covered, small; and false ones.

Makes each set from a tar file of photographs of one face each (JPEG files, named after the person with a
number at the end), and the images without a face from scikit-image's. Everything is drawn from fixed seeds.
Thresholds were chosen on one half of the people, and figures are reported for the other one. Prints a table.

    python -m bench.detection photographs.tar
    python -m bench.detection photographs.tar --half choice      # the half to choose by

The photographs come without boxes. The reference is the best of what BlazeFace sees, from a score of 0.1
up, in the photograph at three sizes; a photograph without any is left out.
"""

import argparse
import re
import sys
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
import torch
from emostream.detection.anchors import Detections
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.detection.search import Network
from emostream.imaging.boxes import ious
from emostream.imaging.crop import RawBoxXywh, crop_square, face_square
from emostream.process import configure_process
from emostream.settings import read_settings
from emostream.training.occlusion import HEADSET, MASK, Region, cover
from rich.progress import track

#: A detection with this intersection over union has found the face.
_MIN_IOU = 0.3

_HEAD_SHOT_PX = 350
#: A head shot is as much of the photograph as the crop of a face (docs/crop.md), and this much more.
_HEAD_SHOT_MARGIN = 1.15
_CUT_PART = 0.3
#: Large images take a while.
_SMALL_FACES = 60

#: Where nobody is, nor a statue or a drawing of somebody.
_WITHOUT_FACES = (
    *("brick", "coffee", "grass", "gravel", "hubble_deep_field", "immunohistochemistry"),
    *("moon", "page", "retina", "rocket", "stereo_motorcycle", "text"),
)
_PARTS_OF_EACH = 6


@dataclass(frozen=True)
class Example:
    """An image uint8 (H, W, 3) RGB with one face, and the face's box."""

    image: Pixels
    box_xywh: RawBoxXywh


def photographs(archive: Path, half: str) -> Iterator[Pixels]:
    """The photographs of one half of the people, uint8 (H, W, 3) RGB, in an order of their own."""
    return (image for _, image in photographs_of_people(archive, half))


def photographs_of_people(archive: Path, half: str) -> Iterator[tuple[str, Pixels]]:
    """The same, each with the name of its person."""
    with tarfile.open(archive) as files:
        members = [member for member in files if member.name.endswith(".jpg")]
        people = [re.sub(r"_?\d*\.jpg$", "", Path(member.name).name) for member in members]
        order = np.random.default_rng(0).permutation(len(members))
        for index in order:
            if ("choice", "report")[zlib.crc32(people[index].encode()) % 2] == half:
                content = files.extractfile(members[index])
                assert content is not None
                bgr = cv2.imdecode(np.frombuffer(content.read(), np.uint8), cv2.IMREAD_COLOR)
                yield people[index], np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def with_reference(image: Pixels, network: Network) -> Example | None:
    """The photograph with its face's box, if there is any that could be it."""
    side = network.spec.input_px
    found = []
    for part in (0.35, 0.5, 0.75):
        scale = part * side / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y = ((side - small.shape[axis]) // 2 for axis in (1, 0))
        tile = np.empty((side, side, 3), np.uint8)
        tile[:] = small.mean((0, 1)).astype(np.uint8)
        tile[y : y + small.shape[0], x : x + small.shape[1]] = small
        found.append(network(tile, 0.1).placed(scale, -x, -y))
    best = Detections.joined(found)
    if not len(best):
        return None
    return Example(image, best.boxes()[int(np.argmax(best.scores))])


def head_shot(example: Example) -> Example:
    """The face fills the image."""
    height, width, _ = example.image.shape
    x, y, face_width, face_height = example.box_xywh
    grown = _HEAD_SHOT_MARGIN - 1
    larger = (
        x - face_width * grown / 2,
        y - face_height * grown / 2,
        face_width * _HEAD_SHOT_MARGIN,
        face_height * _HEAD_SHOT_MARGIN,
    )
    left, top, side, _ = (round(value) for value in crop_square(larger, (width, height)))
    part = cut_out(example, left, top, left + side, top + side)
    return resized(part, _HEAD_SHOT_PX / side)


def resized(example: Example, scale: float) -> Example:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(example.image, None, fx=scale, fy=scale, interpolation=method)
    x, y, width, height = (value * scale for value in example.box_xywh)
    return Example(np.asarray(image, np.uint8), (x, y, width, height))


def cut_out(example: Example, left: int, top: int, right: int, bottom: int) -> Example:
    x, y, width, height = example.box_xywh
    part = np.ascontiguousarray(example.image[max(0, top) : bottom, max(0, left) : right])
    return Example(part, (x - max(0, left), y - max(0, top), width, height))


def cut_off(example: Example, side: str) -> Example:
    """The image without one side, with which ``_CUT_PART`` of the face goes."""
    height, width, _ = example.image.shape
    x, y, face_width, face_height = example.box_xywh
    edges = {
        "left": (round(x + _CUT_PART * face_width), 0, width, height),
        "right": (0, 0, round(x + (1 - _CUT_PART) * face_width), height),
        "top": (0, round(y + _CUT_PART * face_height), width, height),
        "bottom": (0, 0, width, round(y + (1 - _CUT_PART) * face_height)),
    }
    return cut_out(example, *edges[side])


def turned(example: Example, quarters: int) -> Example:
    """The image turned by so many quarters of a turn, anticlockwise."""
    image, (x, y, width, height) = example.image, example.box_xywh
    for _ in range(quarters):
        x, y, width, height = y, image.shape[1] - x - width, height, width
        image = np.rot90(image)
    return Example(np.ascontiguousarray(image), (x, y, width, height))


def covered(example: Example, region: Region, generator: np.random.Generator) -> Example:
    """Something dark or light is worn over the face."""
    height, width, _ = example.image.shape
    left, top, side, _ = face_square(example.box_xywh)
    in_image = Region(
        (left + region.left * side) / width,
        (top + region.top * side) / height,
        (left + region.right * side) / width,
        (top + region.bottom * side) / height,
    )
    level = torch.tensor([generator.uniform(10, 245)], dtype=torch.float32)
    pixels = torch.from_numpy(example.image.astype(np.float32)).permute(2, 0, 1)[None]
    drawn = cover(pixels, in_image, level)[0].permute(1, 2, 0).numpy()
    return Example(drawn.round().astype(np.uint8), example.box_xywh)


def in_scene(example: Example, generator: np.random.Generator) -> Example:
    """The photograph, 140 to 300 px large, somewhere in 640 × 480 on its own blurred reflection."""
    longer = max(example.image.shape)
    part = resized(example, float(generator.uniform(140, 300)) / longer)
    height, width, _ = part.image.shape
    left, top = int(generator.integers(0, 640 - width)), int(generator.integers(0, 480 - height))
    scene = cv2.copyMakeBorder(
        part.image, top, 480 - height - top, left, 640 - width - left, cv2.BORDER_REFLECT_101
    )
    scene = cv2.GaussianBlur(scene, (0, 0), width / 16)
    scene[top : top + height, left : left + width] = part.image
    x, y, face_width, face_height = part.box_xywh
    return Example(np.asarray(scene, np.uint8), (x + left, y + top, face_width, face_height))


def small(example: Example, face_px: int, generator: np.random.Generator) -> Example:
    """The head somewhere in a large image, with a face of that size and without a visible edge."""
    scene_wh = (1280, 720)
    scene = cv2.resize(skimage.data.coffee(), scene_wh, interpolation=cv2.INTER_CUBIC)
    part = resized(example, face_px / max(example.box_xywh[2:]))
    height, width, _ = part.image.shape
    left, top = (int(generator.integers(0, scene_wh[i] - part.image.shape[1 - i])) for i in (0, 1))
    y, x = (np.abs(np.linspace(-1, 1, length)) for length in (height, width))
    opacity = np.clip((1.05 - np.hypot(y[:, None] * 0.95, x[None, :])) / 0.15, 0, 1)[..., None]
    room = scene[top : top + height, left : left + width]
    room[:] = (opacity * part.image + (1 - opacity) * room).round()
    box_x, box_y, face_width, face_height = part.box_xywh
    return Example(np.asarray(scene, np.uint8), (box_x + left, box_y + top, face_width, face_height))


def conditions(generator: np.random.Generator) -> dict[str, Callable[[Example], Example]]:
    """How each set is made from photographs."""
    frames: dict[str, Callable[[Example], Example]] = {
        "head shot": head_shot,
        "scene": lambda one: in_scene(one, generator),
    }
    made: dict[str, Callable[[Example], Example]] = {"photograph": lambda one: one}
    for name, frame in frames.items():
        made[name] = frame
        for side in ("left", "right", "top", "bottom"):
            made[f"{name}, {_CUT_PART:.0%} cut off: {side}"] = lambda one, f=frame, s=side: cut_off(f(one), s)
        for quarters in (1, 2, 3):
            made[f"{name}, turned by {90 * quarters}°"] = lambda one, f=frame, q=quarters: turned(f(one), q)
        for worn, region in (("headset", HEADSET), ("mask", MASK)):
            made[f"{name}, {worn}"] = lambda one, f=frame, r=region: covered(f(one), r, generator)
    for face_px in (20, 28, 40):
        made[f"{face_px} px in 1280 × 720"] = lambda one, px=face_px: small(one, px, generator)
    return made


def without_faces(half: str) -> list[Pixels]:
    """Parts of scikit-image's images, uint8 (H, W, 3) RGB, of 160 to 640 px."""
    generator = np.random.default_rng(("choice", "report").index(half))
    images = []
    for name in _WITHOUT_FACES:
        found = getattr(skimage.data, name)()
        image = np.asarray(found[0] if isinstance(found, tuple) else found)
        image = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]
        for _ in range(_PARTS_OF_EACH):
            side = int(generator.uniform(0.3, 1) * min(image.shape[:2]))
            y, x = (int(generator.integers(0, length - side + 1)) for length in image.shape[:2])
            wanted = int(generator.integers(160, 640, endpoint=True))
            part = np.ascontiguousarray(image[y : y + side, x : x + side])
            images.append(
                np.asarray(cv2.resize(part, (wanted, wanted), interpolation=cv2.INTER_AREA), np.uint8)
            )
    return images


def recall(detector: FaceDetector, examples: list[Example]) -> float:
    """The share of faces that were found."""
    hits = 0
    for example in examples:
        found = detector.detect(example.image, 8)
        reference = np.array([example.box_xywh], np.float32)
        hits += bool((ious(found.boxes_xywh, reference) >= _MIN_IOU).any())
    return hits / len(examples)


def passes_worth(detector: FaceDetector, image: Pixels, repeats: int = 30) -> tuple[float, float]:
    """What ``detect`` takes: in ms, and as a multiple of one pass of the network, both measured in turn."""
    tile = np.ascontiguousarray(image[: detector.network.spec.input_px, : detector.network.spec.input_px])
    times: list[tuple[float, float]] = []
    for _ in range(repeats):
        start = time.perf_counter()
        detector.network(tile, 0.5)
        middle = time.perf_counter()
        detector.detect(image, 8)
        times.append((middle - start, time.perf_counter() - middle))
    one_pass, whole = np.median(times, axis=0)
    return float(whole * 1000), float(whole / one_pass)


def scenes_640() -> dict[str, Pixels]:
    """Images of 640 × 480 for timing."""
    portrait = cv2.resize(skimage.data.astronaut(), (480, 480), interpolation=cv2.INTER_AREA)
    with_face = cv2.copyMakeBorder(portrait, 0, 0, 80, 80, cv2.BORDER_REFLECT_101)
    without = cv2.resize(skimage.data.coffee(), (640, 480), interpolation=cv2.INTER_AREA)
    return {"one face": np.asarray(with_face, np.uint8), "no face": np.asarray(without, np.uint8)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path, help="a tar file of JPEG files")
    parser.add_argument("--half", choices=("choice", "report"), default="report")
    parser.add_argument("--number", type=int, default=120, help="photographs for each condition")
    arguments = parser.parse_args()
    configure_process()
    settings = read_settings()
    detector = FaceDetector.load(settings.faces_dir, settings.min_face_px)
    examples: list[Example] = []
    seen = 0
    for image in photographs(arguments.photographs, arguments.half):
        seen += 1
        if (example := with_reference(image, detector.network)) is not None:
            examples.append(example)
        if len(examples) == arguments.number:
            break
    print(f"{len(examples)} of {seen} photographs, half: {arguments.half}\n")
    print("| | found |\n| --- | --- |")
    generator = np.random.default_rng(1)
    for name, make in conditions(generator).items():
        chosen = examples[:_SMALL_FACES] if "px" in name else examples
        print(f"| {name} | {recall(detector, [make(one) for one in chosen]):.2f} |", flush=True)
    empty = without_faces(arguments.half)
    false = [len(detector.detect(image, 8)) for image in track(empty, transient=True)]
    print(f"| false faces in {len(empty)} images without any | {sum(false)} |")
    for name, image in scenes_640().items():
        milliseconds, passes = passes_worth(detector, image)
        print(f"| 640 × 480, {name} | {milliseconds:.1f} ms, {passes:.1f} passes |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
