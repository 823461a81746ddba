import shutil
from pathlib import Path

import pytest
from emostream.detection.anchors import FULL_RANGE, SHORT_RANGE
from emostream.detection.model_files import expected_sha256, find_model, is_intact
from emostream.exceptions import DetectorError

from tests.portraits import FACES_DIR


def copy(folder: Path, *specs: object) -> None:
    for spec in specs:
        shutil.copy(FACES_DIR / spec.file_name, folder)  # type: ignore[attr-defined]


def test_set_up_has_put_both_models_in_place() -> None:
    assert find_model(FACES_DIR) == (FULL_RANGE, FACES_DIR / FULL_RANGE.file_name)
    assert {FULL_RANGE.file_name, SHORT_RANGE.file_name} == set(expected_sha256())


def test_without_the_full_range_model_the_short_range_one_is_taken(tmp_path: Path) -> None:
    copy(tmp_path, SHORT_RANGE)

    assert find_model(tmp_path) == (SHORT_RANGE, tmp_path / SHORT_RANGE.file_name)


def test_a_damaged_model_is_not_taken(tmp_path: Path) -> None:
    copy(tmp_path, FULL_RANGE, SHORT_RANGE)
    with (tmp_path / FULL_RANGE.file_name).open("ab") as file:
        file.write(b"x")

    assert find_model(tmp_path)[0] is SHORT_RANGE
    assert not is_intact(tmp_path, FULL_RANGE)
    assert is_intact(tmp_path, SHORT_RANGE)


def test_without_any_the_message_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / SHORT_RANGE.file_name).write_text("no model")

    with pytest.raises(DetectorError) as caught:
        find_model(tmp_path)

    message = str(caught.value)
    assert str(tmp_path) in message
    assert f"{FULL_RANGE.file_name} is missing" in message
    assert f"{SHORT_RANGE.file_name} is not the published file" in message
    assert "make faces" in message
    assert "EMOSTREAM_FACES_DIR" in message
