import numpy as np
import pytest
from emostream.annotation.overlay import Overlay, OverlayFace

LABELS = ("anger", "fear", "happiness")
YELLOW = (0xFF, 0xC5, 0x3D)


def grey(size_wh: tuple[int, int]) -> np.ndarray:
    return np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)


def face(box: tuple[int, int, int, int], *shares: float, face_id: int = 1) -> OverlayFace:
    return OverlayFace(face_id, box, np.array(shares, np.float32))


def of_colour(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(2)


def test_box_and_label_have_the_likeliest_emotions_colour_and_the_face_stays_visible() -> None:
    picture = grey((640, 480))

    Overlay((640, 480), LABELS).draw(picture, [face((200, 200, 100, 80), 0.1, 0.2, 0.7)], show_bars=False)

    drawn = of_colour(picture, YELLOW)
    assert drawn[200:280, 200].all()
    assert drawn[279, 200:300].all()
    assert drawn[150:199].sum() > 200  # the label's ground, above
    assert (picture[206:274, 206:294] == 128).all()


def test_bars_are_as_long_as_their_shares() -> None:
    picture = grey((1280, 720))

    Overlay((1280, 720), LABELS).draw(picture, [face((200, 300, 100, 100), 0.2, 0.1, 0.7)])

    beside = picture[301:, 306:]  # the label is above
    red, yellow = (of_colour(beside, colour).any(0).sum() for colour in ((0xE5, 0x48, 0x4D), YELLOW))
    assert yellow / red == pytest.approx(3.5, rel=0.1)


def test_bars_stand_left_of_a_face_at_the_right_edge() -> None:
    picture = grey((1280, 720))

    Overlay((1280, 720), LABELS).draw(picture, [face((1170, 300, 100, 100), 0.2, 0.1, 0.7)])

    assert of_colour(picture[:, :1150], YELLOW).any()


def test_bars_cover_no_other_face() -> None:
    boxes = [(100 + 130 * index, 100, 110, 500) for index in range(8)]
    picture = grey((1280, 720))

    Overlay((1280, 720), LABELS).draw(picture, [face(box, 0.2, 0.1, 0.7) for box in boxes])

    for x, y, width, height in boxes:
        assert (picture[y + 10 : y + height - 10, x + 10 : x + width - 10] == 128).all()


@pytest.mark.parametrize("size_wh", [(40, 40), (121, 91), (3840, 2160), (3000, 60)])
@pytest.mark.parametrize("place", ["top left", "bottom right", "all of it"])
def test_drawing_fits_into_pictures_of_any_size(size_wh: tuple[int, int], place: str) -> None:
    width, height = size_wh
    side = max(8, min(size_wh) // 4)
    box = {
        "top left": (0, 0, side, side),
        "bottom right": (width - side, height - side, side, side),
        "all of it": (0, 0, width, height),
    }[place]
    picture = grey(size_wh)

    Overlay(size_wh, LABELS).draw(picture, [face(box, 0.1, 0.2, 0.7)])

    assert of_colour(picture, YELLOW).any()


def test_a_label_of_ones_own_is_drawn_too() -> None:
    picture = grey((640, 480))

    Overlay((640, 480), ("Überraschung!", "calm")).draw(picture, [face((200, 200, 100, 80), 0.9, 0.1)])

    assert (picture != 128).any()


def test_without_faces_nothing_is_drawn() -> None:
    picture = grey((64, 48))

    Overlay((64, 48), LABELS).draw(picture, [])

    assert (picture == 128).all()
