import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from emostream import Face, Faces
from emostream.emotions import colour_of
from emostream.exceptions import MissingExtraError
from emostream.faces import Quality, columns
from PIL import Image, ImageColor

LABELS = ("anger", "fear", "happiness")
CROP = Face(None, {"anger": 0.1, "fear": 0.2, "happiness": 0.7})


def face(*shares: float, box: tuple[int, int, int, int] | None = (40, 60, 50, 70), face_id: int = 1) -> Face:
    return Face.from_row(LABELS, np.array(shares, np.float32), box, 0.87654321, face_id)


@pytest.fixture
def faces() -> Faces:
    """Two faces of one frame of a grey video."""
    found = (face(0.1, 0.2, 0.7), face(0.6, 0.3, 0.1, box=(200, 10, 30, 30), face_id=2))
    image_rgb = np.full((240, 320, 3), 128, np.uint8)
    return Faces(found, (320, 240), LABELS, "talk.mp4", 3, 0.12, image_rgb)


def test_scores_and_probabilities_have_four_places() -> None:
    one = face(0.123456, 0.000049, 0.876495)

    assert one.probabilities == {"anger": 0.1235, "fear": 0.0, "happiness": 0.8765}
    assert one.score == 0.8765
    assert one.confidence == 0.8765
    assert json.loads(json.dumps(one.to_dict()))["predictions"] == one.probabilities  # no NumPy in it


def test_rounding_leaves_a_sum_of_one() -> None:
    labels = tuple(f"emotion {number}" for number in range(8))
    rows = np.random.default_rng(0).dirichlet(np.ones(8), 200).astype(np.float32)

    sums = [sum(Face.from_row(labels, row).probabilities.values()) for row in rows]

    assert sums == pytest.approx([1.0] * 200, abs=1e-3)


def test_the_emotion_is_the_likeliest_label_and_of_equals_the_first() -> None:
    assert (face(0.1, 0.7, 0.2).emotion, face(0.1, 0.7, 0.2).confidence) == ("fear", 0.7)
    assert face(0.1, 0.45, 0.45).emotion == "fear"
    # What is equal where it is shown is equal here as well.
    assert face(0.2, 0.400001, 0.400002).emotion == "fear"


def test_labels_keep_the_models_order_and_a_row_of_another_length_is_refused() -> None:
    assert tuple(face(0.1, 0.2, 0.7).probabilities) == LABELS
    with pytest.raises(ValueError, match="shorter"):
        Face.from_row(LABELS, np.array([0.5, 0.5], np.float32))


def test_text_is_for_people() -> None:
    assert face(0.1, 0.204, 0.696).text == "happiness 70 %"


def test_the_text_of_an_uncertain_face_says_why_and_the_next_best_label() -> None:
    row = np.array([0.1, 0.204, 0.696], np.float32)

    assert Face.from_row(LABELS, row, reasons=("dark", "cut_off")).text == (
        "unsure (too dark, cut off): happiness or fear"
    )
    assert replace(CROP, uncertain=True, reasons=("in_the_rain",)).text == (
        "unsure (in the rain): happiness or fear"
    )
    assert replace(CROP, uncertain=True).text == "unsure: happiness or fear"


def test_faces_are_a_sequence_of_face(faces: Faces) -> None:
    first, second = faces

    assert len(faces) == 2
    assert faces[0] is first
    assert faces[-1] is second
    assert second in faces
    assert bool(replace(faces, faces=())) is False
    with pytest.raises(IndexError):
        faces[2]


def test_they_are_equal_whatever_became_of_the_image(faces: Faces) -> None:
    assert faces == replace(faces, image_rgb=None)
    assert faces != replace(faces, frame_index=4)


def test_a_dictionary_a_face_says_where_it_is_and_what_it_shows(faces: Faces) -> None:
    first, second = faces.to_dicts()

    assert first == {
        "frame": 3,
        "time_s": 0.12,
        "source": "talk.mp4",
        "face_id": 1,
        "box": [40, 60, 50, 70],
        "score": 0.8765,
        "emotion": "happiness",
        "confidence": 0.7,
        "predictions": {"anger": 0.1, "fear": 0.2, "happiness": 0.7},
        "quality": None,
        "uncertain": False,
        "reasons": [],
    }
    assert (second["face_id"], second["emotion"]) == (2, "anger")


def test_rows_are_flat_and_have_the_columns_in_their_order(faces: Faces) -> None:
    row = faces.to_rows()[0]

    assert tuple(row) == columns(LABELS)
    assert [row[f"box_{side}"] for side in ("x", "y", "width", "height")] == [40, 60, 50, 70]
    assert [row[f"p_{label}"] for label in LABELS] == [0.1, 0.2, 0.7]


def test_an_uncertain_face_says_so_and_why_in_every_form() -> None:
    quality = Quality(sharpness=0.031, brightness=0.08, size_px=27.4, roll_deg=-3.5, visible=1.0)
    row = np.array([0.1, 0.2, 0.7], np.float32)
    doubted = Face.from_row(LABELS, row, (0, 0, 27, 27), quality=quality, reasons=("small", "dark"))
    faces = Faces((doubted,), (320, 240), LABELS)

    assert (doubted.uncertain, doubted.reasons, doubted.runner_up) == (True, ("small", "dark"), "fear")
    nested, flat = faces.to_dicts()[0], faces.to_rows()[0]
    assert (nested["uncertain"], nested["reasons"]) == (True, ["small", "dark"])
    assert nested["quality"]["roll_deg"] == -3.5
    assert nested["quality"]["yaw_deg"] is None
    assert (flat["uncertain"], flat["reasons"]) == (True, "small dark")
    assert (flat["size_px"], flat["pitch_deg"], flat["visible"]) == (27.4, None, 1.0)
    assert (CROP.uncertain, CROP.reasons, CROP.quality) == (False, (), None)
    assert Face(None, {"only": 1.0}).runner_up is None


