import io
from dataclasses import replace

import numpy as np
import pytest
from emostream.client.encoding import EncodedFrame, Encoder, encode_crop
from emostream.client.local_detection import LocalSearch
from emostream.client.results import SessionInfo
from emostream.detection.detector import FaceDetector
from emostream.protocol import wire
from emostream.sources import Frame
from PIL import Image

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait
from tests.support import LABELS, jpeg

LIMITS = wire.Limits(max_message_bytes=2**21, max_pixels=8294400, max_faces=32, max_frames_per_second=100)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def pixels(width: int = 64, height: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def encoder(detector: FaceDetector | None = None, is_whole: bool = False, **limits: int) -> Encoder:
    changed = LIMITS.model_copy(update=limits)
    info = SessionInfo("s", "fake", LABELS, wire.SessionConfig(), changed)
    return Encoder(info, LocalSearch(detector, 8) if detector else None, is_whole)


def sent(message: bytes | None) -> wire.Frame:
    assert message is not None
    return wire.parse_envelope(message)


def size_of(face: wire.FaceCrop) -> tuple[int, int]:
    return Image.open(io.BytesIO(face.image)).size


def test_faces_found_here_leave_as_crops_with_their_boxes(detector: FaceDetector) -> None:
    encoded = encoder(detector).encode(7, Frame(0, 0.0, np.asarray(portrait()), None))

    frame = sent(encoded.message)
    (face,) = frame.faces
    assert (frame.frame_id, frame.detect, face.face_id) == (7, False, 1)
    assert face.box is not None
    assert iou(tuple(face.box), FACE_XYWH) > 0.5
    assert size_of(face) == (224, 224)
    assert encoded.scores[1] > 0.5


def test_without_a_face_there_is_nothing_to_send(detector: FaceDetector) -> None:
    blank = Frame(0, 0.0, np.zeros((64, 64, 3), np.uint8), None)

    encoded = encoder(detector).encode(0, blank)

    assert encoded.message is None
    assert (len(encoded.faces()), encoded.faces().labels) == (0, LABELS)


def test_a_whole_image_is_searched_by_the_server() -> None:
    frame = sent(encoder(is_whole=True).encode(3, Frame(0, 0.0, pixels(), None)).message)

    assert frame.detect
    assert size_of(frame.faces[0]) == (64, 48)


def test_a_crop_that_came_as_a_file_is_sent_as_it_is() -> None:
    file = jpeg()

    frame = sent(encoder().encode(0, EncodedFrame(0, 0.0, pixels(48, 48), None, file)).message)

    assert not frame.detect
    assert frame.faces == (wire.FaceCrop(1, file),)


def test_an_image_beyond_the_servers_limits_is_shrunk_and_its_boxes_are_not() -> None:
    few_pixels = encoder(is_whole=True, max_pixels=1000).encode(0, Frame(0, 0.0, pixels(200, 100), None))
    few_bytes = encoder(is_whole=True, max_message_bytes=20000).encode(
        0, Frame(0, 0.0, pixels(200, 100), None)
    )

    width, height = size_of(sent(few_pixels.message).faces[0])
    assert width * height <= 1000
    assert len(few_bytes.message or b"") <= 20000
    found = wire.FaceResult(
        face_id=1,
        box=[0, 0, width, height],
        score=0.5,
        emotion="sad",
        confidence=1.0,
        predictions={"sad": 1.0},
        quality=wire.FaceQuality(sharpness=0.5, brightness=0.5, size_px=width, yaw_deg=3.0),
        uncertain=True,
        reasons=["turned", "of a later version"],
    )
    (face,) = few_pixels.faces([found])
    assert face.quality is not None
    assert (face.quality.size_px, face.quality.yaw_deg) == (pytest.approx(200, rel=0.05), 3.0)
    assert (face.uncertain, face.reasons) == (True, ("turned", "of a later version"))
    assert face.box_xywh == pytest.approx((0, 0, 200, 100), rel=0.05)
    assert (face.score, face.emotion, face.confidence) == (0.5, "sad", 1.0)


def test_the_faces_of_a_frame_know_their_frame() -> None:
    frame = Frame(3, 1.5, pixels(), "me.jpg")

    faces = encoder().encode(7, frame).faces()

    assert (faces.frame_index, faces.time_s, faces.source, faces.size_wh) == (3, 1.5, "me.jpg", (64, 48))
    assert faces.image_rgb is frame.image_rgb


def test_a_crop_leaves_as_a_jpeg_of_its_size() -> None:
    with Image.open(io.BytesIO(encode_crop(pixels(224, 224)))) as image:
        assert (image.format, image.size) == ("JPEG", (224, 224))


@pytest.mark.parametrize("is_local", [True, False])
def test_an_image_of_a_folder_is_no_part_of_a_video(detector: FaceDetector, is_local: bool) -> None:
    """Or faces at the same place of two of them would be taken for one person, and averaged."""
    made = encoder(detector) if is_local else encoder(is_whole=True)
    image = np.asarray(portrait())

    frames = [sent(made.encode(0, Frame(0, 0.0, image, name)).message) for name in ("a.jpg", None)]

    assert [frame.is_still for frame in frames] == [True, False]


def test_a_crowd_fits_into_one_message(detector: FaceDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header has a bound, beyond which the server takes the message for something else."""
    made = encoder(detector)
    search = made._search
    assert search is not None
    one = search.find(Frame(0, 0.0, np.asarray(portrait()), None))
    found = one.found
    crowd = replace(
        one,
        face_ids=tuple(range(1000, 1256)),
        found=replace(
            found,
            raw_boxes_xywh=found.raw_boxes_xywh * 256,
            scores=found.scores * 256,
            crops=found.crops * 256,
            turns_deg=(-123.4,) * 256,
            landmarks_xy=np.repeat(found.landmarks_xy, 256, axis=0),
        ),
    )
    monkeypatch.setattr(search, "find", lambda frame: crowd)

    frame = sent(made.encode(0, Frame(0, 0.0, np.asarray(portrait()), None)).message)

    assert [face.face_id for face in frame.faces] == list(range(1000, 1256))
    assert frame.faces[0].landmarks is None


def test_a_crop_that_was_turned_upright_says_by_how_much(detector: FaceDetector) -> None:
    x, y, side, _ = FACE_XYWH
    turned = portrait().rotate(35, center=(x + side / 2, y + side / 2))

    (face,) = sent(encoder(detector).encode(0, Frame(0, 0.0, np.asarray(turned), None)).message).faces

    assert face.turn_deg == pytest.approx(-35, abs=10)
    assert face.turn_deg == round(face.turn_deg, 1)
