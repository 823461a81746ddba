from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import SourceError
from emostream.sources.camera import CameraSource

from tests.sample_videos import moving_portrait, write_video


def test_a_camera_is_live_and_its_pictures_are_rgb(tmp_path: Path) -> None:
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 2] = 255
    path = write_video(tmp_path / "camera.avi", [blue] * 3)

    with CameraSource(str(path)) as camera:
        frames = list(camera)

    assert camera.is_live
    assert camera.frame_count is None
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].image_rgb[..., 2].min() > 200
    assert frames[0].image_rgb[..., 0].max() < 50


def test_times_count_from_opening(tmp_path: Path) -> None:
    path = write_video(tmp_path / "camera.avi", moving_portrait(3, 64))

    with CameraSource(str(path)) as camera:
        times = [frame.time_s for frame in camera]

    assert times == sorted(times)
    assert times[0] >= 0


def test_a_camera_that_is_not_there_says_what_to_check(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"camera 97 cannot be opened: .*/dev/video97.*group video"):
        CameraSource(97)

    assert capfd.readouterr().err == ""
