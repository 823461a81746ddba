"""Draws boxes, labels and bars into an image or a video's frames, legible at any size.

Text is slow. Pillow draws each text once; it is cached as pixels and copied from then on.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ..emotions import colour_of, ink_on
from ..faces import BoxXywh, Face
from .placing import place_labels

Pixels = npt.NDArray[np.uint8]

#: One per label and whole percent: 8 labels with 101 texts, of which a video shows few.
_TEXTS_KEPT = 1024

#: Height of text as a part of the image's longer side, and the smallest legible height.
_TEXT_PART = 1 / 45
_MIN_TEXT_PX = 12
_SMALLER_TEXTS_PX = (10, 8)  # if a label would not fit otherwise

#: Colours of a bar's track and the panel behind it.
_TRACK_RGB = (70, 74, 78)
_PANEL_RGB = (17, 20, 22)
_PANEL_OPACITY = 0.72
_TEXT_COLOUR = "#f2f4f5"

#: Length of an uncertain face's dashes, in line widths.
_DASH_LINES = 4

#: The panel's blending by level as a table, which is ten times as fast as arithmetic.
_DIMMED = (np.arange(256) * (1 - _PANEL_OPACITY)).astype(np.uint8)
_TINT = (np.array(_PANEL_RGB) * _PANEL_OPACITY).astype(np.uint8)

#: Size of a panel's text as a part of a label's, and the length of bars in heights of text.
_PANEL_TEXT = 0.64
_BAR_LENGTH = 5.5


class Annotator:
    """Draws into images of one size; ``labels`` are those of the faces' probabilities, in their order."""

    def __init__(self, size_wh: tuple[int, int], labels: Sequence[str]) -> None:
        self._size_wh = size_wh
        self._labels = tuple(labels)
        self._line = line_width(size_wh)
        self._text_px = max(_MIN_TEXT_PX, round(max(size_wh) * _TEXT_PART))
        panel_text_px = max(10, round(self._text_px * _PANEL_TEXT))
        self._row_px = round(panel_text_px * 1.45)
        self._pad = max(3, panel_text_px // 2)
        self._bar_px = round(panel_text_px * _BAR_LENGTH)
        # White text on the panel's colour, which does not change when it is blended onto the panel.
        self._names = [_text(label, panel_text_px, _TEXT_COLOUR, _hex(_PANEL_RGB), 0) for label in labels]
        self._names_px = max(name.shape[1] for name in self._names)
        self._panel_wh = (
            self._names_px + self._bar_px + 3 * self._pad,
            self._row_px * len(self._labels) + 2 * self._pad,
        )

    def draw(self, image_rgb: Pixels, faces: Iterable[Face], bars: bool = True) -> None:
        """Draws into ``image_rgb`` itself, uint8 (H, W, 3), writeable. Labels lie on top of all boxes.

        Bars are drawn beside their face if there is room that no other face needs. A face without a box is
        skipped.
        """
        boxed = [(face, face.box_xywh) for face in faces if face.box_xywh is not None]
        sprites = [self._label_of(face) for face, _ in boxed]
        places = place_labels(
            self._size_wh,
            [box for _, box in boxed],
            [(sprite.shape[1], sprite.shape[0]) for sprite in sprites],
        )
        # Whole pixels, since all sides are; a label larger than the image starts at its edge.
        labels = [(sprite, int(x), int(y)) for sprite, (x, y, _) in zip(sprites, places, strict=True)]
        taken = [box for _, box in boxed]
        taken += [(x, y, sprite.shape[1], sprite.shape[0]) for sprite, x, y in labels]
        for face, box in boxed:
            if bars and (corner := self._room_beside(box, taken)) is not None:
                taken.append((*corner, *self._panel_wh))
                self._draw_panel(image_rgb, face, corner)
        for face, box in boxed:
            # A dark line around the coloured one keeps it visible on any background.
            dash_px = _DASH_LINES * self._line if face.uncertain else 0
            draw_box(image_rgb, box, (0, 0, 0), self._line + 2, dash_px)
            draw_box(image_rgb, box, _rgb_of(face.emotion, self._labels), self._line, dash_px)
        for sprite, x, y in labels:
            _paste(image_rgb, sprite, x, y)

    def _label_of(self, face: Face) -> Pixels:
        """The longest text at the largest size that fits into the image; otherwise the shortest at the
        smallest."""
        colour = colour_of(face.emotion, self._labels)
        ink: str = ink_on(colour)
        ground = colour
        texts: tuple[tuple[str, ...], ...] = ((face.text,), (face.emotion,))
        if face.uncertain:
            ink, ground = _TEXT_COLOUR, _hex(_PANEL_RGB)
            why = f"unsure: {face.why}" if face.why else "unsure"
            texts = ((why, face.guess), ("unsure", face.guess), ("unsure",))
        for size_px in (self._text_px, _MIN_TEXT_PX, *_SMALLER_TEXTS_PX):
            for lines in texts:
                sprite = _lines(lines, size_px, ink, ground, max(2, self._line))
                if sprite.shape[1] <= self._size_wh[0]:
                    return sprite
        return sprite

    def _draw_panel(self, image_rgb: Pixels, face: Face, corner: tuple[int, int]) -> None:
        x, y = corner
        width, height = self._panel_wh
        ground = image_rgb[y : y + height, x : x + width]
        panel = _DIMMED[ground]
        panel += _TINT
        bar_x = 2 * self._pad + self._names_px
        thickness = max(2, self._row_px // 3)
        shares = face.probabilities.values()
        for row, (label, name, share) in enumerate(zip(self._labels, self._names, shares, strict=True)):
            top = self._pad + row * self._row_px
            part = panel[top : top + name.shape[0], self._pad : self._pad + name.shape[1]]
            np.maximum(part, name[: part.shape[0], : part.shape[1]], out=part)
            bar_y = top + (self._row_px - thickness) // 2
            panel[bar_y : bar_y + thickness, bar_x : bar_x + self._bar_px] = _TRACK_RGB
            filled = round(share * self._bar_px)
            panel[bar_y : bar_y + thickness, bar_x : bar_x + filled] = _rgb_of(label, self._labels)
        ground[:] = panel

    def _room_beside(self, box: BoxXywh, taken: Sequence[BoxXywh]) -> tuple[int, int] | None:
        """The panel's corner: right of a face, otherwise left, below or above; None if there is no room."""
        x, y, width, height = box
        panel_width, panel_height = self._panel_wh
        gap = 2 * self._line
        # Bars do not touch labels either.
        room_wh = (panel_width + 2 * self._line, panel_height + 2 * self._line)
        most_x, most_y = self._size_wh[0] - panel_width, self._size_wh[1] - panel_height
        beside_y = min(max(0, y + (height - panel_height) // 2), most_y)
        over_x = min(max(0, x + (width - panel_width) // 2), most_x)
        for left, top in (
            (x + width + gap, beside_y),
            (x + width + gap, y + self._line),  # under a label that is wider than its face
            (x - gap - panel_width, beside_y),
            (over_x, y + height + gap),
            (over_x, y - 2 * self._text_px - gap - panel_height),
        ):
            is_inside = 0 <= left <= most_x and 0 <= top <= most_y
            room = (left - self._line, top - self._line, *room_wh)
            if is_inside and not any(_overlap(room, other) for other in taken):
                return left, top
        return None


def line_width(size_wh: tuple[int, int]) -> int:
    """Width of a box's line, in pixels, on an image of that size."""
    return max(2, round(max(size_wh) / 400))


def draw_box(
    image_rgb: Pixels,
    box_xywh: BoxXywh,
    colour: tuple[int, int, int],
    thickness: int,
    dash_px: int = 0,
) -> None:
    """Draws a rectangle's outline, half of its line inside the box and half around it, within the image.

    With ``dash_px`` it is dashed: that many pixels of line, then three quarters as many of gap.
    """
    x, y, width, height = box_xywh
    outer = thickness // 2
    left, top = max(0, x - outer), max(0, y - outer)
    right = min(x + width + outer, image_rgb.shape[1])
    bottom = min(y + height + outer, image_rgb.shape[0])
    inner_left, inner_top = left + thickness, top + thickness
    inner_right, inner_bottom = max(inner_left, right - thickness), max(inner_top, bottom - thickness)
    columns, rows = _dashes(left, right, dash_px), _dashes(top, bottom, dash_px)
    image_rgb[top:inner_top, columns] = colour
    image_rgb[inner_bottom:bottom, columns] = colour
    image_rgb[rows, left:inner_left] = colour
    image_rgb[rows, inner_right:right] = colour


def _dashes(start: int, end: int, dash_px: int) -> npt.NDArray[np.intp] | slice:
    """The drawn pixels of a line from ``start`` to ``end``, which begins and ends with a dash."""
    if dash_px <= 0 or end - start <= 3 * dash_px:
        return slice(start, end)
    # Stretched slightly, so that the corners are drawn.
    dashes = max(1, round((end - start - dash_px) / (1.75 * dash_px)))
    period = (end - start - dash_px) / dashes
    places = np.arange(end - start)
    return start + np.flatnonzero(places % period < dash_px)


def _overlap(a: BoxXywh, b: BoxXywh) -> bool:
    return (
        a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
    )  # fmt: skip


def _paste(image_rgb: Pixels, sprite: Pixels, x: int, y: int) -> None:
    """Copies a sprite to (x, y), moved inside the image; a sprite larger than the image is clipped."""
    height, width = min(sprite.shape[0], image_rgb.shape[0]), min(sprite.shape[1], image_rgb.shape[1])
    x = max(0, min(x, image_rgb.shape[1] - width))
    y = max(0, min(y, image_rgb.shape[0] - height))
    image_rgb[y : y + height, x : x + width] = sprite[:height, :width]


def _lines(lines: tuple[str, ...], size_px: int, ink: str, ground: str, padding: int) -> Pixels:
    """Lines of text below each other, each drawn by ``_text``."""
    parts = [_text(words, size_px, ink, ground, padding) for words in lines]
    if len(parts) == 1:
        return parts[0]
    # One line's spacing between two lines.
    parts = [part if index == 0 else part[padding:] for index, part in enumerate(parts)]
    sprite = np.empty((sum(len(part) for part in parts), max(part.shape[1] for part in parts), 3), np.uint8)
    sprite[:] = _rgb(ground)
    top = 0
    for part in parts:
        sprite[top : top + len(part), : part.shape[1]] = part
        top += len(part)
    return sprite


@lru_cache(maxsize=_TEXTS_KEPT)
def _text(words: str, size_px: int, ink: str, ground: str, padding: int) -> Pixels:
    """Text on a plain background, uint8 (H, W, 3) RGB; the same height for all texts of one size."""
    font = ImageFont.load_default(size_px)
    if isinstance(font, ImageFont.FreeTypeFont):
        ascent, descent = font.getmetrics()
    else:  # Pillow without FreeType has a single font of one size
        ascent, descent = 11, 3
    width = round(font.getlength(words)) + 2 * padding + 2 * (padding > 0)
    sprite = Image.new("RGB", (max(1, width), ascent + descent + 2 * padding), ground)
    ImageDraw.Draw(sprite).text((padding + (padding > 0), padding), words, font=font, fill=ink)
    pixels: Pixels = np.asarray(sprite).copy()
    pixels.flags.writeable = False  # it is cached
    return pixels


@lru_cache(maxsize=_TEXTS_KEPT)
def _rgb_of(label: str, labels: tuple[str, ...]) -> tuple[int, int, int]:
    return _rgb(colour_of(label, labels))


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)
