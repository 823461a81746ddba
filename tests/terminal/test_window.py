import cv2
import pytest
from emostream.exceptions import SourceError
from emostream.terminal.window import check_windows


def test_an_opencv_without_windows_is_told_in_one_line() -> None:
    if "GUI:                           NONE" not in cv2.getBuildInformation():
        pytest.skip("this OpenCV has windows")

    with pytest.raises(SourceError, match="install opencv-python") as caught:
        check_windows()

    assert "\n" not in str(caught.value)
