"""Finds every face of an image from a smallest size up, with a network that sees small tiles.

Small or uncertain detections get a second look: another forward pass on a view of the image that shows the
face at the size that suits the network best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from ..imaging.boxes import areas, ious
from ..imaging.crop import RawBoxXywh, face_square
from .anchors import BlazeFaceSpec, Detections
from .blazeface import BlazeFace, Pixels
from .model_files import find_model
from .suppression import MAX_IOU, best_of_each_face
from .tiles import Level, middle, pyramid
from .turned import turned_back, turned_image
from .verifier import INPUT_PX, FaceVerifier

#: Least score of a proposal. Small faces score low in the detector's input, and get a second look.
_MIN_PROPOSAL = 0.2

#: Least score and size of proposals for the verifier, which tells covered faces from textures; covered faces
#: score lower still. Then the most proposals that only the verifier may accept.
_MIN_VERIFIABLE = 0.1
_MIN_VERIFIABLE_PX = 40
_MOST_VERIFIED = 8

#: Thresholds of the verifier's probability. Below the first, a second look is pointless. From the second on,
#: the proposal gets a second look and is accepted if the verifier gives its result the third. From the fourth
#: on, it is accepted as it is. Chosen on 300 photographs and 240 parts of images without a face, none of them
#: in the verifier's training data.
_NO_FACE, _MAY_BE_FACE, _LOOKS_LIKE_FACE, _IS_FACE = 0.02, 0.5, 0.9, 0.98
_MIN_VERIFIED_SCORE = 0.2

#: Least score of a face, and in a second look, where real faces score far higher and textures do not.
_MIN_SCORE = 0.5
_MIN_SECOND_SCORE = 0.6

#: Range of face sides, as fractions of the detector's input, in which its score and box can be trusted.
_TRUSTED_PART = (0.125, 0.58)

#: Side of the face in a second look, as a fraction of the input's side: the detector is at its best there.
_SECOND_LOOK_PART = 1 / 3

#: Most second looks beyond one for each requested face.
_SPARE_LOOKS = 32

#: Most second looks of a glance.
_GLANCE_LOOKS = 2

#: If no face was found with this score, the network sees the whole image at each turn, its longer side at
#: this fraction of the input's. This many proposals of each turn get a second look, which has to confirm
#: them, or the verifier: turned faces are rare, but textures that look like faces are as frequent as ever.
_MIN_SURE_SCORE = 0.6
_TURNED_PART = 0.75
_TURNED_LOOKS = 2

#: An upright and a turned box that overlap by this much (intersection over union) are of one face, perhaps of
#: its chin alone.
_MIN_PART_IOU = 0.1

#: A second look has found the same face if the boxes overlap by this much (intersection over union).
_MIN_SAME_IOU = 0.3


class Network(Protocol):
    """A face detection network; safe to call from several threads at once."""

    spec: BlazeFaceSpec

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        """Boxes in input pixels of a tile uint8 (S, S, 3) RGB, not yet suppressed."""


class Verifier(Protocol):
    """A network that verifies faces; safe to call from several threads at once."""

    def __call__(self, crop: Pixels) -> float:
        """The probability that a crop uint8 (S, S, 3) RGB shows a face."""


class FaceDetector:
    """Finds every face from ``min_face_px`` up. Safe to call from several threads at once.

    Without a ``verifier``, faces under headsets and masks are often missed.
    """

    def __init__(self, network: Network, min_face_px: int = 24, verifier: Verifier | None = None) -> None:
        self._network = network
        self._min_face_px = min_face_px
        self._verifier = verifier

    @classmethod
    def load(cls, folder: Path, min_face_px: int = 24) -> "FaceDetector":
        """The detector with the model files of ``folder``. Raises DetectorError."""
        return cls(BlazeFace(*find_model(folder)), min_face_px, FaceVerifier())

    @property
    def name(self) -> str:
        """The model's file name without its ending."""
        return Path(self._network.spec.file_name).stem

    @property
    def network(self) -> Network:
        """The face detection network."""
        return self._network

    @property
    def min_face_px(self) -> int:
        """The smallest face that the detector looks for."""
        return self._min_face_px

    def detect(self, picture: Pixels, max_faces: int, min_face_px: int | None = None) -> Detections:
        """At most ``max_faces`` faces of an image uint8 (H, W, 3) RGB, largest first, in its pixels.

        ``min_face_px`` replaces the detector's own for this image. Some smaller faces are found, too.
        """
        proposals, are_trusted = self.proposals(picture, min_face_px or self._min_face_px)
        best = best_of_each_face(proposals)
        faces: list[Detections] = []
        looks_left = max_faces + _SPARE_LOOKS
        to_verify = self._to_verify(proposals, are_trusted, best)
        for index in best[np.argsort(-areas(proposals.boxes_xywh[best]), kind="stable")]:
            face = proposals[np.array([index])]
            if are_trusted[index] and face.scores[0] >= _MIN_SCORE:
                pass
            elif not are_trusted[index] and face.scores[0] >= _MIN_PROPOSAL:
                if looks_left <= 0:
                    continue
                looks_left -= 1
                face = self._doubtful(picture, face, may_be_seen=True)
            elif index in to_verify:
                face = self._doubtful(picture, face, may_be_seen=False)
            else:
                continue
            if len(face):
                faces.append(face)
            # Second looks may have moved two proposals onto one face, which counts only once.
            if len(faces) >= max_faces and len(best_of_each_face(Detections.joined(faces))) >= max_faces:
                break
        found = Detections.joined(faces)
        if not (found.scores >= _MIN_SURE_SCORE).any():
            found = _with_turned(found, Detections.joined(self._turned_faces(picture)))
        return largest_first(found).first(max_faces)

    def _to_verify(
        self, proposals: Detections, are_trusted: npt.NDArray[np.bool_], best: npt.NDArray[np.intp]
    ) -> set[int]:
        """The proposals that only the verifier may accept."""
        if self._verifier is None:
            return set()
        scores = proposals.scores[best]
        is_unlikely = np.where(are_trusted[best], scores < _MIN_SCORE, scores < _MIN_PROPOSAL)
        is_large = proposals.boxes_xywh[best, 2:].max(1, initial=0) >= _MIN_VERIFIABLE_PX
        # The likeliest ones: ``best`` is in the order of scores.
        return set(best[is_unlikely & is_large][:_MOST_VERIFIED].tolist())

    def verified(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        """The face in a box where the detector alone finds none, as under a headset: one detection, or none.

        Box and score are the detector's from a second look, but the score is at least ``_MIN_SCORE``.
        """
        if not self._is_verifiable(box_xywh):
            return Detections.none()
        return self._confirmed(picture, self.second_look(picture, box_xywh, _MIN_VERIFIED_SCORE), box_xywh)

    def _seen_or_verified(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        """The face in a box that a second look accepts by its score, or else the verifier: one detection, or
        none."""
        looked = self.second_look(picture, box_xywh, _MIN_VERIFIED_SCORE)
        if (looked.scores >= _MIN_SECOND_SCORE).any():
            return looked
        return self._confirmed(picture, looked, box_xywh)

    def _confirmed(self, picture: Pixels, looked: Detections, box_xywh: RawBoxXywh) -> Detections:
        """What a second look has found in a box, if the verifier takes it for a face."""
        if not len(looked) or not self._is_verifiable(box_xywh):
            return Detections.none()
        is_face = self._probability(picture, looked.boxes()[0]) >= _LOOKS_LIKE_FACE
        return _counted(looked) if is_face else looked[:0]

    def _doubtful(self, picture: Pixels, proposal: Detections, *, may_be_seen: bool) -> Detections:
        """The face of a proposal whose own score does not suffice: one detection, or none.

        ``may_be_seen`` says whether a second look may accept it without the verifier.
        """
        nothing = proposal[:0]
        box = proposal.boxes()[0]
        if not self._is_verifiable(box):
            return self.second_look(picture, box) if may_be_seen else nothing
        probability = self._probability(picture, box)
        if probability < (_NO_FACE if may_be_seen else _MAY_BE_FACE):
            return nothing
        found = self._seen_or_verified(picture, box) if may_be_seen else self.verified(picture, box)
        if len(found):
            return found
        if probability >= _IS_FACE:
            return _counted(proposal)
        return nothing

    def _is_verifiable(self, box_xywh: RawBoxXywh) -> bool:
        return self._verifier is not None and max(box_xywh[2:]) >= _MIN_VERIFIABLE_PX

    def _probability(self, picture: Pixels, box_xywh: RawBoxXywh) -> float:
        assert self._verifier is not None
        return self._verifier(view(picture, face_square(box_xywh), 1.0, INPUT_PX).pixels)

    def _turned_faces(self, picture: Pixels) -> list[Detections]:
        """Faces turned in the image's plane by 90° or 180°, in image pixels."""
        height, width, _ = picture.shape
        input_px = self._network.spec.input_px
        scale = _TURNED_PART * input_px / max(picture.shape)
        small = _resized(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        faces = []
        for quarters in (1, 2, 3):
            seen = turned_image(small, quarters)
            x, y = middle(seen.shape[1], input_px), middle(seen.shape[0], input_px)
            proposals = self._network(_padded(seen, input_px, (-x, -y)), _MIN_PROPOSAL).placed(scale, x, y)
            if len(best := best_of_each_face(proposals)[:_TURNED_LOOKS]):
                turned = np.rot90(picture, quarters)
                looks = [self._seen_or_verified(turned, box) for box in proposals[best].boxes()]
                faces += [turned_back(face, quarters, (width, height)) for face in looks]
        return faces

    def glance(self, picture: Pixels, known_xywh: Sequence[RawBoxXywh]) -> list[Detections]:
        """New faces that are large enough to be found with the whole image in one tile, one detection each.

        Costs two forward passes, and at most ``_GLANCE_LOOKS`` more for second looks.
        """
        proposals, are_trusted = self.proposals(picture, max(picture.shape))
        if known_xywh and len(proposals):
            is_known = ious(proposals.boxes_xywh, np.array(known_xywh, np.float32)).max(1) > MAX_IOU
            proposals, are_trusted = proposals[~is_known], are_trusted[~is_known]
        faces = []
        looks_left = _GLANCE_LOOKS
        for index in best_of_each_face(proposals):
            face = proposals[np.array([index])]
            if face.scores[0] < _MIN_SCORE:
                break  # best first: the others score less, and the next scan is soon
            if not are_trusted[index]:
                if not looks_left:
                    continue
                looks_left -= 1
                face = self.second_look(picture, face.boxes()[0])
            if len(face):
                faces.append(face)
        return faces

    def proposals(
        self, picture: Pixels, min_face_px: int, min_score: float | None = None
    ) -> tuple[Detections, npt.NDArray[np.bool_]]:
        """Everything that may be a face, in image pixels, and whether each one's own score can be trusted.

        ``min_score`` is by default the least score that a second look or the verifier may still accept.
        """
        if min_score is None:
            min_score = _MIN_PROPOSAL if self._verifier is None else _MIN_VERIFIABLE
        spec = self._network.spec
        height, width, _ = picture.shape
        found: list[Detections] = []
        trusted: list[npt.NDArray[np.bool_]] = []
        shrunk = picture
        for level in pyramid((width, height), spec.input_px, spec.smallest_face_px, min_face_px):
            # Each level is made from the one before it, so that the whole image is read only once.
            shrunk = _resized(shrunk, level.size_wh)
            for x, y in level.tiles_xy:
                part = shrunk[max(0, y) : y + spec.input_px, max(0, x) : x + spec.input_px]
                tile = _padded(part, spec.input_px, (max(0, -x), max(0, -y)))
                in_tile = self._network(tile, min_score)
                in_tile = in_tile[_is_whole(in_tile, level, x, y, spec.input_px)]
                face_part = in_tile.boxes_xywh[:, 2:].max(axis=1, initial=0) / spec.input_px
                trusted.append((face_part >= _TRUSTED_PART[0]) & (face_part <= _TRUSTED_PART[1]))
                found.append(in_tile.placed(level.scale, x, y))
        return Detections.joined(found), np.concatenate(trusted)

    def second_look(
        self, picture: Pixels, box_xywh: RawBoxXywh, min_score: float = _MIN_SECOND_SCORE
    ) -> Detections:
        """The face in a box, found at the size that suits the detector best: one detection, or none."""
        part = view(picture, box_xywh, _SECOND_LOOK_PART, self._network.spec.input_px)
        found = part.in_picture(self._network(part.pixels, min_score))
        found = found[ious(found.boxes_xywh, np.array([box_xywh], np.float32))[:, 0] >= _MIN_SAME_IOU]
        return found[np.argsort(-found.scores)[:1]]


@dataclass(frozen=True)
class View:
    """A square part of an image at another scale: uint8 (S, S, 3) RGB, black outside the image.

    ``scale`` is its pixels per image pixel; ``corner_xy`` is its top left corner in image pixels.
    """

    pixels: Pixels
    scale: float
    corner_xy: tuple[int, int]

    def in_picture(self, found: Detections) -> Detections:
        """Converts detections from pixels of this view to image pixels."""
        return found.placed(self.scale, 0, 0).placed(1, *self.corner_xy)


def view(picture: Pixels, box_xywh: RawBoxXywh, face_part: float, side_px: int) -> View:
    """The square around a face, scaled to ``side_px``; the face's longer side is ``face_part`` of that."""
    x, y, width, height = box_xywh
    side = max(1, round(max(width, height) / face_part))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    region = np.ascontiguousarray(
        picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    )
    scale = side_px / side
    if not region.size:  # the box is entirely outside
        return View(np.zeros((side_px, side_px, 3), np.uint8), scale, (left, top))
    small = _resized(region, (max(1, round(region.shape[1] * scale)), max(1, round(region.shape[0] * scale))))
    # Columns and rows of the square that are outside the image.
    offset_xy = (round(max(0, -left) * scale), round(max(0, -top) * scale))
    return View(_padded(small, side_px, offset_xy), scale, (left, top))


def _counted(face: Detections) -> Detections:
    """The face with its score raised to that of a face."""
    return replace(face, scores=np.maximum(face.scores, np.float32(_MIN_SCORE)))


def _with_turned(upright: Detections, turned: Detections) -> Detections:
    """Joins upright faces, none of them certain, with faces from turned looks. Where two overlap, the turned
    one counts if it is certain, and otherwise the upright one."""
    is_same = ious(upright.boxes_xywh, turned.boxes_xywh) > _MIN_PART_IOU
    is_sure = turned.scores >= _MIN_SURE_SCORE
    is_part = np.asarray(is_same[:, is_sure].any(axis=1), np.bool_)
    is_other = np.asarray(is_sure | ~is_same.any(axis=0), np.bool_)
    return Detections.joined([upright[~is_part], turned[is_other]])


def _is_whole(found: Detections, level: Level, x: int, y: int, input_px: int) -> npt.NDArray[np.bool_]:
    """Whether each box of a tile crosses no edge but the image's own. Another tile has the others whole."""
    low, high = found.boxes_xywh[:, :2], found.boxes_xywh[:, :2] + found.boxes_xywh[:, 2:]
    width, height = level.size_wh
    outside = [
        (low[:, 0] < 0) & (x > 0),
        (low[:, 1] < 0) & (y > 0),
        (high[:, 0] > input_px) & (x + input_px < width),
        (high[:, 1] > input_px) & (y + input_px < height),
    ]
    return np.asarray(~np.logical_or.reduce(outside), np.bool_)


def _resized(picture: Pixels, size_wh: tuple[int, int]) -> Pixels:
    height, width, _ = picture.shape
    if (width, height) == size_wh:
        return picture
    # Area averaging shrinks without aliasing, but enlarges in blocks.
    shrinks = size_wh[0] < width
    return np.asarray(
        cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def _padded(picture: Pixels, side: int, offset_xy: tuple[int, int] = (0, 0)) -> Pixels:
    """A black square with the image at ``offset_xy``; what does not fit is cut off."""
    if picture.shape[:2] == (side, side):
        return picture
    square = np.zeros((side, side, 3), np.uint8)
    x, y = offset_xy
    room = square[y : y + picture.shape[0], x : x + picture.shape[1]]
    room[:] = picture[: room.shape[0], : room.shape[1]]
    return square


def largest_first(faces: Detections) -> Detections:
    """One detection for each face, largest first."""
    best = faces[best_of_each_face(faces)]
    return best[np.argsort(-areas(best.boxes_xywh), kind="stable")]
