"""The eight emotions: names, synonyms, order and colours.

``emotions.json`` is the table; the dashboard (``web/src/ui/palette.ts``) reads the same one, and
``tests/data/emotions_cases.json`` holds both to the same colours.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

#: The eight names, in the order in which they are listed.
EMOTIONS: tuple[str, ...] = tuple(emotion["name"] for emotion in _TABLE["emotions"])

_COLOURS: dict[str, str] = {emotion["name"]: emotion["colour"] for emotion in _TABLE["emotions"]}
_OTHER_COLOURS: tuple[str, ...] = tuple(_TABLE["other_colours"])
_NAMES: dict[str, str] = {
    word: emotion["name"]
    for emotion in _TABLE["emotions"]
    for word in (emotion["name"], *emotion["synonyms"])
}

#: Every word that means one of them, in lower case.
WORDS: tuple[str, ...] = tuple(_NAMES)

#: Relative luminance on which black and white text have the same WCAG 2 contrast: sqrt(1.05 × 0.05) − 0.05.
_EVEN_LUMINANCE = 0.179


def canonical(label: str) -> str | None:
    """The emotion that a model's label or a data set's folder means, in any case; None where it is none."""
    return _NAMES.get(_key(label))


def colour_of(label: str, labels: Iterable[str] = ()) -> str:
    """A label's colour, "#rrggbb", always the same one among the same ``labels``.

    An unknown label's follows from its name; no two of a model's have one colour, as far as there are enough.
    """
    return _colours(tuple(labels)).get(label) or _own_colour(label)


@lru_cache(maxsize=64)
def _colours(labels: tuple[str, ...]) -> dict[str, str]:
    colours: dict[str, str] = {}
    for label in labels:
        colour = _own_colour(label)
        if colour in colours.values() and canonical(label) is None:
            start = _OTHER_COLOURS.index(colour)
            ring = (*_OTHER_COLOURS[start:], *_OTHER_COLOURS[:start])
            colour = next((other for other in ring if other not in colours.values()), colour)
        colours[label] = colour
    return colours


def _own_colour(label: str) -> str:
    name = canonical(label)
    if name is not None:
        return _COLOURS[name]
    code = 0
    for character in _key(label):
        code = (code * 31 + ord(character)) % 2**32
    return _OTHER_COLOURS[code % len(_OTHER_COLOURS)]


def ink_on(colour: str) -> Literal["black", "white"]:
    """The colour of text with the higher contrast on ``colour``, "#rrggbb"."""
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _EVEN_LUMINANCE else "white"


def _key(label: str) -> str:
    return label.strip().lower()


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
