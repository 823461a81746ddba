import pytest
from emostream.analysis.finder import FaceFinder, Search
from emostream.detection.detector import Detection, FaceDetector
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.crop import RawBoxXywh
from PIL import Image

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait, portrait_file
from tests.support import encoded, jpeg, png_header

PLENTY = 20_000_000


class PretendedDetector(FaceDetector):
    """Finds what it is told."""

    def __init__(self, *boxes_xywh: RawBoxXywh) -> None:
        self._boxes = boxes_xywh

    def detect(self, picture: object, max_faces: int) -> list[Detection]:
        return [Detection(box, 0.75) for box in self._boxes[:max_faces]]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(FaceDetector.load(FACES_DIR), (48,))


def test_a_picture_is_decoded_searched_and_cropped(finder: FaceFinder) -> None:
    found = finder.find(portrait_file(), PLENTY, 8)

    (face,) = found.faces
    assert found.size_wh == (512, 512)
    assert iou(face.box_xywh, FACE_XYWH) > 0.8
    assert [crop.shape for crop in found.crops[0]] == [(48, 48, 3)]
    assert found.picture is None
    assert min(found.decode_ms, found.detect_ms, found.crop_ms) >= 0


def test_the_picture_is_kept_where_it_is_asked_for(finder: FaceFinder) -> None:
    found = finder.find(portrait_file("PNG"), PLENTY, 8, keep_picture=True)

    assert found.picture is not None
    assert found.picture.tobytes() == portrait().tobytes()


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_face_is_where_it_is_shown_and_not_where_it_is_stored(finder: FaceFinder, orientation: int) -> None:
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = portrait().crop((0, 0, 512, 400)).transpose(turn[orientation])

    found = finder.find(encoded(stored, "JPEG", exif=exif), PLENTY, 8)

    assert found.size_wh == (512, 400)
    assert iou(found.faces[0].box_xywh, FACE_XYWH) > 0.8


@pytest.mark.parametrize(
    ("box", "answered"),
    [
        ((-10.4, -15.0, 60.0, 60.0), (0, 0, 50, 45)),
        ((90.0, 30.0, 60.0, 60.0), (90, 30, 10, 20)),
        ((-70.0, -70.0, 60.0, 60.0), (0, 0, 1, 1)),
        ((10.4, 10.6, 20.4, 20.4), (10, 11, 21, 20)),
    ],
)
def test_boxes_are_whole_pixels_inside_the_picture(box: RawBoxXywh, answered: tuple[int, ...]) -> None:
    found = FaceFinder(PretendedDetector(box), (48,)).find(jpeg(100, 50), PLENTY, 8)

    assert found.faces[0].box_xywh == answered


def test_pictures_that_cannot_be_used_are_told(finder: FaceFinder) -> None:
    with pytest.raises(InvalidImageError):
        finder.find(b"no picture", PLENTY, 8)
    with pytest.raises(ImageTooLargeError):
        finder.find(png_header(5000, 5000), PLENTY, 8)


def test_a_search_keeps_what_it_finds() -> None:
    search = Search(FaceFinder(PretendedDetector((10, 10, 30, 30)), (48,)), jpeg(), PLENTY, 8)

    crops = search()

    assert search.found is not None
    assert crops == search.found.crops
    assert len(crops) == len(search.found.faces) == 1
