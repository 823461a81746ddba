"""Finds every face of an image from a smallest size up, with a network that sees small tiles.

Small or uncertain detections get a second look: another forward pass on a view of the image that shows the
face at the size that suits the network best.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..imaging.boxes import areas, ious
from ..imaging.crop import RawBoxXywh
from .anchors import SHORT_RANGE, Detections
from .blazeface import BlazeFace, Pixels
from .covered import CoveredFaces, FaceSource
from .model_files import find_model, is_intact
from .search import Network, look, search
from .suppression import MAX_IOU, best_of_each_face
from .tiles import middle, pyramid
from .turned import turned_back, turned_image
from .verification import (
    MIN_VERIFIABLE_PX,
    Verifier,
    answers,
    is_verifiable,
    probability_of_face,
    shows_headset,
)
from .verifier import shared_verifier
from .views import padded, resized

#: Least score of a proposal. Small faces score low in the detector's input, and get a second look.
_MIN_PROPOSAL = 0.2

#: Least score of proposals for the verifier, which tells covered faces from textures; covered faces score
#: lower still. Then the most proposals that only the verifier may accept.
_MIN_VERIFIABLE = 0.1
_MOST_VERIFIED = 8

#: Thresholds of the verifier's probability. Below the first, a second look is pointless. From the second on,
#: the proposal gets a second look and is accepted if the verifier gives its result the third. From the fourth
#: on, it is accepted as it is. Chosen on 300 photographs and 240 parts of images without a face, none of them
#: in the verifier's training data; the fourth raised afterwards, since a cup in a scene had 0.993. The fifth
#: replaces it under a headset, where the second look often sees nothing: of 80 photographs 9 of 10 faces
#: between the two are such, and none of the textures.
_NO_FACE, _MAY_BE_FACE, _LOOKS_LIKE_FACE, _IS_FACE = 0.02, 0.5, 0.9, 0.995
_IS_FACE_IN_HEADSET = 0.98
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


class FaceDetector:
    """Finds every face from ``min_face_px`` up. Safe to call from several threads at once.

    Without a ``verifier``, faces under headsets and masks are often missed. ``covered`` finds more of
    them, in images without a certain face.
    """

    def __init__(
        self,
        network: Network,
        min_face_px: int = 24,
        verifier: Verifier | None = None,
        covered: FaceSource | None = None,
    ) -> None:
        self._network = network
        self._min_face_px = min_face_px
        self._verifier = verifier
        self._covered = covered

    @classmethod
    def load(cls, folder: Path, min_face_px: int = 24) -> "FaceDetector":
        """The detector with the model files of ``folder``. Raises DetectorError."""
        network, verifier = BlazeFace(*find_model(folder)), shared_verifier()
        covered = None
        if network.spec is SHORT_RANGE:
            covered = CoveredFaces(network, verifier)
        elif is_intact(folder, SHORT_RANGE):
            covered = CoveredFaces(BlazeFace(SHORT_RANGE, folder / SHORT_RANGE.file_name), verifier)
        return cls(network, min_face_px, verifier, covered)

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
            if self._covered is not None:
                found = Detections.joined([found, self._covered.faces(picture, found)])
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
        is_large = is_verifiable(proposals[best])
        # The likeliest ones: ``best`` is in the order of scores.
        return set(best[is_unlikely & is_large][:_MOST_VERIFIED].tolist())

    def verified(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        """The face in a box where one was, if the detector alone finds none, as under a headset: at most one.

        Box and score are those of a second look, but the score is at least ``_MIN_SCORE``.
        """
        found = self._verified(picture, box_xywh)
        if not len(found) and self._covered is not None:
            found = self._covered.face_at(picture, box_xywh)
        return found

    def _verified(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        """The face in a box that a second look sees and the verifier accepts: one detection, or none."""
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
        is_face = probability_of_face(self._answers(picture, looked.boxes()[0])) >= _LOOKS_LIKE_FACE
        return _counted(looked) if is_face else looked[:0]

    def _doubtful(self, picture: Pixels, proposal: Detections, *, may_be_seen: bool) -> Detections:
        """The face of a proposal whose own score does not suffice: one detection, or none.

        ``may_be_seen`` says whether a second look may accept it without the verifier.
        """
        nothing = proposal[:0]
        box = proposal.boxes()[0]
        if not self._is_verifiable(box):
            return self.second_look(picture, box) if may_be_seen else nothing
        answered = self._answers(picture, box)
        probability = probability_of_face(answered)
        if probability < (_NO_FACE if may_be_seen else _MAY_BE_FACE):
            return nothing
        found = self._seen_or_verified(picture, box) if may_be_seen else self._verified(picture, box)
        if len(found):
            return found
        least = _IS_FACE_IN_HEADSET if shows_headset(answered) else _IS_FACE
        return _counted(proposal) if probability >= least else nothing

    def _is_verifiable(self, box_xywh: RawBoxXywh) -> bool:
        return self._verifier is not None and max(box_xywh[2:]) >= MIN_VERIFIABLE_PX

    def _answers(self, picture: Pixels, box_xywh: RawBoxXywh) -> npt.NDArray[np.float32]:
        assert self._verifier is not None
        return answers(self._verifier, picture, box_xywh)

    def _turned_faces(self, picture: Pixels) -> list[Detections]:
        """Faces turned in the image's plane by 90° or 180°, in image pixels."""
        height, width, _ = picture.shape
        input_px = self._network.spec.input_px
        scale = _TURNED_PART * input_px / max(picture.shape)
        small = resized(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        faces = []
        for quarters in (1, 2, 3):
            seen = turned_image(small, quarters)
            x, y = middle(seen.shape[1], input_px), middle(seen.shape[0], input_px)
            proposals = self._network(padded(seen, input_px, (-x, -y)), _MIN_PROPOSAL).placed(scale, x, y)
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
        levels = pyramid((width, height), spec.input_px, spec.smallest_face_px, min_face_px)
        found, face_part = search(self._network, picture, levels, min_score)
        return found, (face_part >= _TRUSTED_PART[0]) & (face_part <= _TRUSTED_PART[1])

    def second_look(
        self, picture: Pixels, box_xywh: RawBoxXywh, min_score: float = _MIN_SECOND_SCORE
    ) -> Detections:
        """The face in a box, found at the size that suits the detector best: one detection, or none."""
        return look(self._network, picture, box_xywh, _SECOND_LOOK_PART, min_score)


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


def largest_first(faces: Detections) -> Detections:
    """One detection for each face, largest first."""
    best = faces[best_of_each_face(faces)]
    return best[np.argsort(-areas(best.boxes_xywh), kind="stable")]
