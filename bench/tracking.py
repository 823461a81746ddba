"""Whether faces keep their ids: identity F1 and id switches on made sequences.

People move on made paths; a made detector sees who is not hidden by somebody nearer, with noise in its boxes
and in the appearances, and misses some. Ground truth is who was detected: what the detector misses is not the
tracker's fault. ``motmetrics`` counts (IDF1: Ristani et al., arXiv 1609.01775; switches: Bernardin and
Stiefelhagen 2008). Everything is drawn from fixed seeds. Prints a table; exits with 1 where the tracker is
below its limit.

    pip install 'emostream[bench]'
    python -m bench.tracking
    python -m bench.tracking --before tracker.py      # another tracker's file beside it

Appearances are random vectors, as far from each other as those of photographs are: 1.25 between two people,
0.25 from frame to frame. Twins have the same one.
"""

import argparse
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path
from typing import Any

import motmetrics
import numpy as np
import numpy.typing as npt
from emostream.imaging.crop import RawBoxXywh
from emostream.tracking.appearance import CELLS
from emostream.tracking.tracker import FaceTracker, iou
from rich.console import Console
from rich.table import Table

#: Least IDF1 over all sequences.
LIMIT_IDF1 = 0.95

_SEEDS = 5
_NUMBERS = 3 * CELLS**2
_BETWEEN_PEOPLE, _FROM_FRAME_TO_FRAME = 1.25, 0.25
_BOX_NOISE = 0.025

#: Who overlaps somebody nearer by this much (intersection over union) is not detected.
_HIDDEN_IOU = 0.3

Random = np.random.Generator
Path_ = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True)
class Person:
    """``path`` gives the face's centre in px at a time in seconds, or None while it is out of sight."""

    path: Path_
    side: float
    appearance: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """The detections of one frame, and whose they are."""

    time_s: float
    boxes_xywh: list[RawBoxXywh]
    appearances: list[tuple[float, ...]]
    people: list[int]


@dataclass(frozen=True)
class Scene:
    """``shake`` is how far the camera jumps from frame to frame, in px."""

    people: list[Person]
    seconds: float
    per_second: float
    missed: float = 0.0
    shake: float = 0.0


def frames(scene: Scene, rng: Random) -> Iterator[Frame]:
    """What a detector sees of a scene; people are listed from near to far. Frames come at uneven times."""
    time_s = 0.0
    while time_s < scene.seconds:
        jump = rng.normal(0, scene.shake, 2) if scene.shake else np.zeros(2)
        near: list[RawBoxXywh] = []
        seen: list[int] = []
        boxes: list[RawBoxXywh] = []
        appearances = []
        for which, person in enumerate(scene.people):
            centre = person.path(time_s)
            if centre is None:
                continue
            x, y = centre[0] + jump[0], centre[1] + jump[1]
            box = (x - person.side / 2, y - person.side / 2, person.side, person.side)
            is_hidden = any(iou(box, other) > _HIDDEN_IOU for other in near)
            near.append(box)
            if is_hidden or rng.random() < scene.missed:
                continue
            noise = rng.normal(0, _BOX_NOISE * person.side, 3)
            side = person.side + noise[2]
            boxes.append((x + noise[0] - side / 2, y + noise[1] - side / 2, side, side))
            blur = rng.normal(0, _FROM_FRAME_TO_FRAME / (2 * _NUMBERS) ** 0.5, _NUMBERS)
            appearances.append(tuple((person.appearance + blur).tolist()))
            seen.append(which)
        order = rng.permutation(len(seen))
        yield Frame(
            time_s, [boxes[i] for i in order], [appearances[i] for i in order], [seen[i] for i in order]
        )
        time_s += float(rng.uniform(0.7, 1.3)) / scene.per_second


def somebody(rng: Random) -> npt.NDArray[np.float64]:
    return rng.normal(0, _BETWEEN_PEOPLE / (2 * _NUMBERS) ** 0.5, _NUMBERS)


def fast(rng: Random, per_second: float) -> Scene:
    """To and fro across 1280 px, at up to 1885 px a second."""
    amplitude = rng.uniform(300, 500)
    turn = 1885 / amplitude
    return Scene(
        [Person(lambda t: (640 + amplitude * sin(turn * t), 360), 150, somebody(rng))], 8, per_second
    )


def crossing(rng: Random, per_second: float, twins: bool = False) -> Scene:
    """Two people who walk past each other three times, one a little nearer."""
    turn, offset = 2 * pi / rng.uniform(4, 6), rng.uniform(5, 30)
    one, other = somebody(rng), somebody(rng)
    return Scene(
        [
            Person(lambda t: (640 + 400 * sin(turn * t + 1), 360), 140, one),
            Person(lambda t: (640 - 400 * sin(turn * t + 1), 360 - offset), 120, one if twins else other),
        ],
        12,
        per_second,
    )


def occlusion(rng: Random, per_second: float) -> Scene:
    """Somebody walks behind a pillar for two seconds; somebody else stands beside it."""
    speed = rng.uniform(50, 150)
    return Scene(
        [
            Person(lambda t: None if 2 <= t < 4 else (300 + speed * t, 300), 120, somebody(rng)),
            Person(lambda t: (320 + speed * 3, 300 + 130 + 5 * sin(t)), 110, somebody(rng)),
        ],
        7,
        per_second,
    )


