"""BlazeFace on OpenVINO, against OpenCV's reading of the same files."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from emostream.detection import pass_by_thread
from emostream.detection.anchors import FULL_RANGE, SHORT_RANGE, BlazeFaceSpec, anchor_centres, decode
from emostream.detection.blazeface import BlazeFace
from emostream.exceptions import DetectorError

from tests.portraits import FACES_DIR, portrait

MIN_SCORE = 0.3


def tiles(spec: BlazeFaceSpec) -> Sequence[np.ndarray]:
    """The portrait as a whole and parts of it, uint8 (S, S, 3) RGB."""
    corners = [(0, 0, 512), (100, 0, 350), (60, 10, 460), (200, 60, 480)]
    parts = (portrait().crop((x, y, right, y + right - x)) for x, y, right in corners)
    return [np.asarray(part.resize((spec.input_px, spec.input_px))) for part in parts]


@pytest.mark.parametrize("spec", [FULL_RANGE, SHORT_RANGE], ids=lambda spec: spec.file_name)
def test_boxes_and_scores_are_those_that_another_library_computes(spec: BlazeFaceSpec) -> None:
    path = FACES_DIR / spec.file_name
    network, reference = BlazeFace(spec, path), cv2.dnn.readNetFromTFLite(str(path))
    seen = 0
    for tile in tiles(spec):
        # Pixels to [-1, 1], RGB as they are.
        reference.setInput(cv2.dnn.blobFromImage(tile, 1 / 127.5, mean=(127.5, 127.5, 127.5)))
        outputs = [output[0] for output in reference.forward(reference.getUnconnectedOutLayersNames())]
        logits, offsets = sorted(outputs, key=lambda output: output.shape[1])
        expected = decode(logits[:, 0], offsets, anchor_centres(spec), MIN_SCORE)

        found = network(tile, MIN_SCORE)

        np.testing.assert_allclose(found.boxes_xywh, expected.boxes_xywh, atol=1e-3)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
        seen += len(found)
    assert seen >= 4


def test_what_was_found_stays_when_the_next_tile_is_looked_at() -> None:
    network = BlazeFace(FULL_RANGE, FACES_DIR / FULL_RANGE.file_name)
    first, second, *_ = tiles(FULL_RANGE)
    found = network(first, MIN_SCORE)
    boxes = found.boxes_xywh.copy()

    network(second, MIN_SCORE)

    np.testing.assert_array_equal(found.boxes_xywh, boxes)


def test_a_part_of_a_larger_picture_needs_no_copy_of_the_callers() -> None:
    """Its rows do not follow each other in memory."""
    network = BlazeFace(FULL_RANGE, FACES_DIR / FULL_RANGE.file_name)
    tile = tiles(FULL_RANGE)[0]
    larger = np.zeros((300, 400, 3), np.uint8)
    larger[50 : 50 + len(tile), 70 : 70 + len(tile)] = tile

    found = network(larger[50 : 50 + len(tile), 70 : 70 + len(tile)], MIN_SCORE)

    np.testing.assert_array_equal(found.boxes_xywh, network(tile, MIN_SCORE).boxes_xywh)


def test_a_file_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")

    with pytest.raises(DetectorError, match=r"OpenVINO cannot read .*model\.tflite: \w"):
        BlazeFace(SHORT_RANGE, tmp_path / "model.tflite")


def test_without_openvino_there_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ImportError("libopenvino.so: cannot open shared object file")

    monkeypatch.setattr(pass_by_thread, "import_openvino", refuse)

    with pytest.raises(DetectorError, match="cannot be loaded: libopenvino"):
        BlazeFace(FULL_RANGE, FACES_DIR / FULL_RANGE.file_name)
