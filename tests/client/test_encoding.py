import io

import numpy as np
import pytest
from emostream.client.encoding import Detect, EncodedFrame, Encoder, encoded_crops
from emostream.detection.detector import Detection, FaceDetector
from emostream.exceptions import ClientError
from emostream.protocol import wire
from emostream.sources import Frame
from PIL import Image

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait
from tests.support import jpeg

LIMITS = wire.Limits(max_message_bytes=2**21, max_pixels=8294400, max_faces=32, max_frames_per_second=100)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def pixels(width: int = 64, height: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def encoder(detect: Detect, detector: FaceDetector | None = None, **limits: int) -> Encoder:
    return Encoder(detect, detector, 8, LIMITS.model_copy(update=limits))


def sent(message: bytes | None) -> wire.Frame:
    assert message is not None
    return wire.parse_envelope(message)


def size_of(face: wire.Face) -> tuple[int, int]:
    return Image.open(io.BytesIO(face.image)).size


def test_faces_found_here_leave_as_crops_with_their_boxes(detector: FaceDetector) -> None:
    encoded = encoder("local", detector).encode(7, Frame(0, 0.0, np.asarray(portrait()), None))

    frame = sent(encoded.message)
    (face,) = frame.faces
    assert (frame.frame_id, frame.detect, face.face_id) == (7, False, 1)
    assert face.box is not None
    assert iou(tuple(face.box), FACE_XYWH) > 0.5
    assert size_of(face) == (224, 224)
    assert encoded.scores[1] > 0.5


def test_a_face_keeps_its_number_in_a_film_but_not_from_picture_to_picture(detector: FaceDetector) -> None:
    film, pictures = encoder("local", detector), encoder("local", detector)
    still = np.asarray(portrait())
    moved = np.roll(still, 200, axis=1)

    def ids(encoder: Encoder, index: int, image: np.ndarray, name: str | None) -> list[int]:
        message = encoder.encode(index, Frame(index, index, image, name)).message
        return [face.face_id for face in sent(message).faces]

    in_film = [ids(film, index, image, None) for index, image in enumerate((still, still, moved))]
    assert in_film == [[1], [1], [2]]
    assert [ids(pictures, 0, still, "a"), ids(pictures, 1, moved, "b")] == [[1], [1]]


def test_without_a_face_there_is_nothing_to_send(detector: FaceDetector) -> None:
    blank = Frame(0, 0.0, np.zeros((64, 64, 3), np.uint8), None)

    assert encoder("local", detector).encode(0, blank).message is None


def test_a_whole_picture_is_looked_through_by_the_server() -> None:
    frame = sent(encoder("server").encode(3, Frame(0, 0.0, pixels(), None)).message)

    assert frame.detect
    assert size_of(frame.faces[0]) == (64, 48)


def test_a_crop_that_came_as_a_file_is_sent_as_it_is() -> None:
    file = jpeg()

    frame = sent(encoder("none").encode(0, EncodedFrame(0, 0.0, pixels(48, 48), None, file)).message)

    assert not frame.detect
    assert frame.faces == (wire.Face(1, file),)


def test_a_picture_beyond_the_servers_limits_is_shrunk_and_its_boxes_are_not() -> None:
    few_pixels = encoder("server", max_pixels=1000).encode(0, Frame(0, 0.0, pixels(200, 100), None))
    few_bytes = encoder("server", max_message_bytes=20000).encode(0, Frame(0, 0.0, pixels(200, 100), None))

    width, height = size_of(sent(few_pixels.message).faces[0])
    assert width * height <= 1000
    assert len(few_bytes.message or b"") <= 20000
    found = wire.FaceResult(
        face_id=1, box=[0, 0, width, height], score=0.5, emotion="sad", confidence=1.0, predictions={}
    )
    (face,) = few_pixels.faces([found])
    assert face.box_xywh == pytest.approx((0, 0, 200, 100), rel=0.05)
    assert face.score == 0.5


def test_crops_are_cut_as_the_dashboard_cuts_them() -> None:
    (crop,) = encoded_crops(portrait(), [Detection(FACE_XYWH, 0.9)])

    assert Image.open(io.BytesIO(crop)).size == (224, 224)


def test_detection_here_needs_a_detector() -> None:
    with pytest.raises(ClientError, match="needs a detector"):
        encoder("local")
