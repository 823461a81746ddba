"""Boxes and labels drawn onto a picture, legible whatever its size."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

PictureFormat = Literal["JPEG", "PNG"]

#: Text is this part of the picture's longer side, and never smaller than can be read.
_TEXT_PART = 1 / 45
_MIN_TEXT_PX = 12
_SMALLEST_TEXT_PX = 8  # where even one word would not fit otherwise

#: Colours that differ in lightness too, with black or white text, whichever reads better on them.
_COLOURS = {
    "anger": "#e5484d",
    "contempt": "#a18072",
    "disgust": "#46a758",
    "fear": "#8e4ec6",
    "happiness": "#ffc53d",
    "neutral": "#9ba1a6",
    "sadness": "#3e63dd",
    "surprise": "#f76b15",
}
_OTHER_COLOUR = "#00a2c7"


@dataclass(frozen=True)
class LabelledBox:
    """A box [x, y, width, height] in pixels, and what is said of it. ``confidence`` is in [0, 1]."""

    box_xywh: tuple[int, int, int, int]
    emotion: str
    confidence: float


def colour_of(emotion: str) -> str:
    """An emotion's colour, "#rrggbb", the same wherever it is drawn."""
    return _COLOURS.get(emotion, _OTHER_COLOUR)


def text_size(size_wh: tuple[int, int]) -> int:
    """Height of text, in pixels, that can be read on a picture of that size."""
    return max(_MIN_TEXT_PX, round(max(size_wh) * _TEXT_PART))


def line_width(size_wh: tuple[int, int]) -> int:
    """Width of a box's line, in pixels, on a picture of that size."""
    return max(2, round(max(size_wh) / 400))


def annotate(picture: Image.Image, boxes: Sequence[LabelledBox]) -> Image.Image:
    """A copy of an RGB picture with every box and its label. Labels lie on top of all boxes."""
    drawn = picture.copy()
    draw = ImageDraw.Draw(drawn)
    line = line_width(drawn.size)
    for box in boxes:
        x, y, width, height = box.box_xywh
        colour = colour_of(box.emotion)
        # A dark line around the coloured one: it is seen on any ground.
        draw.rectangle((x - 1, y - 1, x + width, y + height), outline="black", width=line + 2)
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=colour, width=line)
    for box in boxes:
        _draw_label(draw, drawn.size, box, line)
    return drawn


def encode(picture: Image.Image, picture_format: PictureFormat) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    if picture_format == "JPEG":
        picture.save(buffer, "JPEG", quality=90)
    else:
        picture.save(buffer, "PNG", compress_level=3)  # twice as fast as the default, a few percent larger
    return buffer.getvalue()


def _draw_label(draw: ImageDraw.ImageDraw, size_wh: tuple[int, int], box: LabelledBox, line: int) -> None:
    width, height = size_wh
    text, font = _fitting_text(draw, box, width, text_size(size_wh))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    padding = max(2, line)
    label_width, label_height = right - left + 2 * padding, bottom - top + 2 * padding
    x, y, _, box_height = box.box_xywh
    above, below = y - label_height, y + box_height
    # Above the box, below where there is no room, and inside where there is none either.
    label_y = above if above >= 0 else below if below + label_height <= height else max(0, y)
    label_x = max(0, min(x, width - label_width))
    colour = colour_of(box.emotion)
    draw.rectangle((label_x, label_y, label_x + label_width, label_y + label_height), fill=colour)
    draw.text((label_x + padding - left, label_y + padding - top), text, font=font, fill=ink_on(colour))


def _fitting_text(
    draw: ImageDraw.ImageDraw, box: LabelledBox, width: float, size_px: int
) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """The longest text at the largest size that fits into ``width``, or else the shortest at the smallest."""
    word = box.emotion
    texts = (f"{word} {round(box.confidence * 100)} %", word)
    for size in (size_px, _MIN_TEXT_PX, 10, _SMALLEST_TEXT_PX):
        font = ImageFont.load_default(size)
        for text in texts:
            if draw.textlength(text, font=font) + 8 <= width:
                return text, font
    return word, font


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out more against a colour "#rrggbb"."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"
