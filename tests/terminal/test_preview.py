import io

import numpy as np
import pytest
from emostream.emotions import colour_of
from emostream.terminal.preview import Preview, PreviewKind, cell_size, with_boxes
from rich.console import Console

from tests.terminal.sights import face, faces_of


def console() -> Console:
    return Console(file=io.StringIO(), width=60, height=20, force_terminal=True, color_system="truecolor")


def printed(kind: PreviewKind, cells_wh: tuple[int, int] = (40, 12)) -> tuple[str, str]:
    """What is printed, and what is written over it."""
    out = console()
    preview = Preview(kind, out)
    shown = preview.show(faces_of(face(1, 0.1, 0.8, 0.1)), cells_wh)
    out.print(shown, end="")
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue(), shown.over(out, column=0, row=1)


# textual-image reads pixels in a way that the next Pillow will not have.
@pytest.mark.filterwarnings("ignore:Image.Image.getdata is deprecated:DeprecationWarning")
def test_blocks_are_two_pixels_each_in_the_frames_shape() -> None:
    text, over = printed(PreviewKind.BLOCKS)

    lines = text.splitlines()
    assert len(lines) == 12
    assert lines[0].count("▀") == 32  # 4 : 3, of cells twice as high as wide
    assert over == ""


def test_sixels_are_written_over_an_empty_place_of_their_size() -> None:
    text, over = printed(PreviewKind.SIXEL)

    assert text.strip() == ""
    assert len(text.splitlines()) == 12
    assert over.startswith("\x1b7\x1b[2;1H")
    assert "\x1bP" in over
    assert over.endswith("\x1b8")


def test_kittys_images_are_placeholders_of_their_size(capsys: pytest.CaptureFixture[str]) -> None:
    """The image itself goes to standard output at once: the library writes it there."""
    text, _ = printed(PreviewKind.KITTY)

    assert text.count("\U0010eeee") == 32 * 12


def test_auto_takes_half_blocks_where_there_is_no_terminal_to_ask() -> None:
    assert Preview(PreviewKind.AUTO, console()).kind is PreviewKind.BLOCKS


def test_boxes_have_the_emotions_colour_and_move_with_the_scale() -> None:
    small = with_boxes(faces_of(face(1, 0.1, 0.8, 0.1)), (48, 36))

    colour = colour_of("happiness")
    is_box = (small == [int(colour[place : place + 2], 16) for place in (1, 3, 5)]).all(2)
    rows, columns = np.nonzero(is_box)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (16, 23, 12, 19)
    assert is_box.sum() == 2 * 8 + 2 * 6  # an outline


def test_a_character_is_taller_than_wide_where_the_terminal_does_not_say() -> None:
    width, height = cell_size()

    assert 0 < width < height