def replaced(rng: Random, per_second: float) -> Scene:
    """Every three seconds somebody else is in the same place."""

    def only(start: float) -> Path_:
        return lambda t: (400 + 10 * sin(t), 300) if start <= t < start + 3 else None

    return Scene([Person(only(3.0 * turn), 150, somebody(rng)) for turn in range(4)], 12, per_second)


def walks(
    rng: Random,
    per_second: float,
    missed: float = 0.0,
    shake: float = 0.0,
    number: int = 6,
    twins: bool = False,
) -> Scene:
    """People who wander through 1280 × 720, passing in front of each other."""

    def wander() -> Path_:
        phases, speeds = rng.uniform(0, 2 * pi, 4), rng.uniform(0.3, 1.2, 4)
        return lambda t: (
            640 + 350 * sin(speeds[0] * t + phases[0]) + 200 * sin(speeds[1] * t + phases[1]),
            360 + 150 * sin(speeds[2] * t + phases[2]) + 80 * sin(speeds[3] * t + phases[3]),
        )

    sides = sorted(rng.uniform(70, 130, number), reverse=True)
    one = somebody(rng)
    people = [Person(wander(), float(side), one if twins else somebody(rng)) for side in sides]
    return Scene(people, 15, per_second, missed, shake)


SEQUENCES: dict[str, Callable[[Random], Scene]] = {
    "fast, 25 frames a second": lambda rng: fast(rng, 25),
    "fast, 10 frames a second": lambda rng: fast(rng, 10),
    "fast, 6 frames a second": lambda rng: fast(rng, 6),
    "crossing": lambda rng: crossing(rng, 25),
    "crossing, 6 frames a second": lambda rng: crossing(rng, 6),
    "crossing twins": lambda rng: crossing(rng, 25, twins=True),
    "crossing twins, 6 frames a second": lambda rng: crossing(rng, 6, twins=True),
    "occlusion of two seconds": lambda rng: occlusion(rng, 15),
    "replaced": lambda rng: replaced(rng, 15),
    "six walk": lambda rng: walks(rng, 25),
    "six walk, 6 frames a second": lambda rng: walks(rng, 6),
    "six walk, 10 % missed": lambda rng: walks(rng, 25, missed=0.1),
    "six walk, 30 % missed": lambda rng: walks(rng, 25, missed=0.3),
    "six walk, camera shakes": lambda rng: walks(rng, 25, missed=0.1, shake=20),
    "six twins walk, 10 % missed": lambda rng: walks(rng, 25, missed=0.1, twins=True),
    "six twins walk, 6 frames a second": lambda rng: walks(rng, 6, twins=True),
    "twelve walk, 20 % missed": lambda rng: walks(rng, 15, missed=0.2, number=12),
}


def counted(tracker: Any, sequence: Iterator[Frame]) -> motmetrics.MOTAccumulator:
    """Identities of one sequence, in an accumulator of motmetrics."""
    # Older trackers know no appearance.
    with_appearance = len(inspect.signature(tracker.update).parameters) == 3
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for frame in sequence:
        given = (frame.boxes_xywh, frame.appearances) if with_appearance else (frame.boxes_xywh,)
        ids = tracker.update(*given, frame.time_s)
        distances = np.full((len(ids), len(ids)), np.nan)
        np.fill_diagonal(distances, 0.0)
        accumulator.update(frame.people, ids, distances)
    return accumulator


def measure(create: Callable[[], Any], make: Callable[[Random], Scene]) -> tuple[float, int, int]:
    """IDF1, id switches and ids given of one kind of sequence, over all seeds."""
    accumulators, ids = [], 0
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        accumulators.append(counted(create(), frames(make(rng), rng)))
        ids += accumulators[-1].events["HId"].nunique()
    host = motmetrics.metrics.create()
    summary = host.compute_many(accumulators, metrics=["idf1", "num_switches"], generate_overall=True)
    return float(summary.loc["OVERALL", "idf1"]), int(summary.loc["OVERALL", "num_switches"]), ids


def tracker_of(path: Path) -> Callable[[], Any]:
    """The FaceTracker of a file, as if it lay in the package."""
    spec = importlib.util.spec_from_file_location("emostream.tracking.before", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.FaceTracker


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--before", type=Path, help="a file with another FaceTracker")
    arguments = parser.parse_args()
    trackers = {"before": tracker_of(arguments.before)} if arguments.before else {}
    trackers["now"] = FaceTracker
    table = Table(
        "sequence", *(f"{name}: {what}" for name in trackers for what in ("IDF1", "switches", "ids"))
    )
    scores = []
    for sequence, make in SEQUENCES.items():
        row = []
        for create in trackers.values():
            idf1, switches, ids = measure(create, make)
            row += [f"{idf1:.3f}", str(switches), str(ids)]
        scores.append(idf1)
        table.add_row(sequence, *row)
    Console(width=140).print(table)
    print(f"mean IDF1 now: {np.mean(scores):.3f}; limit: {LIMIT_IDF1}")
    return 0 if np.mean(scores) >= LIMIT_IDF1 else 1


if __name__ == "__main__":
    sys.exit(main())
