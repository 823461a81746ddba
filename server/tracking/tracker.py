"""Which face is whose from frame to frame. No I/O; time is passed in.

The same rule as ``web/src/tracking/tracker.ts``, name by name; both are held to
``tests/data/tracking_cases.json``. Only + − × ÷ and square roots are used, in the same order, so that both
give the same ids to the last tie.

A face is expected where its speed has carried it. Each pair of a known face and a box costs what separates
them: distance, change of size, and change of appearance (see ``appearance``); a pair beyond one of the
limits is none. The cheapest pair is taken first, then the cheapest of what is left (an optimal assignment
kept no more ids in ``bench/tracking.py``, and its ties are no rule); a box without a partner is a new face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from ..imaging.crop import RawBoxXywh
from .appearance import Appearance, appearance_distance

#: A face is forgotten when it has been missing for longer, in seconds from the first frame without it.
MAX_GAP_S = 2.25

#: A face of the frame before is looked for even where that was longer ago, in seconds: slow clients.
MAX_PAUSE_S = 10.0

#: Unseen faces remembered at most, those seen last.
MAX_UNSEEN = 32

#: Nobody keeps a speed for long: as the time t since the last sight grows, t seconds carry a face as far
#: as t / (1 + t / DAMPING_S) seconds at its speed would.
DAMPING_S = 1.0

#: How far from where it is expected a face may be: a part of its side, as many sides for each second since it
#: was seen (up to a longest time), and, since it may have stopped or turned back, twice the way at its speed.
REACH = 0.8
REACH_PER_S = 12.0
MAX_REACH_S = 0.3
#: A face that was seen once has no speed yet: up to 2.5 m a second, a face being 0.16 m wide.
FIRST_REACH_PER_S = 16.0
MAX_FIRST_REACH_S = 0.25

#: The larger of two sides, by the smaller, that one face may have in two frames.
MAX_GROWTH = 1.6
GROWTH_PER_S = 1.0

#: Two appearances that differ by more are two people's; people turn and light changes, so a little more is
#: allowed for each second since the face was seen, up to one.
MAX_APPEARANCE = 0.7
APPEARANCE_PER_S = 0.2

#: Beside somebody whose centre is nearer than so many sides, a face may be half covered: it may differ by so
#: many times as much. With its hair a head is about two boxes wide.
NEAR = 2.0
COVERED_APPEARANCE = 1.7

#: What a pair costs at each limit; and for a face that was not in the frame before: one that was comes first.
REACH_COST = 2.0
GROWTH_COST = 0.5
APPEARANCE_COST = 1.0
UNSEEN_COST = 0.5

#: Time constants, in seconds, with which speed and appearance follow what is seen.
SPEED_S = 0.08
APPEARANCE_S = 0.15

#: Where another face overlaps by this much (intersection over union) a box may be of both: nothing is learnt
#: about appearance, and less about speed.
CROWDED_IOU = 0.1
CROWDED_SPEED = 0.25


@dataclass
class _Track:
    """A known face. Position is its box's centre; px and px a second."""

    face_id: int
    x: float
    y: float
    width: float
    height: float
    appearance: list[float]
    seen_at: float
    #: Time of the first frame without it since it was seen; None if it was in the frame before.
    missing_since: float | None = None
    vx: float = 0.0
    vy: float = 0.0
    has_speed: bool = False

    @property
    def side(self) -> float:
        return (self.width + self.height) / 2

    def is_remembered(self, now_s: float) -> bool:
        if now_s < self.seen_at:
            return False
        if self.missing_since is None:
            return now_s - self.seen_at <= MAX_PAUSE_S
        return now_s - self.missing_since <= MAX_GAP_S

    def expected(self, now_s: float) -> RawBoxXywh:
        """The box where the face's speed has carried it."""
        elapsed = now_s - self.seen_at
        way = elapsed / (1 + elapsed / DAMPING_S)
        x, y = self.x + self.vx * way, self.y + self.vy * way
        return (x - self.width / 2, y - self.height / 2, self.width, self.height)


