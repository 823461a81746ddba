"""Boxes, labels and bars drawn into a video's frames: as ``drawing``, but at a thirtieth of its cost.

What is slow is text. Each piece of it is drawn by Pillow once, kept as pixels, and copied from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw, ImageFont

from .drawing import colour_of, ink_on, line_width, text_size

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

#: Each emotion's share in whole percent: 8 labels of 101 texts, of which a video shows few.
_TEXTS_KEPT = 1024

#: A bar's track and the panel behind it.
_TRACK_RGB = (70, 74, 78)
_PANEL_RGB = (17, 20, 22)
_PANEL_OPACITY = 0.72
_TEXT_COLOUR = "#f2f4f5"

#: A panel's text is this part of a label's, and bars are this many times as long as text is high.
_PANEL_TEXT = 0.64
_BAR_LENGTH = 5.5


@dataclass(frozen=True)
class OverlayFace:
    """What is drawn of a face. ``box_xywh`` lies inside the picture; ``probabilities`` (C,) are in [0, 1]."""

    face_id: int
    box_xywh: Box
    probabilities: npt.NDArray[np.float32]


class Overlay:
    """Draws into frames of one size; ``labels`` are those of the probabilities, in their order."""

    def __init__(self, size_wh: tuple[int, int], labels: Sequence[str]) -> None:
        self._size_wh = size_wh
        self._labels = tuple(labels)
        self._line = line_width(size_wh)
        self._text_px = text_size(size_wh)
        panel_text_px = max(10, round(self._text_px * _PANEL_TEXT))
        self._row_px = round(panel_text_px * 1.45)
        self._pad = max(3, panel_text_px // 2)
        self._bar_px = round(panel_text_px * _BAR_LENGTH)
        # White text on the panel's colour: blended onto what the panel covers, it stays what it is.
        self._names = [_text(label, panel_text_px, _TEXT_COLOUR, _hex(_PANEL_RGB), 0) for label in labels]
        self._names_px = max(name.shape[1] for name in self._names)
        self._panel_wh = (
            self._names_px + self._bar_px + 3 * self._pad,
            self._row_px * len(self._labels) + 2 * self._pad,
        )

    def draw(self, picture: Pixels, faces: Sequence[OverlayFace], show_bars: bool = True) -> None:
        """Draws into ``picture`` itself, uint8 (H, W, 3) RGB, contiguous. Labels lie on top.

        Bars stand beside their face where there is room for them that no other face needs.
        """
        label_px = 2 * self._text_px
        taken = [
            (x, y - label_px, width, height + label_px)
            for x, y, width, height in (face.box_xywh for face in faces)
        ]
        for face in faces:
            if show_bars and (corner := self._room_beside(face.box_xywh, taken)) is not None:
                taken.append((*corner, *self._panel_wh))
                self._draw_panel(picture, face, corner)
        for face in faces:
            self._draw_box(picture, face)
        for face in faces:
            self._draw_label(picture, face)

    def _draw_box(self, picture: Pixels, face: OverlayFace) -> None:
        x, y, width, height = face.box_xywh
        colour = _rgb(colour_of(self._emotion(face)))
        far = (x + width - 1, y + height - 1)
        # A dark line around the coloured one: it is seen on any ground.
        cv2.rectangle(picture, (x, y), far, (0, 0, 0), self._line + 2)
        cv2.rectangle(picture, (x, y), far, colour, self._line)

    def _draw_label(self, picture: Pixels, face: OverlayFace) -> None:
        emotion = self._emotion(face)
        colour = colour_of(emotion)
        words = f"{emotion} {round(float(face.probabilities.max()) * 100)} %"
        sprite = _text(words, self._text_px, ink_on(colour), colour, max(2, self._line))
        height = sprite.shape[0]
        x, y, _, box_height = face.box_xywh
        above, below = y - height, y + box_height
        label_y = above if above >= 0 else below if below + height <= self._size_wh[1] else y
        _paste(picture, sprite, x, label_y)

    def _draw_panel(self, picture: Pixels, face: OverlayFace, corner: tuple[int, int]) -> None:
        x, y = corner
        width, height = self._panel_wh
        ground = picture[y : y + height, x : x + width]
        panel = np.empty_like(ground)
        panel[:] = _PANEL_RGB
        cv2.addWeighted(panel, _PANEL_OPACITY, ground, 1 - _PANEL_OPACITY, 0, dst=panel)
        bar_x = 2 * self._pad + self._names_px
        thickness = max(2, self._row_px // 3)
        for row, (label, name, share) in enumerate(
            zip(self._labels, self._names, face.probabilities, strict=True)
        ):
            top = self._pad + row * self._row_px
            part = panel[top : top + name.shape[0], self._pad : self._pad + name.shape[1]]
            np.maximum(part, name[: part.shape[0], : part.shape[1]], out=part)
            bar_y = top + (self._row_px - thickness) // 2
            panel[bar_y : bar_y + thickness, bar_x : bar_x + self._bar_px] = _TRACK_RGB
            filled = round(float(share) * self._bar_px)
            panel[bar_y : bar_y + thickness, bar_x : bar_x + filled] = _rgb(colour_of(label))
        ground[:] = panel

    def _room_beside(self, box: Box, taken: Sequence[Box]) -> tuple[int, int] | None:
        """The panel's corner right of a face, else left of it, below or above, or None: no room."""
        x, y, width, height = box
        panel_width, panel_height = self._panel_wh
        gap = 2 * self._line
        most_x, most_y = self._size_wh[0] - panel_width, self._size_wh[1] - panel_height
        beside_y = min(max(0, y + (height - panel_height) // 2), most_y)
        over_x = min(max(0, x + (width - panel_width) // 2), most_x)
        for left, top in (
            (x + width + gap, beside_y),
            (x - gap - panel_width, beside_y),
            (over_x, y + height + gap),
            (over_x, y - 2 * self._text_px - gap - panel_height),
        ):
            is_inside = 0 <= left <= most_x and 0 <= top <= most_y
            if is_inside and not any(_overlap((left, top, *self._panel_wh), other) for other in taken):
                return left, top
        return None

    def _emotion(self, face: OverlayFace) -> str:
        return self._labels[int(face.probabilities.argmax())]


def _overlap(a: Box, b: Box) -> bool:
    return (
        a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
    )  # fmt: skip


def _paste(picture: Pixels, sprite: Pixels, x: int, y: int) -> None:
    """Copies a sprite to (x, y), moved inside the picture; what is larger than the picture is cut off."""
    height, width = min(sprite.shape[0], picture.shape[0]), min(sprite.shape[1], picture.shape[1])
    x = max(0, min(x, picture.shape[1] - width))
    y = max(0, min(y, picture.shape[0] - height))
    picture[y : y + height, x : x + width] = sprite[:height, :width]


@lru_cache(maxsize=_TEXTS_KEPT)
def _text(words: str, size_px: int, ink: str, ground: str, padding: int) -> Pixels:
    """Text on a ground of one colour, uint8 (H, W, 3) RGB; as high for all words of one size."""
    font = ImageFont.load_default(size_px)
    if isinstance(font, ImageFont.FreeTypeFont):
        ascent, descent = font.getmetrics()
    else:  # Pillow without FreeType has one font of one size
        ascent, descent = 11, 3
    width = round(font.getlength(words)) + 2 * padding + 2 * (padding > 0)
    sprite = Image.new("RGB", (max(1, width), ascent + descent + 2 * padding), ground)
    ImageDraw.Draw(sprite).text((padding + (padding > 0), padding), words, font=font, fill=ink)
    pixels: Pixels = np.asarray(sprite).copy()
    pixels.flags.writeable = False  # it is kept
    return pixels


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)
