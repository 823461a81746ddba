"""Made pictures with a real face in them: Eileen Collins in NASA's portrait (public domain)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from emostream.imaging.crop import RawBoxXywh
from PIL import Image
from skimage.data import astronaut, coffee

from tests.support import ROOT, encoded

#: Where `make` puts the detector's model files.
FACES_DIR = ROOT / "server" / "detection" / "models"

#: Of the face in the portrait, as a person would draw it around brow and chin.
FACE_XYWH: RawBoxXywh = (174.0, 68.0, 106.0, 106.0)

#: Her right eye, left eye, tip of the nose and mouth in the portrait, drawn by hand.
LANDMARKS_XY = ((203.0, 101.0), (246.0, 104.0), (222.5, 129.0), (224.0, 146.0))

#: Head and shoulders in the portrait, and where the face is in that part.
_HEAD = (120, 10, 335, 260)
_FACE_IN_HEAD: RawBoxXywh = (54.0, 58.0, 106.0, 106.0)


@cache
def portrait() -> Image.Image:
    """512 × 512, with one face of 106 px."""
    return Image.fromarray(astronaut())


def portrait_file(file_format: str = "JPEG", **options: object) -> bytes:
    return encoded(portrait(), file_format, **options)


def no_face() -> bytes:
    """A photograph of a cup of coffee."""
    return encoded(Image.fromarray(coffee()), "JPEG")


@dataclass(frozen=True)
class Crowd:
    """A made picture and the boxes of the faces in it."""

    picture: Image.Image
    boxes_xywh: tuple[RawBoxXywh, ...]


def crowd(size_wh: tuple[int, int], face_px: list[int], seed: int = 0) -> Crowd:
    """The same head many times, with faces of the sizes given, on the enlarged photograph of a cup."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(coffee()).resize(size_wh, Image.Resampling.BICUBIC)
    head = portrait().crop(_HEAD)
    taken: list[tuple[int, int, int, int]] = []
    boxes: list[RawBoxXywh] = []
    for size in sorted(face_px, reverse=True):
        scale = size / _FACE_IN_HEAD[2]
        width, height = round(head.width * scale), round(head.height * scale)
        while True:
            x = int(rng.integers(0, size_wh[0] - width))
            y = int(rng.integers(0, size_wh[1] - height))
            place = (x, y, x + width, y + height)
            if all(place[2] < a or c < place[0] or place[3] < b or d < place[1] for a, b, c, d in taken):
                break
        taken.append(place)
        picture.paste(head.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        boxes.append((x + _FACE_IN_HEAD[0] * scale, y + _FACE_IN_HEAD[1] * scale, size, size))
    return Crowd(picture, tuple(boxes))


def iou(a: RawBoxXywh | tuple[int, ...], b: RawBoxXywh | tuple[int, ...]) -> float:
    """Intersection over union, computed in another way than the server does."""
    overlap = [max(0.0, min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
    common = overlap[0] * overlap[1]
    return common / (a[2] * a[3] + b[2] * b[3] - common)
