"""Places labels inside the image, without overlaps, and off the faces if possible.

``web/src/ui/placing.ts`` is the same rule for the page; tests/data/tag_places.json compares the two.
"""

from collections.abc import Iterator, Sequence

#: x, y, width, height; boxes and labels alike.
RectXywh = tuple[float, float, float, float]

#: Cost of a place per part of the label that covers another label, another face, its own face.
_ON_LABEL, _ON_OTHER_FACE, _ON_OWN_FACE = 1e6, 10.0, 1.0

#: Cost of the distance from a label to its box beyond the gap, per longer side of the image.
_DISTANCE = 8.0

#: Cost of each step down the order of places.
_STEP = 0.02

#: Bonus of the previous place, so that a label does not jump between equally good places.
_STAYING = 0.5

#: Number of places around a box; more are only tried if all of these cover other labels.
_AROUND = 6


def fitted(box_xywh: RectXywh, size_wh: tuple[float, float], inset: float = 0.0) -> RectXywh:
    """A box clipped to an image, ``inset`` away from its edges, and never inverted."""
    x, y, width, height = box_xywh
    right = max(inset, min(x + width, size_wh[0] - inset))
    bottom = max(inset, min(y + height, size_wh[1] - inset))
    left = min(max(x, inset), right)
    top = min(max(y, inset), bottom)
    return (left, top, right - left, bottom - top)


def place_labels(
    size_wh: tuple[float, float],
    boxes_xywh: Sequence[RectXywh],
    labels_wh: Sequence[tuple[float, float]],
    gap: float = 0.0,
    kept: Sequence[int | None] = (),
) -> list[tuple[float, float, int]]:
    """A place for the label of each box: x and y of its corner, and the place's number.

    Earlier boxes choose first. ``gap`` is the distance between a label and its box. ``kept`` has the numbers
    that the labels had in the previous frame. A label that is larger than the image starts at its left or top
    edge.
    """
    taken: list[RectXywh] = []
    places = []
    for index, (box, label) in enumerate(zip(boxes_xywh, labels_wh, strict=True)):
        others = [other for place, other in enumerate(boxes_xywh) if place != index]
        was = kept[index] if index < len(kept) else None
        best, least, is_free = (0.0, 0.0, 0), float("inf"), False
        for number, x, y in _candidates(box, label, size_wh, gap):
            if number == _AROUND and is_free:
                break
            x = max(0.0, min(x, size_wh[0] - label[0]))
            y = max(0.0, min(y, size_wh[1] - label[1]))
            rect = (x, y, *label)
            on_labels = sum(_part_on(rect, other) for other in taken)
            cost = (
                _ON_LABEL * on_labels
                + _ON_OTHER_FACE * sum(_part_on(rect, other) for other in others)
                + _ON_OWN_FACE * _part_on(rect, box)
                + _DISTANCE * max(0.0, _distance(rect, box) - gap) / max(size_wh)
                + _STEP * min(number, _AROUND)
                - (_STAYING if number == was else 0.0)
            )
            if cost < least:
                best, least, is_free = (x, y, number), cost, on_labels == 0
        taken.append((best[0], best[1], *label))
        places.append(best)
    return places


def _candidates(
    box: RectXywh, label: tuple[float, float], size_wh: tuple[float, float], gap: float
) -> Iterator[tuple[int, float, float]]:
    """Places above and below the box, then inside it, then down the image in steps of half a label, at both
    ends of the box and of the image."""
    x, y, width, height = box
    start, end = x, x + width - label[0]
    above, below = y - gap - label[1], y + height + gap
    yield 0, start, above
    yield 1, end, above
    yield 2, start, below
    yield 3, end, below
    yield 4, start + gap, y + gap
    yield 5, start + gap, below - 2 * gap - label[1]
    step = max(1.0, label[1] / 2)
    for row in range(int(size_wh[1] / step)):
        for column, left in enumerate((start, end, 0.0, size_wh[0])):
            yield _AROUND + 4 * row + column, left, row * step


def _part_on(label: RectXywh, other: RectXywh) -> float:
    """The part of a label that a rectangle overlaps, in [0, 1]."""
    across = min(label[0] + label[2], other[0] + other[2]) - max(label[0], other[0])
    down = min(label[1] + label[3], other[1] + other[3]) - max(label[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / (label[2] * label[3])


def _distance(a: RectXywh, b: RectXywh) -> float:
    """The sum of the horizontal and vertical distance of two rectangles."""
    across = max(0.0, a[0] - (b[0] + b[2]), b[0] - (a[0] + a[2]))
    down = max(0.0, a[1] - (b[1] + b[3]), b[1] - (a[1] + a[3]))
    return across + down
