from pathlib import Path

import pytest
from emostream.exceptions import SourceError
from emostream.sources.images import FetchedImage, ImageFiles, is_image
from PIL import Image

from tests.sample_videos import web_server
from tests.support import encoded, jpeg, png_header


def test_an_image_comes_upright_with_its_name(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "me.jpg").write_bytes(encoded(Image.new("RGB", (64, 48), (255, 0, 0)), "JPEG", exif=exif))

    (frame,) = ImageFiles([tmp_path / "me.jpg"], "me")

    assert (frame.index, frame.time_s, frame.name) == (0, 0.0, "me.jpg")
    assert frame.image_rgb.shape == (64, 48, 3)
    assert frame.image_rgb[0, 0, 0] > 250


def test_one_that_cannot_be_read_is_skipped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    for path in paths:
        path.write_bytes(jpeg())
    paths[1].write_bytes(jpeg()[:100])

    source = ImageFiles(paths, "three")

    assert [frame.index for frame in source] == [0, 2]
    assert source.skipped == 1
    assert "b.jpg" in caplog.text


def test_a_single_image_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "bomb.png").write_bytes(png_header(30000, 30000))

    with pytest.raises(SourceError, match=r"a\.jpg: the data is neither JPEG"):
        list(ImageFiles([tmp_path / "a.jpg"], "one"))
    with pytest.raises(SourceError, match=r"pixels|too large"):
        list(ImageFiles([tmp_path / "bomb.png"], "one"))
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        list(ImageFiles([tmp_path / "none.png"], "one"))


def test_an_image_is_fetched_from_its_address(tmp_path: Path) -> None:
    (tmp_path / "me.jpg").write_bytes(jpeg())

    with web_server(tmp_path) as address:
        (frame,) = FetchedImage(f"{address}/me.jpg?size=large")
        with pytest.raises(SourceError, match=r"cannot be fetched: .*404"):
            FetchedImage(f"{address}/you.jpg")

    assert frame.name == "me.jpg"
    assert frame.image_rgb.shape == (48, 48, 3)


def test_an_image_is_told_by_its_ending() -> None:
    assert is_image(Path("A.JPG"))
    assert not is_image(Path("a.mp4"))