def test_a_face_without_a_box_has_none_in_every_form() -> None:
    faces = Faces((CROP,), (48, 48), LABELS, image_rgb=np.full((48, 48, 3), 128, np.uint8))

    assert CROP.to_dict()["box"] is None
    assert CROP.to_dict()["score"] is None
    assert faces.to_rows()[0]["box_width"] is None
    assert faces.to_pandas()["box_x"].isna().all()
    assert (np.asarray(faces.draw()) == 128).all()
    assert repr(faces) == "<Faces: happiness 70 %>"


def test_pandas_has_a_row_a_face_with_numbers_in_it(faces: Faces) -> None:
    table = faces.to_pandas()

    assert list(table.columns) == list(columns(LABELS))
    assert table["emotion"].tolist() == ["happiness", "anger"]
    assert table["p_happiness"].mean() == pytest.approx(0.4)
    assert table["box_x"].sum() == 240


def test_without_faces_pandas_has_the_columns_all_the_same(faces: Faces) -> None:
    table = replace(faces, faces=()).to_pandas()

    assert (len(table), list(table.columns)) == (0, list(columns(LABELS)))


def test_supervision_has_corners_classes_and_ids(faces: Faces) -> None:
    sv = pytest.importorskip("supervision")

    detections = replace(faces, faces=(*faces, CROP)).to_supervision()

    assert isinstance(detections, sv.Detections)
    assert detections.xyxy.tolist() == [[40, 60, 90, 130], [200, 10, 230, 40]]  # a crop is nowhere
    assert detections.confidence.tolist() == pytest.approx([0.7, 0.6])
    assert detections.class_id.tolist() == [2, 0]
    assert detections.tracker_id.tolist() == [1, 2]
    assert detections["class_name"].tolist() == ["happiness", "anger"]
    assert detections["score"].tolist() == [0.8765, 0.8765]
    assert detections["uncertain"].tolist() == [False, False]
    assert len(detections[detections.confidence > 0.65]) == 1


def test_without_faces_supervision_has_an_empty_set(faces: Faces) -> None:
    pytest.importorskip("supervision")

    assert len(replace(faces, faces=()).to_supervision()) == 0


@pytest.mark.parametrize("library", ["pandas", "supervision"])
def test_a_missing_library_is_one_line_that_says_what_to_install(
    faces: Faces, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtraError, match=rf"^to_{library} needs {library}: .*pip install {library}$"):
        getattr(faces, f"to_{library}")()


def test_drawing_makes_a_copy_with_a_box_and_a_label_for_each_face(faces: Faces) -> None:
    drawn = faces.draw()

    assert drawn.size == (320, 240)
    assert faces.image_rgb is not None
    assert (faces.image_rgb == 128).all()
    for found in faces:
        assert found.box_xywh is not None
        x, y, _, height = found.box_xywh
        side = np.asarray(drawn)[y : y + height, x]
        assert (side == ImageColor.getrgb(colour_of(found.emotion))).all()


def test_bars_can_be_left_out(faces: Faces) -> None:
    only_one = replace(faces, faces=faces[:1])

    with_bars, without = (np.asarray(only_one.draw(bars=bars)) for bars in (True, False))

    assert (with_bars != without).any(2).sum() > 1000
    assert (without[60:130, 100:] == 128).all()


def test_an_image_that_was_not_kept_cannot_be_drawn_into(faces: Faces) -> None:
    without = replace(faces, image_rgb=None)

    with pytest.raises(ValueError, match="not kept"):
        without.draw()
    assert without._repr_jpeg_() is None


def test_a_notebook_shows_the_image_with_its_boxes(faces: Faces) -> None:
    shown = faces._repr_jpeg_()

    assert shown is not None
    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("JPEG", (320, 240))
        difference = np.asarray(image).astype(int) - np.asarray(faces.draw())
    assert np.abs(difference).mean() < 5


def test_repr_is_one_line_about_what_was_found(faces: Faces) -> None:
    assert repr(faces) == "<Faces: happiness 70 %, anger 60 % in talk.mp4>"
    assert repr(replace(faces, faces=(), source=None)) == "<Faces: no face>"


def test_a_client_without_pandas_pillow_or_opencv_loads_none_of_them_for_a_face() -> None:
    """Faces come over the wire too, where nothing but NumPy is needed for them."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import emostream, sys; emostream.Faces; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert not {"pandas", "PIL", "cv2", "torch", "openvino", "supervision"} & set(loaded)


def test_a_slice_of_faces_is_faces_with_the_same_image(faces: Faces) -> None:
    first = faces[:1]

    assert isinstance(first, Faces)
    assert (len(first), first[0], first.source) == (1, faces[0], "talk.mp4")
    assert first.image_rgb is faces.image_rgb
    assert len(first.to_rows()) == 1
