"""Groups images that are copies or mirror images of each other, in any size and compression.

Such images must be in one split: otherwise a model would be evaluated on images that it was trained on.
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

#: Most bits, of a perceptual hash's 64, in which copies of one image may differ.
_MOST_BITS = 6

#: Least standard deviation, in grey levels, of an image with a meaningful hash.
_LEAST_CONTRAST = 2.0

_ROWS_AT_A_TIME = 1024


def linked_by_content(
    loads: Sequence[Callable[[], Image.Image]], progress: Progress | None = None
) -> list[tuple[int, int]]:
    """Pairs of indices in ``loads`` whose images are the same.

    Each of ``loads`` returns an image or raises ImageError; one that raises is in no pair.
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
            continue  # it will be rejected for this reason
        first = by_pixels.setdefault(repr(grey.size).encode() + grey.tobytes(), place)
        if first != place:
            pairs.append((first, place))
        elif np.asarray(grey).std() >= _LEAST_CONTRAST:
            places.append(place)
            hashes.append((_hash(grey), _hash(ImageOps.mirror(grey))))
    return pairs + [(places[a], places[b]) for a, b in _close(np.array(hashes, np.uint64).reshape(-1, 2))]


def linked_by_key(keys: Iterable[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices in ``keys``: each one with the first that has the same key. None is no key."""
    first_of: dict[Hashable, int] = {}
    return [(first_of.setdefault(key, place), place) for place, key in enumerate(keys) if key is not None]


def groups_of(count: int, pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """The group number (N,) of each item: items linked by pairs are in one group."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(first), np.int8), (first, second)), (count, count))
    groups: npt.NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return groups


def _hash(grey: Image.Image) -> int:
    return int(str(imagehash.phash(grey)), 16)


def _close(hashes: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Pairs of similar rows of (N, 2); a row has an image's hash and that of its mirror image."""
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