class FaceTracker:
    """One session's or video's faces. Numbers count from 1 and are never given twice."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(
        self, boxes_xywh: Sequence[RawBoxXywh], appearances: Sequence[Appearance], now_s: float
    ) -> list[int]:
        """The ids of one frame's faces, in their order.

        ``appearances`` are the boxes', in their order; an empty one says nothing. ``now_s`` is in seconds of
        a monotonic clock; where it goes back, another video has begun, and all faces are new.
        """
        self._tracks = [track for track in self._tracks if track.is_remembered(now_s)]
        expected = [track.expected(now_s) for track in self._tracks]
        partners = self._pairs(expected, boxes_xywh, appearances, now_s)
        seen = set(partners.values())
        for which, track in enumerate(self._tracks):
            if track.missing_since is None and which not in seen:
                track.missing_since = now_s
        ids = []
        for index, (box, appearance) in enumerate(zip(boxes_xywh, appearances, strict=True)):
            place = partners.get(index)
            if place is None:
                ids.append(self._new(box, appearance, now_s))
                continue
            others = [
                *expected[:place],
                *expected[place + 1 :],
                *boxes_xywh[:index],
                *boxes_xywh[index + 1 :],
            ]
            crowded = any(iou(other, box) > CROWDED_IOU for other in others)
            self._see(self._tracks[place], expected[place], box, appearance, crowded, now_s)
            ids.append(self._tracks[place].face_id)
        self._forget()
        return ids

    def expected(self, now_s: float, unseen_s: float) -> list[RawBoxXywh]:
        """Where the faces are likely to be that were seen within the last ``unseen_s`` seconds."""
        return [track.expected(now_s) for track in self._tracks if 0 <= now_s - track.seen_at <= unseen_s]

    def _new(self, box_xywh: RawBoxXywh, appearance: Appearance, now_s: float) -> int:
        x, y, width, height = box_xywh
        face_id = self._next_id
        self._next_id += 1
        self._tracks.append(
            _Track(face_id, x + width / 2, y + height / 2, width, height, list(appearance), now_s)
        )
        return face_id

    def _pairs(
        self,
        expected: Sequence[RawBoxXywh],
        boxes_xywh: Sequence[RawBoxXywh],
        appearances: Sequence[Appearance],
        now_s: float,
    ) -> dict[int, int]:
        """The place of the known face that each box belongs to, if any does: cheapest pairs first. Of equal
        costs the older face comes first, then the box that is listed first."""
        costs: list[tuple[float, int, int]] = []
        for place, track in enumerate(self._tracks):
            for index, box in enumerate(boxes_xywh):
                others = [*boxes_xywh[:index], *boxes_xywh[index + 1 :]]
                cost = self._cost(track, expected[place], box, appearances[index], others, now_s)
                if cost is not None:
                    costs.append((cost, place, index))
        partners: dict[int, int] = {}
        taken: set[int] = set()
        for _, place, index in sorted(costs):
            if place not in taken and index not in partners:
                partners[index] = place
                taken.add(place)
        return partners

    def _cost(
        self,
        track: _Track,
        expected: RawBoxXywh,
        box_xywh: RawBoxXywh,
        appearance: Appearance,
        others_xywh: Sequence[RawBoxXywh],
        now_s: float,
    ) -> float | None:
        """What separates a face from a box; None where that is too much."""
        elapsed = now_s - track.seen_at
        dx = box_xywh[0] + box_xywh[2] / 2 - (expected[0] + expected[2] / 2)
        dy = box_xywh[1] + box_xywh[3] / 2 - (expected[1] + expected[3] / 2)
        distance = sqrt(dx * dx + dy * dy) / _reach(track, elapsed)
        if distance > 1:
            return None
        side = (box_xywh[2] + box_xywh[3]) / 2
        growth = max(side, track.side) / max(min(side, track.side), 1.0) - 1
        growth = growth / (MAX_GROWTH - 1 + GROWTH_PER_S * elapsed)
        if growth > 1:
            return None
        change = appearance_distance(track.appearance, appearance)
        change = change / (MAX_APPEARANCE + APPEARANCE_PER_S * min(elapsed, 1.0))
        if change > COVERED_APPEARANCE or (
            change > 1 and not any(is_near(other, box_xywh) for other in others_xywh)
        ):
            return None
        cost = REACH_COST * distance + GROWTH_COST * growth + APPEARANCE_COST * change
        return cost if track.missing_since is None else cost + UNSEEN_COST

    def _see(
        self,
        track: _Track,
        expected: RawBoxXywh,
        box_xywh: RawBoxXywh,
        appearance: Appearance,
        crowded: bool,
        now_s: float,
    ) -> None:
        """The face is in this box now."""
        elapsed = max(now_s - track.seen_at, 0.001)
        x, y = box_xywh[0] + box_xywh[2] / 2, box_xywh[1] + box_xywh[3] / 2
        weight = elapsed / (elapsed + SPEED_S) if track.has_speed else 1.0
        if crowded:
            weight = weight * CROWDED_SPEED
        track.vx = track.vx + weight * (x - (expected[0] + expected[2] / 2)) / elapsed
        track.vy = track.vy + weight * (y - (expected[1] + expected[3] / 2)) / elapsed
        track.has_speed = True
        if not track.appearance:
            track.appearance = list(appearance)
        elif appearance and not crowded:
            weight = elapsed / (elapsed + APPEARANCE_S)
            track.appearance = [
                old + weight * (new - old) for old, new in zip(track.appearance, appearance, strict=True)
            ]
        track.x, track.y, track.width, track.height = x, y, box_xywh[2], box_xywh[3]
        track.seen_at, track.missing_since = now_s, None

    def _forget(self) -> None:
        """Bounds what is remembered."""
        unseen = [track for track in self._tracks if track.missing_since is not None]
        if len(unseen) > MAX_UNSEEN:
            unseen.sort(key=lambda track: (-track.seen_at, track.face_id))
            gone = {track.face_id for track in unseen[MAX_UNSEEN:]}
            self._tracks = [track for track in self._tracks if track.face_id not in gone]


def _reach(track: _Track, elapsed: float) -> float:
    """How far from where it is expected a face may be, in px."""
    side = max(track.side, 1.0)
    if not track.has_speed:
        return side * (REACH + FIRST_REACH_PER_S * min(elapsed, MAX_FIRST_REACH_S))
    seconds = min(elapsed, MAX_REACH_S)
    speed = sqrt(track.vx * track.vx + track.vy * track.vy)
    return side * (REACH + REACH_PER_S * seconds) + 2 * speed * seconds


def is_near(other_xywh: RawBoxXywh, box_xywh: RawBoxXywh) -> bool:
    """Whether somebody is so near to a box as to cover a part of the face there."""
    dx = other_xywh[0] + other_xywh[2] / 2 - (box_xywh[0] + box_xywh[2] / 2)
    dy = other_xywh[1] + other_xywh[3] / 2 - (box_xywh[1] + box_xywh[3] / 2)
    reach = NEAR * (box_xywh[2] + box_xywh[3]) / 2
    return dx * dx + dy * dy < reach * reach


def iou(a_xywh: RawBoxXywh, b_xywh: RawBoxXywh) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(a_xywh[0] + a_xywh[2], b_xywh[0] + b_xywh[2]) - max(a_xywh[0], b_xywh[0])
    height = min(a_xywh[1] + a_xywh[3], b_xywh[1] + b_xywh[3]) - max(a_xywh[1], b_xywh[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a_xywh[2] * a_xywh[3] + b_xywh[2] * b_xywh[3] - common)
