import io

import numpy as np
import pytest
from emostream.annotation.drawing import LabelledBox, annotate, encode
from PIL import Image

GREY = (128, 128, 128)
SIZES = [(40, 40), (120, 90), (640, 480), (4096, 3000), (3000, 60)]


def grey(size_wh: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size_wh, GREY)


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    return (np.asarray(before) != np.asarray(after)).any(2)


def test_the_picture_itself_is_not_touched() -> None:
    picture = grey((100, 100))

    annotate(picture, [LabelledBox((20, 40, 30, 30), "fear", 0.5)])

    assert picture.tobytes() == grey((100, 100)).tobytes()


def test_without_faces_nothing_is_drawn() -> None:
    assert annotate(grey((100, 100)), []).tobytes() == grey((100, 100)).tobytes()


def test_the_box_is_drawn_around_the_face_and_the_face_stays_visible() -> None:
    drawn = changed(
        grey((640, 480)), annotate(grey((640, 480)), [LabelledBox((200, 200, 100, 80), "fear", 0.5)])
    )

    assert drawn[200:280, 200].all()
    assert drawn[200:280, 299].all()
    assert drawn[279, 200:300].all()
    assert not drawn[206:274, 206:294].any()


@pytest.mark.parametrize("size_wh", SIZES)
@pytest.mark.parametrize("place", ["top left", "middle", "bottom right", "all of it"])
def test_a_label_is_drawn_inside_the_picture_whatever_its_size(size_wh: tuple[int, int], place: str) -> None:
    width, height = size_wh
    side = max(8, min(size_wh) // 4)
    box = {
        "top left": (0, 0, side, side),
        "middle": ((width - side) // 2, (height - side) // 2, side, side),
        "bottom right": (width - side, height - side, side, side),
        "all of it": (0, 0, width, height),
    }[place]
    colour_of_fear = (0x8E, 0x4E, 0xC6)

    drawn = np.asarray(annotate(grey(size_wh), [LabelledBox(box, "fear", 0.87)]))

    ink = (drawn > 190).all(2)
    assert ink.sum() > 15  # white letters
    rows, columns = np.nonzero(ink)
    # Letters that can be read, with the label's ground around them on all sides.
    assert np.ptp(rows) + 1 >= 6
    assert rows.min() > 0
    assert columns.max() < width - 1
    assert (drawn == colour_of_fear).all(2).sum() > ink.sum()


def test_text_grows_with_the_picture() -> None:
    def height_of_letters(size_wh: tuple[int, int]) -> int:
        box = LabelledBox((size_wh[0] // 3, size_wh[1] // 3, 20, 20), "fear", 0.87)
        rows, _ = np.nonzero((np.asarray(annotate(grey(size_wh), [box])) == 255).all(2))
        return int(np.ptp(rows)) + 1

    assert height_of_letters((4096, 3000)) > 3 * height_of_letters((640, 480))


def test_a_label_that_is_no_emotion_is_drawn_too() -> None:
    box = LabelledBox((20, 40, 30, 30), "Überraschung!", 0.5)

    assert changed(grey((200, 200)), annotate(grey((200, 200)), [box])).any()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_the_drawing_is_a_file_of_the_format_asked_for(file_format: str) -> None:
    with Image.open(io.BytesIO(encode(grey((64, 48)), file_format))) as picture:  # type: ignore[arg-type]
        assert (picture.format, picture.size) == (file_format, (64, 48))
