"""Shows a frame in a terminal: as pixels if the terminal supports them, otherwise as half blocks."""

import fcntl
import logging
import struct
import sys
import termios
from enum import StrEnum
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from ..annotation.annotator import draw_box, line_width
from ..emotions import colour_of
from ..faces import Faces

Pixels = npt.NDArray[np.uint8]

#: Longer side of images sent as pixels: Python encodes them, and SSH connections are slow.
_MAX_PIXELS_WH = (640, 480)

_USUAL_CELL = (10, 20)

#: Length of an uncertain face's dashes, in line widths.
_DASH_LINES = 2


class PreviewKind(StrEnum):
    """How frames are shown."""

    AUTO = "auto"
    KITTY = "kitty"
    SIXEL = "sixel"
    BLOCKS = "blocks"
    NONE = "none"


class _ImageClass(Protocol):
    def __call__(self, image: Image.Image, width: int, height: int) -> Any: ...


class Preview:
    """Renders frames in one of the ways of showing them.

    Loading queries the terminal's features, which takes up to 0.3 s if it does not reply.
    """

    def __init__(self, wanted: PreviewKind, console: Console) -> None:
        from textual_image import renderable  # its import queries the terminal, so it is imported late

        classes: dict[PreviewKind, _ImageClass] = {
            PreviewKind.KITTY: renderable.TGPImage,
            PreviewKind.SIXEL: renderable.SixelImage,
            PreviewKind.BLOCKS: renderable.HalfcellImage,
        }
        kinds = {made: kind for kind, made in classes.items()}
        self.kind = kinds.get(renderable.Image, PreviewKind.BLOCKS) if wanted is PreviewKind.AUTO else wanted
        self._make = classes[self.kind]
        # It also queries the size of a character, once, and warns if there is no reply: not over the
        # image.
        logging.getLogger("textual_image").setLevel(logging.ERROR)
        Measurement.get(console, console.options, self._make(Image.new("RGB", (1, 1)), 1, 1))
        self._shown: Any = None

    def show(self, faces: Faces, cells_wh: tuple[int, int]) -> "Shown":
        """The frame with its boxes, as large as ``cells_wh`` allows."""
        cell_width, cell_height = cell_size()
        room_wh = (cells_wh[0] * cell_width, cells_wh[1] * cell_height)
        width, height = faces.size_wh
        scale = min(room_wh[0] / width, room_wh[1] / height)
        columns = max(1, round(width * scale / cell_width))
        rows = max(1, round(height * scale / cell_height))
        if self.kind is PreviewKind.BLOCKS:
            size_wh = (columns, 2 * rows)  # a block's two halves are its pixels
        else:
            part = min(1.0, _MAX_PIXELS_WH[0] / (width * scale), _MAX_PIXELS_WH[1] / (height * scale))
            size_wh = (max(1, round(width * scale * part)), max(1, round(height * scale * part)))
        drawn = with_boxes(faces, size_wh)
        image = self._make(Image.fromarray(drawn), columns, rows)
        return Shown(image, columns, rows, self.kind)

    def replace_by(self, shown: "Shown") -> None:
        """Marks ``shown`` as displayed, so that the terminal can delete the previous image."""
        if self._shown is not None:
            self._shown.cleanup()
        self._shown = shown.image

    def close(self) -> None:
        """Lets the terminal delete the last image."""
        if self._shown is not None:
            self._shown.cleanup()
            self._shown = None


class Shown:
    """One image to print, ``columns`` × ``rows`` cells large.

    Sixels are printed as an empty area; ``over`` then writes them over it.
    """

    def __init__(self, image: Any, columns: int, rows: int, kind: PreviewKind) -> None:
        self.image = image
        self.columns = columns
        self.rows = rows
        self._kind = kind

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._kind is PreviewKind.SIXEL:
            for _ in range(self.rows):
                yield Segment(" " * self.columns)
                yield Segment.line()
        else:
            yield from self.image.__rich_console__(console, options)

    def over(self, console: Console, column: int, row: int) -> str:
        """What to write to the terminal after this was printed at a position, counted from 0."""
        if self._kind is not PreviewKind.SIXEL:
            return ""
        segments = self.image.__rich_console__(console, console.options)
        sixels = next(part.text for part in segments if isinstance(part, Segment) and "\x1bP" in part.text)
        return f"\x1b7\x1b[{row + 1};{column + 1}H{sixels}\x1b8"


def cell_size() -> tuple[int, int]:
    """Width and height of a character in the terminal's pixels; a usual size if unknown."""
    try:
        answer = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, bytes(8))  # type: ignore[union-attr]
        rows, columns, width, height = struct.unpack("4H", answer)
    except (OSError, ValueError, AttributeError):
        return _USUAL_CELL
    return (width // columns, height // rows) if width and height and columns and rows else _USUAL_CELL


def with_boxes(faces: Faces, size_wh: tuple[int, int]) -> Pixels:
    """The frame at another size, uint8 (H, W, 3) RGB, with a box in its emotion's colour for each face."""
    if faces.image_rgb is None:
        raise ValueError("the frame was not kept with its faces")
    drawn = np.asarray(cv2.resize(faces.image_rgb, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    scale_x, scale_y = size_wh[0] / faces.size_wh[0], size_wh[1] / faces.size_wh[1]
    thickness = 1 if max(size_wh) < 240 else line_width(size_wh)
    for face in faces:
        if face.box_xywh is None:
            continue
        x, y, width, height = face.box_xywh
        left, top = round(x * scale_x), round(y * scale_y)
        right, bottom = round((x + width) * scale_x), round((y + height) * scale_y)
        red, green, blue = ImageColor.getrgb(colour_of(face.emotion, face.probabilities))[:3]
        dash_px = _DASH_LINES * thickness if face.uncertain else 0
        draw_box(drawn, (left, top, right - left, bottom - top), (red, green, blue), thickness, dash_px)
    return drawn
