"""Writes tests/data/crop_cases.json, to which the page's crop and the server's are held: run it as a module.

A head of known proportions is turned by a known angle, in another way than the code under test does: with
complex numbers. What the crop's rule makes of it follows from docs/crop.md.
"""

import cmath
import json
from math import radians
from typing import Any

from tests.support import ROOT

PATH = ROOT / "tests" / "data" / "crop_cases.json"

#: In the order of BlazeFace's landmarks, as parts of the box's side, from the middle between the eyes; x to
#: the image's right, y down.
HEAD = (-0.2 + 0j, 0.2 + 0j, 0.2j, 0.42j, -0.4 + 0.1j, 0.4 + 0.1j)
COVERED = (-0.05 + 0j, 0.05 + 0j, 0.2j, 0.42j, -0.4 + 0.1j, 0.4 + 0.1j)
NO_CHIN = (-0.2 + 0j, 0.2 + 0j, 0.1j, 0.1j, -0.4 + 0.1j, 0.4 + 0.1j)
ASKEW = (-0.2 + 0j, 0.2 + 0j, 0.2j, 0.3 + 0.42j, -0.4 + 0.1j, 0.4 + 0.1j)

FRAME = (640, 480)


def case(
    name: str,
    turn_deg: float,
    expected_deg: float,
    head: tuple[complex, ...] = HEAD,
    centre: complex = 320 + 240j,
    side: float = 100.0,
    frame_wh: tuple[int, int] = FRAME,
) -> dict[str, Any]:
    """A face whose box has its middle at ``centre``, and what its crop is."""
    turned = cmath.exp(1j * radians(turn_deg))
    landmarks = [centre + turned * (point - 0.15j) * side for point in head]
    crop_side = min(1.2 * side, *frame_wh)
    middle = centre - 0.1j * side * cmath.exp(1j * radians(expected_deg))
    room = [(crop_side / 2, length - crop_side / 2) for length in frame_wh]
    x, y = (
        min(max(value, low), high) - crop_side / 2
        for value, (low, high) in zip((middle.real, middle.imag), room, strict=True)
    )
    return {
        "name": name,
        "frame": list(frame_wh),
        "box": [centre.real - side / 2, centre.imag - side / 2, side, side],
        "landmarks": [[round(point.real, 6), round(point.imag, 6)] for point in landmarks],
        "turn_deg": expected_deg,
        "square": [round(value, 6) for value in (x, y, crop_side, crop_side)],
    }


CASES = [
    case("upright", 0, 0),
    case("turned by less than the crop's rule asks for", 11.9, 0),
    case("and to the other side", -11.9, 0),
    case("turned by a little more", 12.1, 12.1),
    case("and to the other side, by a little more", -12.1, -12.1),
    case("35 degrees, clockwise", 35, 35),
    case("35 degrees, anticlockwise", -35, -35),
    case("lying", 90, 90),
    case("lying on the other side", -90, -90),
    case("nearly upside down", 170, 170),
    case("eyes too close together to be believed", 35, 0, COVERED),
    case("a mouth too near to the eyes to be believed", 35, 0, NO_CHIN),
    case("a mouth that is not below the eyes", 35, 0, ASKEW),
    case("a mouth above the eyes", 35, 0, tuple(point.conjugate() for point in HEAD)),
    case("no landmarks: all on one point", 0, 0, (0j,) * 6),
    case("turned at the left edge", 30, 30, centre=10 + 240j),
    case("turned at the top edge", -30, -30, centre=320 + 5j),
    case("turned at the right edge", 45, 45, centre=636 + 240j),
    case("turned at the bottom edge", 120, 120, centre=320 + 470j),
    case("turned and larger than the frame", 20, 20, side=450.0),
    case("turned and outside of the frame", 20, 20, centre=900 - 300j),
    case("a tall frame", -60, -60, centre=240 + 320j, side=300.0, frame_wh=(480, 640)),
]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(one) for one in CASES)
    PATH.write_text(f"[\n{lines}\n]\n")
