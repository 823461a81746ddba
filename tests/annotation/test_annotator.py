import numpy as np
import pytest
from emostream.annotation import Annotator, annotator
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


def test_labels_and_bars_of_a_crowd_lie_apart_and_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a phone's picture, faces at the edges and close ones among them."""
    drawn: list[tuple[int, int, int, int]] = []
    paste, panel = annotator._paste, Annotator._draw_panel

    def pasted(image: np.ndarray, sprite: np.ndarray, x: int, y: int) -> None:
        drawn.append((x, y, sprite.shape[1], sprite.shape[0]))
        paste(image, sprite, x, y)

    def panelled(self: Annotator, image: np.ndarray, one: Face, corner: tuple[int, int]) -> None:
        drawn.append((*corner, *self._panel_wh))
        panel(self, image, one, corner)

    monkeypatch.setattr(annotator, "_paste", pasted)
    monkeypatch.setattr(Annotator, "_draw_panel", panelled)
    rng = np.random.default_rng(0)
    panels = 0
    for _ in range(40):
        drawn.clear()
        corners = rng.integers(0, (600, 420), (5, 2)).tolist()
        faces = [face((x, y, min(90, 640 - x), min(90, 480 - y)), 0.2, 0.1, 0.7) for x, y in corners]

        Annotator((640, 480), LABELS).draw(grey((640, 480)), faces)

        panels += len(drawn) - len(faces)
        for index, (x, y, width, height) in enumerate(drawn):
            assert min(x, y) >= 0
            assert x + width <= 640
            assert y + height <= 480
            for left, top, other_width, other_height in drawn[:index]:
                is_apart = x >= left + other_width or left >= x + width
                assert is_apart or y >= top + other_height or top >= y + height
    assert panels > 40  # there were bars to keep clear of


def test_an_uncertain_face_has_a_dashed_box_and_a_label_without_its_colour() -> None:
    sure, unsure = grey((640, 480)), grey((640, 480))
    row = np.array([0.1, 0.2, 0.7], np.float32)
    doubted = Face.from_row(LABELS, row, (200, 200, 100, 80), reasons=("dark",))

    Annotator((640, 480), LABELS).draw(sure, [face((200, 200, 100, 80), 0.1, 0.2, 0.7)], bars=False)
    Annotator((640, 480), LABELS).draw(unsure, [doubted], bars=False)

    line = of_colour(unsure, HAPPINESS)[200:280, 200]
    assert of_colour(sure, HAPPINESS)[200:280, 200].all()
    assert 0.4 < line.mean() < 0.8
    assert line[0]
    assert line[-1]
    assert np.count_nonzero(np.diff(line.astype(int))) > 6  # dashes, not one gap
    assert not of_colour(unsure, HAPPINESS)[100:198].any()
    assert (unsure[100:198] != 128).any()  # the label: "unsure: too dark"


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
