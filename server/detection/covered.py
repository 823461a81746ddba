"""Finds faces under headsets and masks, where the detector has found no certain face.

The full-range network misses many of them: it proposes 0.77 of the faces that fill the image under a drawn
headset, at a score of 0.1, and the short-range network 0.98 to 1.00 (bench/README.md). Both propose textures,
too, so the verifier decides.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..imaging.boxes import ious
from ..imaging.crop import RawBoxXywh
from .anchors import Detections
from .blazeface import Pixels
from .search import Network, look, search
from .suppression import MAX_IOU, best_of_each_face
from .tiles import level
from .verification import Verifier, answers, is_verifiable, probability_of_face

#: The image's longer side on each level, as a multiple of the network's input, which finds covered faces in a
#: narrow range of sizes. Then how many proposals of the first level and of the others the verifier sees, the
#: likeliest ones: more of them add false faces and few others.
_FINE_LEVELS, _COARSE_LEVELS = (1.6,), (0.75, 0.5)
_MOST_FINE, _MOST_COARSE = 2, 3

#: Tiles of the first level overlap by this fraction of the input, so that two cover 1.6 times its side.
_OVERLAP_PART = 0.375

#: Least score of a proposal.
_MIN_PROPOSAL = 0.05

#: Thresholds of the verifier's probability. From the first on, the proposal gets a second look, and is
#: accepted if the verifier gives its result the second. From the third on, it is accepted as it is. Chosen on
#: 60 photographs of the half for choices and 312 parts of images without a face.
_MAY_BE_FACE, _LOOKS_LIKE_FACE, _IS_FACE = 0.9, 0.98, 0.995

#: The same for a face that a video's earlier frame had there.
_IS_STILL_FACE = 0.95

#: Side of the face in a second look, as a fraction of the input's side.
_SECOND_LOOK_PART = 0.35

#: Score of an accepted face, whatever the network's: a face, but no certain one, for it may be a part of a
#: turned one.
_SCORE = 0.5


class FaceSource(Protocol):
    """Finds faces that the detector itself misses; safe to call from several threads at once."""

    def faces(self, picture: Pixels, known: Detections) -> Detections:
        """Faces of an image uint8 (H, W, 3) RGB, in its pixels, without those of ``known``."""

    def face_at(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        """The face in a box where one was before: one detection, or none."""


class CoveredFaces:
    """Proposals of a short-range network that a verifier accepts, from 40 px up.

    Costs six passes of the short-range network, at most five of the verifier, and one of each for a proposal
    that gets a second look.
    """

    def __init__(self, network: Network, verifier: Verifier) -> None:
        self._network = network
        self._verifier = verifier

    def faces(self, picture: Pixels, known: Detections) -> Detections:
        proposals = self._proposals(picture)
        is_new = ~(ious(proposals.boxes_xywh, known.boxes_xywh) > MAX_IOU).any(axis=1)
        accepted = [self._accepted(picture, proposals[index : index + 1]) for index in np.flatnonzero(is_new)]
        # Second looks may have moved two proposals onto one face: the likelier one counts.
        found = Detections.joined(accepted)
        return _counted(found[best_of_each_face(found)])

    def face_at(self, picture: Pixels, box_xywh: RawBoxXywh) -> Detections:
        return _counted(self._looked(picture, box_xywh, _IS_STILL_FACE))

    def _proposals(self, picture: Pixels) -> Detections:
        """What the verifier is to see."""
        fine = self._search(picture, _FINE_LEVELS)
        found = Detections.joined([fine, self._search(picture, _COARSE_LEVELS)])
        best = best_of_each_face(found)
        is_fine = best < len(fine)
        return found[np.concatenate([best[is_fine][:_MOST_FINE], best[~is_fine][:_MOST_COARSE]])]

    def _search(self, picture: Pixels, parts: Sequence[float]) -> Detections:
        height, width, _ = picture.shape
        input_px = self._network.spec.input_px
        whole, overlap_px = input_px / max(width, height), round(_OVERLAP_PART * input_px)
        levels = [level((width, height), part * whole, input_px, overlap_px) for part in parts]
        found, _ = search(self._network, picture, levels, _MIN_PROPOSAL)
        return found[is_verifiable(found)]

    def _accepted(self, picture: Pixels, proposal: Detections) -> Detections:
        """The face of a proposal, with the verifier's probability as its score: one detection, or none."""
        verified = self._verified(picture, proposal)
        if (verified.scores >= _IS_FACE).any():
            return verified
        if (verified.scores >= _MAY_BE_FACE).any():
            return self._looked(picture, proposal.boxes()[0], _LOOKS_LIKE_FACE)
        return Detections.none()

    def _looked(self, picture: Pixels, box_xywh: RawBoxXywh, least: float) -> Detections:
        """What a second look has found in a box, scored by the verifier, if that reaches ``least``."""
        found = look(self._network, picture, box_xywh, _SECOND_LOOK_PART, _MIN_PROPOSAL)
        verified = self._verified(picture, found[is_verifiable(found)])
        return verified[verified.scores >= least]

    def _verified(self, picture: Pixels, found: Detections) -> Detections:
        """The same with the verifier's probabilities as scores."""
        scores = [probability_of_face(answers(self._verifier, picture, box)) for box in found.boxes()]
        return replace(found, scores=np.array(scores, np.float32))


def _counted(faces: Detections) -> Detections:
    return replace(faces, scores=np.full(len(faces), _SCORE, np.float32))
