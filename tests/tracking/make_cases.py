"""Writes tests/data/tracking_cases.json, to which both trackers are held: run it as a module.

In the named cases each person has one id, by the order in which they come into sight, whatever a tracker
says. The random ones have no truth: boxes come and go, so that every branch and many near ties are met, and
the ids are those that the Python tracker gave. The page's must be the same.
"""

import json
from collections.abc import Callable, Iterator
from math import sin
from typing import Any

import numpy as np
from emostream.tracking.tracker import FaceTracker

from tests.support import ROOT

PATH = ROOT / "tests" / "data" / "tracking_cases.json"

#: People's appearances; 48 numbers would say no more here.
ANNA, BERT, CLEO = (0.6, 0.1, -0.4, 0.2), (-0.5, 0.3, 0.4, 0.1), (0.1, -0.7, 0.2, -0.5)

#: Person, centre x and y, and side in px; who is listed first is nearer.
Seen = tuple[tuple[float, ...], float, float, float]
Film = Callable[[float], list[Seen]]


def fast(t: float) -> list[Seen]:
    """To and fro at up to 1885 px a second."""
    return [(ANNA, 640 + 450 * sin(1885 / 450 * t), 360, 150)]


def crossing(t: float) -> list[Seen]:
    """Bert walks behind Anna, and is hidden meanwhile."""
    anna, bert = 150 + 300 * t, 950 - 260 * t
    behind: list[Seen] = [] if abs(anna - bert) < 90 else [(BERT, bert, 310, 120)]
    return [(ANNA, anna, 320, 140), *behind]


def emerging(t: float) -> list[Seen]:
    """The same, and Anna covers a part of Bert, less and less, as he comes into sight again."""
    anna, *behind = crossing(t)
    for _, x, y, side in behind if t > 1.4 else []:
        covered = max(0.0, 1 - (abs(x - anna[1]) - 90) / 90)
        look = tuple(v + covered * change for v, change in zip(BERT, (0.85, -0.1, -0.6, 0.1), strict=True))
        behind = [(look, x, y, side)]
    return [anna, *behind]


def beside_hair(t: float) -> list[Seen]:
    """The same, and Anna's hair covers a part of Bert from almost two sides away on, before he is hidden."""
    anna, *behind = crossing(t)
    for _, x, y, side in behind:
        if not 0 < x - anna[1] < 215:
            continue
        look = tuple(v + change for v, change in zip(BERT, (0.68, -0.08, -0.48, 0.08), strict=True))
        behind = [(look, x, y, side)]
    return [anna, *behind]


def crossing_twins(t: float) -> list[Seen]:
    """The same with two people who look alike."""
    return [(ANNA, x, y, side) for _, x, y, side in crossing(t)]


def occlusion(t: float) -> list[Seen]:
    """Anna walks behind a pillar for two seconds; Bert stands beside it."""
    anna: list[Seen] = [] if 1 < t < 3 else [(ANNA, 200 + 120 * t, 300, 120)]
    return [*anna, (BERT, 440, 460, 110)]


def replaced(t: float) -> list[Seen]:
    """Bert is where Anna was a frame before, and Cleo comes after half a second."""
    if t < 1:
        return [(ANNA, 400, 300, 150)]
    if t < 2:
        return [(BERT, 402, 303, 146)]
    return [] if t < 2.5 else [(CLEO, 395, 298, 152)]


def away_for_long(t: float) -> list[Seen]:
    """Anna leaves for three seconds. She may be somebody else: here, Bert has that id."""
    anna: list[Seen] = [(ANNA, 300, 300, 100)] if t < 1 else []
    return [*anna, (CLEO, 700, 300, 100), *([(BERT, 300, 300, 100)] if t > 4 else [])]


def light_fades(t: float) -> list[Seen]:
    """Anna's appearance drifts, further than two people differ, and she moves little."""
    drifted = tuple(value + 0.5 * t * sign for value, sign in zip(ANNA, (-1, 1, 1, -1), strict=True))
    return [(drifted, 400 + 20 * sin(3 * t), 300, 120)]


def small(t: float) -> list[Seen]:
    """Anna is so small that her appearance jumps now and then, although she stays where she is."""
    jump = 0.38 * (round(10 * t) % 5 == 3)
    seen = tuple(value + jump * sign for value, sign in zip(ANNA, (-1, 1, 1, -1), strict=True))
    return [(seen, 400 + 4 * sin(3 * t), 300, 30)]


def shaken(t: float) -> list[Seen]:
    """The camera is carried about; three sit side by side."""
    x, y = 60 * sin(17 * t), 40 * sin(23 * t)
    return [(who, 250 + 180 * place + x, 300 + y, 110) for place, who in enumerate((ANNA, BERT, CLEO))]


