from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from emostream.training.preparing.images import open_image
from emostream.training.preparing.near_duplicates import groups_of, linked_by_content
from PIL import Image, ImageOps
from skimage import data

from tests.support import encoded


def write(file: Path, image: Image.Image, file_format: str = "PNG", **options: object) -> Path:
    file.write_bytes(encoded(image, file_format, **options))
    return file


def loads(*paths: Path) -> list[Callable[[], Image.Image]]:
    return [partial(open_image, path) for path in paths]


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    """Three different faces, tightly cut: pictures of the same kind, which are no copies of each other."""
    found = data.lfw_subset()  # (200, 25, 25), the first hundred are faces
    return [Image.fromarray((pixels * 255).astype("uint8")).resize((100, 100)) for pixels in found[:3]]


@pytest.mark.parametrize(
    "change",
    [
        lambda face: face,
        lambda face: face.resize((61, 61)),
        lambda face: face.convert("RGB"),
        lambda face: face.point(lambda level: level * 0.8),
        ImageOps.mirror,
    ],
    ids=["copy", "smaller", "colour", "darker", "mirror image"],
)
def test_copies_of_a_picture_belong_together_and_others_do_not(tmp_path, faces, change) -> None:
    paths = [write(tmp_path / f"{number}.png", face) for number, face in enumerate(faces)]
    paths.append(write(tmp_path / "again.jpg", change(faces[1]), "JPEG", quality=60))

    groups = groups_of(4, linked_by_content(loads(*paths)))

    assert groups[3] == groups[1]
    assert len(set(groups.tolist())) == 3


def test_images_without_features_are_copies_only_if_their_pixels_are(tmp_path: Path) -> None:
    levels = (10, 20, 20)
    paths = [write(tmp_path / f"{n}.png", Image.new("L", (40, 40), level)) for n, level in enumerate(levels)]

    assert linked_by_content(loads(*paths)) == [(1, 2)]


def test_what_cannot_be_read_is_nobodys_copy(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"no image")

    assert linked_by_content(loads(tmp_path / "a.jpg", tmp_path / "b.jpg")) == []
