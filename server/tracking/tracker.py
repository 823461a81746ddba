"""Tracks faces: assigns the same id to a face from frame to frame. No I/O; time is passed in.

``web/src/tracking/tracker.ts`` has the same algorithm with the same names, and
``tests/data/tracking_cases.json`` tests both. Only + − × ÷ and square roots are used, in the same order, so
that both give the same ids, even for ties.

A face is expected where its speed has carried it. The cost of a pair of a known face and a box adds up
distance, change of size, and change of appearance (see ``appearance``); a pair beyond one of the limits is
excluded. The cheapest pair is matched first, then the cheapest of the rest. An optimal assignment kept no
more ids in ``bench/tracking.py``, and its ties are arbitrary. A box without a match is a new face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from ..imaging.crop import RawBoxXywh
from .appearance import Appearance, appearance_distance

#: A face is dropped when it has been missing for longer, in seconds since the first frame without it.
MAX_GAP_S = 2.25

#: For slow clients: a face of the previous frame is kept up to this age of that frame, in seconds.
MAX_PAUSE_S = 10.0

#: Most unseen faces remembered: those seen most recently.
MAX_UNSEEN = 32

#: Speed fades while a face is unseen: in t seconds it moves as far as in t / (1 + t / DAMPING_S) seconds at
#: its last speed.
DAMPING_S = 1.0

#: Largest distance of a face from its expected position: a fraction of its side, plus a number of sides per
#: second since it was seen (up to a longest time), plus twice the way at its speed, since it may have stopped
#: or turned back.
REACH = 0.8
REACH_PER_S = 12.0
MAX_REACH_S = 0.3
#: The same for a face that was seen only once and has no speed yet: up to 2.5 m/s for a face 0.16 m wide.
FIRST_REACH_PER_S = 16.0
MAX_FIRST_REACH_S = 0.25

#: Largest ratio of one face's sides in two frames, and how much it grows per second.
MAX_GROWTH = 1.6
GROWTH_PER_S = 1.0

#: Largest distance of one face's appearances. People turn and light changes, so it grows by a little during
#: the first second since the face was seen.
MAX_APPEARANCE = 0.7
APPEARANCE_PER_S = 0.2

#: A face may be half covered if another one's centre is nearer than this many sides; then its appearance may
#: differ by this multiple of the limit. A head with its hair is about two boxes wide.
NEAR = 2.0
COVERED_APPEARANCE = 1.7

#: A face that was in the previous frame, so many seconds ago at most, and has stayed where it was expected,
#: to this many sides, may differ by this multiple of the limit: with noise alone, 1 in 1,000 small faces is
#: beyond the limit. Another person in the same place differs by 1.3 on average.
STILL = 0.25
STILL_S = 0.5
STILL_APPEARANCE = 1.3

#: Cost of a pair at each limit, and the extra cost of a face that was not in the previous frame.
REACH_COST = 2.0
GROWTH_COST = 0.5
APPEARANCE_COST = 1.0
UNSEEN_COST = 0.5

#: Time constants, in seconds, of the averages of speed and appearance.
SPEED_S = 0.08
APPEARANCE_S = 0.15

#: A box that another face overlaps by more than this (intersection over union) may show both: it does not
#: update the appearance, and updates the speed with this factor.
CROWDED_IOU = 0.1
CROWDED_SPEED = 0.25


@dataclass
class _Track:
    """A known face. Its position is the centre of its box, in px; its speed is in px per second."""

    face_id: int
    x: float
    y: float
    width: float
    height: float
    appearance: list[float]
    seen_at: float
    #: Time of the first frame without it since it was last seen; None if it was in the previous frame.
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
    """Tracks the faces of one session or video. Ids count from 1 and are never reused."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(
        self, boxes_xywh: Sequence[RawBoxXywh], appearances: Sequence[Appearance], now_s: float
    ) -> list[int]:
        """The ids of one frame's faces, in order.

        ``appearances`` are those of the boxes, in order; an empty one is ignored. ``now_s`` is in seconds of
        a monotonic clock; if it goes back, another video has begun and all faces are new.
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
        """The expected boxes of the faces seen within the last ``unseen_s`` seconds."""
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
        """Matches boxes to known faces, both by index: cheapest pairs first. Among equal costs, the older
        face comes first, then the earlier box."""
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
        """The cost of matching a face with a box; None if a limit is exceeded."""
        elapsed = now_s - track.seen_at
        dx = box_xywh[0] + box_xywh[2] / 2 - (expected[0] + expected[2] / 2)
        dy = box_xywh[1] + box_xywh[3] / 2 - (expected[1] + expected[3] / 2)
        way = sqrt(dx * dx + dy * dy)
        distance = way / _reach(track, elapsed)
        if distance > 1:
            return None
        side = (box_xywh[2] + box_xywh[3]) / 2
        growth = max(side, track.side) / max(min(side, track.side), 1.0) - 1
        growth = growth / (MAX_GROWTH - 1 + GROWTH_PER_S * elapsed)
        if growth > 1:
            return None
        change = appearance_distance(track.appearance, appearance)
        change = change / (MAX_APPEARANCE + APPEARANCE_PER_S * min(elapsed, 1.0))
        if change > COVERED_APPEARANCE:
            return None
        stayed = track.missing_since is None and elapsed <= STILL_S and way < STILL * side
        if change > (STILL_APPEARANCE if stayed else 1) and not any(
            is_near(other, box_xywh) for other in others_xywh
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
        """Updates a face that was found in this box."""
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
        """Drops the unseen faces beyond ``MAX_UNSEEN``."""
        unseen = [track for track in self._tracks if track.missing_since is not None]
        if len(unseen) > MAX_UNSEEN:
            unseen.sort(key=lambda track: (-track.seen_at, track.face_id))
            gone = {track.face_id for track in unseen[MAX_UNSEEN:]}
            self._tracks = [track for track in self._tracks if track.face_id not in gone]


def _reach(track: _Track, elapsed: float) -> float:
    """The largest distance of a face from its expected position, in px."""
    side = max(track.side, 1.0)
    if not track.has_speed:
        return side * (REACH + FIRST_REACH_PER_S * min(elapsed, MAX_FIRST_REACH_S))
    seconds = min(elapsed, MAX_REACH_S)
    speed = sqrt(track.vx * track.vx + track.vy * track.vy)
    return side * (REACH + REACH_PER_S * seconds) + 2 * speed * seconds


def is_near(other_xywh: RawBoxXywh, box_xywh: RawBoxXywh) -> bool:
    """Whether another face is so near to a box that it may cover a part of the face there."""
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