#: Film, seconds, frames a second, part of the detections that are missed.
FILMS: dict[str, tuple[Film, float, float, float]] = {
    "a fast face, 25 frames a second": (fast, 2, 25, 0.0),
    "a fast face, 10 frames a second": (fast, 4, 10, 0.0),
    "two people cross": (crossing, 3, 15, 0.0),
    "one is half covered while he comes from behind the other": (emerging, 3, 15, 0.0),
    "one is covered by the other's hair before he is hidden": (beside_hair, 3, 15, 0.0),
    "two people cross, 5 frames a second": (crossing, 3, 5, 0.0),
    "two who look alike cross": (crossing_twins, 3, 15, 0.0),
    "a face is hidden for two seconds": (occlusion, 5, 10, 0.0),
    "a face is hidden for two seconds, 3 frames a second": (occlusion, 6, 3, 0.0),
    "a person is replaced by another in the same place": (replaced, 4, 10, 0.0),
    "a face is away for three seconds": (away_for_long, 6, 5, 0.0),
    "the light fades": (light_fades, 3, 10, 0.0),
    "a small face's appearance jumps": (small, 3, 10, 0.0),
    "the camera shakes, a fifth is missed": (shaken, 3, 20, 0.2),
}

#: Films of people who look alike, or change.
TOLD_BY_PLACE = (crossing_twins, emerging, beside_hair, light_fades, small)


def recorded(film: Film, seconds: float, per_second: float, missed: float) -> Iterator[dict[str, Any]]:
    """The frames of a film, at uneven times, with noise in boxes and appearances."""
    rng = np.random.default_rng(18)
    ids: dict[str, int] = {}
    time_s = 0.0
    while time_s < seconds:
        faces = []
        for place, (person, x, y, side) in enumerate(film(time_s)):
            if rng.random() < missed:
                continue
            noise, size = rng.normal(0, 0.02 * side, 2), side * (1 + rng.normal(0, 0.02))
            box = (x + noise[0] - size / 2, y + noise[1] - size / 2, size, size)
            appearance = np.array(person) + rng.normal(0, 0.06, len(person))
            name = str(place) if film in TOLD_BY_PLACE else str(person)
            faces.append((name, box, appearance))
        yield frame(
            time_s, [(box, look, ids.setdefault(name, len(ids) + 1)) for name, box, look in faces[::-1]]
        )
        time_s += float(rng.uniform(0.8, 1.2)) / per_second


def random_frames(seed: int) -> Iterator[dict[str, Any]]:
    """Up to six boxes that wander, meet, vanish and come back, now and then with equal ones among them."""
    rng = np.random.default_rng(seed)
    tracker = FaceTracker()
    centres, sides = rng.uniform(100, 500, (6, 2)), rng.uniform(40, 160, 6)
    looks = rng.normal(0, 0.35, (6, 4))
    speeds = rng.normal(0, 150, (6, 2))
    time_s = 0.0
    for _ in range(50):
        seen = rng.permutation(6)[: rng.integers(0, 7)]
        made = [
            frame_face(
                (*(centres[i] + rng.normal(0, 3, 2) - sides[i] / 2), sides[i], sides[i] * 1.1),
                () if rng.random() < 0.05 else looks[i] + rng.normal(0, 0.1, 4),
            )
            for i in seen
        ]
        if made and rng.random() < 0.2:
            made.append(made[0])
        ids = tracker.update([box for box, _ in made], [look for _, look in made], round(time_s, 3))
        yield frame(time_s, [(box, look, face_id) for (box, look), face_id in zip(made, ids, strict=True)])
        elapsed = float(rng.choice([0.01, 0.04, 0.1, 0.3, 1.0], p=[0.1, 0.4, 0.3, 0.15, 0.05]))
        time_s += elapsed
        speeds += rng.normal(0, 200 * elapsed, (6, 2)) - 0.5 * elapsed * (centres - 300)
        centres += speeds * elapsed


def frame_face(box: Any, appearance: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """As the file has them: what is rounded later would be given other ids."""
    return tuple(round(float(v), 1) for v in box), tuple(round(float(v), 2) for v in appearance)


def frame(time_s: float, faces: list[tuple[Any, Any, int]]) -> dict[str, Any]:
    rounded = [(*frame_face(box, look), face_id) for box, look, face_id in faces]
    return {
        "time_s": round(time_s, 3),
        "faces": [{"box": box, "appearance": look, "id": face_id} for box, look, face_id in rounded],
    }


def main() -> None:
    cases = {name: list(recorded(*film)) for name, film in FILMS.items()}
    cases |= {f"random {seed}": list(random_frames(seed)) for seed in range(3)}
    # A line for each frame, so that a change can be read.
    written = [
        f"{json.dumps(name)}: [\n"
        + ",\n".join(json.dumps(one, separators=(",", ":")) for one in frames)
        + "\n]"
        for name, frames in cases.items()
    ]
    PATH.write_text("{\n" + ",\n".join(written) + "\n}\n")


if __name__ == "__main__":
    main()
