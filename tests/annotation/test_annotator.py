import numpy as np
import pytest
from emostream.annotation import Annotator
from emostream.emotions import colour_of
from emostream.faces import Face
from PIL import ImageColor

LABELS = ("anger", "fear", "happiness")
ANGER, HAPPINESS = (ImageColor.getrgb(colour_of(label)) for label in ("anger", "happiness"))
SIZES = [(40, 40), (121, 91), (640, 480), (4096, 3000), (3000, 60)]
PLACES = ["top left", "middle", "bottom right", "all of it"]


def grey(size_wh: tuple[int, int]) -> np.ndarray:
    return np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)


def face(box: tuple[int, int, int, int] | None, *shares: float) -> Face:
    return Face.from_row(LABELS, np.array(shares, np.float32), box)


def of_colour(image: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return (image == colour).all(2)


def test_box_and_label_have_the_likeliest_emotions_colour_and_the_face_stays_visible() -> None:
    image = grey((640, 480))

    Annotator((640, 480), LABELS).draw(image, [face((200, 200, 100, 80), 0.1, 0.2, 0.7)], bars=False)

    drawn = of_colour(image, HAPPINESS)
    assert drawn[200:280, 200].all()
    assert drawn[200:280, 299].all()
    assert drawn[279, 200:300].all()
    assert drawn[150:199].sum() > 200  # the label's ground, above
    assert (image[206:274, 206:294] == 128).all()


def test_bars_are_as_long_as_their_shares() -> None:
    image = grey((1280, 720))

    Annotator((1280, 720), LABELS).draw(image, [face((200, 300, 100, 100), 0.2, 0.1, 0.7)])

    beside = image[301:, 306:]  # the label is above
    short, long = (of_colour(beside, colour).any(0).sum() for colour in (ANGER, HAPPINESS))
    assert long / short == pytest.approx(3.5, rel=0.1)


def test_bars_stand_left_of_a_face_at_the_right_edge() -> None:
    image = grey((1280, 720))

    Annotator((1280, 720), LABELS).draw(image, [face((1170, 300, 100, 100), 0.2, 0.1, 0.7)])

    assert of_colour(image[:, :1150], HAPPINESS).any()


def test_bars_cover_no_other_face() -> None:
    boxes = [(100 + 130 * index, 100, 110, 500) for index in range(8)]
    image = grey((1280, 720))

    Annotator((1280, 720), LABELS).draw(image, [face(box, 0.2, 0.1, 0.7) for box in boxes])

    for x, y, width, height in boxes:
        assert (image[y + 10 : y + height - 10, x + 10 : x + width - 10] == 128).all()


def test_labels_cover_no_bars() -> None:
    """A small face's label is wider than the face, and its panel higher."""
    one = face((600, 300, 40, 40), 0.2, 0.1, 0.7)
    with_bars, without = grey((1280, 720)), grey((1280, 720))
    Annotator((1280, 720), LABELS).draw(with_bars, [one])
    Annotator((1280, 720), LABELS).draw(without, [one], bars=False)

    panel = (with_bars != without).any(2)
    rows, columns = np.nonzero(panel)

    assert panel[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    assert of_colour(with_bars, ANGER).any()  # the first of the bars


@pytest.mark.parametrize("size_wh", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_a_label_is_drawn_inside_the_image_whatever_its_size(size_wh: tuple[int, int], place: str) -> None:
    width, height = size_wh
    side = max(8, min(size_wh) // 4)
    box = {
        "top left": (0, 0, side, side),
        "middle": ((width - side) // 2, (height - side) // 2, side, side),
        "bottom right": (width - side, height - side, side, side),
        "all of it": (0, 0, width, height),
    }[place]
    image = grey(size_wh)

    Annotator(size_wh, LABELS).draw(image, [face(box, 0.03, 0.87, 0.1)], bars=False)

    ground = of_colour(image, ImageColor.getrgb(colour_of("fear")))
    ink = (image < 60).all(2)  # black letters, and the line around the box
    assert ink.sum() > 15
    assert ground.sum() > 40
    rows, columns = np.nonzero(ground)
    assert np.ptp(rows) + 1 >= 8
    assert columns.max() < width


def test_text_grows_with_the_image() -> None:
    def height_of_label(size_wh: tuple[int, int]) -> int:
        image = grey(size_wh)
        box = (size_wh[0] // 3, size_wh[1] // 3, 20, 20)
        Annotator(size_wh, LABELS).draw(image, [face(box, 0.1, 0.2, 0.7)], bars=False)
        rows, _ = np.nonzero(of_colour(image, HAPPINESS))
        return int(np.ptp(rows)) + 1 - 20

    assert height_of_label((4096, 3000)) > 3 * height_of_label((640, 480))


def test_a_label_of_ones_own_is_drawn_too() -> None:
    image = grey((640, 480))
    labels = ("Überraschung!", "calm")
    own = Face.from_row(labels, np.array([0.9, 0.1], np.float32), (200, 200, 100, 80))

    Annotator((640, 480), labels).draw(image, [own])

    assert of_colour(image, ImageColor.getrgb(colour_of("Überraschung!"))).any()


@pytest.mark.parametrize("faces", [[], [face(None, 0.1, 0.2, 0.7)]], ids=["no face", "a face without a box"])
def test_without_boxes_nothing_is_drawn(faces: list[Face]) -> None:
    image = grey((64, 48))

    Annotator((64, 48), LABELS).draw(image, faces)

    assert (image == 128).all()
