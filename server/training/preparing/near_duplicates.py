"""Which images belong together: copies of one picture, in any size and compression, and its mirror image.

Two parts of a data set that share such a picture are no two parts: what was learned from the one is then
measured on the other.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from rich.progress import Progress
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...exceptions import ImageError

#: Of a perceptual hash's 64 bits, in how many copies of one picture may differ.
_MOST_BITS = 6

#: Least standard deviation, in grey levels, of an image whose hash says something.
_LEAST_CONTRAST = 2.0

_ROWS_AT_A_TIME = 1024


def linked_by_content(
    loads: Sequence[Callable[[], Image.Image]], progress: Progress | None = None
) -> list[tuple[int, int]]:
    """Pairs of images, by their places in ``loads``, that show the same picture.

    Each of ``loads`` returns an image, or raises ImageError: that one is in no pair.
    """
    places: list[int] = []
    hashes: list[tuple[int, int]] = []
    by_pixels: dict[bytes, int] = {}
    pairs: list[tuple[int, int]] = []
    task = progress.add_task("comparing", total=len(loads)) if progress else None
    for place, load in enumerate(loads):
        if progress and task is not None:
            progress.advance(task)
        try:
            grey = load().convert("L")
        except ImageError:
            continue  # it will be left out, with this reason
        first = by_pixels.setdefault(repr(grey.size).encode() + grey.tobytes(), place)
        if first != place:
            pairs.append((first, place))
        elif np.asarray(grey).std() >= _LEAST_CONTRAST:
            places.append(place)
            hashes.append((_hash(grey), _hash(ImageOps.mirror(grey))))
    return pairs + [(places[a], places[b]) for a, b in _close(np.array(hashes, np.uint64).reshape(-1, 2))]


def linked_by_key(keys: Iterable[Hashable]) -> list[tuple[int, int]]:
    """Pairs of places in ``keys`` that have the same one, each with the first; None is no key."""
    first_of: dict[Hashable, int] = {}
    return [(first_of.setdefault(key, place), place) for place, key in enumerate(keys) if key is not None]


def groups_of(count: int, pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """(N,): the number of each item's group, where pairs of items belong together."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(first), np.int8), (first, second)), (count, count))
    groups: npt.NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return groups


def _hash(grey: Image.Image) -> int:
    return int(str(imagehash.phash(grey)), 16)


def _close(hashes: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Pairs of rows of (N, 2), each a hash and that of the mirror image, of which one is near the other's."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(hashes), _ROWS_AT_A_TIME):
        rows = hashes[start : start + _ROWS_AT_A_TIME]
        bits = np.minimum(
            np.bitwise_count(rows[:, None, 0] ^ hashes[None, start:, 0]),
            np.bitwise_count(rows[:, None, 0] ^ hashes[None, start:, 1]),
        )
        for a, b in zip(*np.nonzero(bits <= _MOST_BITS), strict=True):
            if a < b:
                found.append((start + int(a), start + int(b)))
    return found
