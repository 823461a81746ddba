"""Converts the votes of ten annotators, as in FER+ (Barsoum et al., arXiv 1608.01041), to targets."""

import numpy as np
import numpy.typing as npt

from ..datasets import LABELS
from .sample import Reason, Target

VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "not-a-face",
)
_EMOTION_COLUMNS = 8
_LABEL_COLUMNS = [VOTE_COLUMNS.index(label) for label in LABELS]

Votes = npt.NDArray[np.int64]


def judge(votes: Votes, split: str) -> list[Target | Reason]:
    """The target of each row of votes (N, 10), or the reason why there is none. Targets are the votes' shares
    in a training split and the majority's label in others."""
    mask, targets = (_shares if split == "train" else _majorities)(votes)
    kept = iter(targets)
    return [
        next(kept) if is_kept else _why_not(row) for row, is_kept in zip(votes.tolist(), mask, strict=True)
    ]


def _shares(votes: Votes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """The rows (N, 10) to train on, bool (N,), and the soft targets (K, 7) of those K.

    A row is kept if the seven labels have at least half of the votes. Single votes are removed as mistakes
    (as in the data set's paper), unless all are single.
    """
    cleaned = votes * (votes > 1)
    votes = np.where(cleaned.sum(1, keepdims=True) == 0, votes, cleaned)
    kept = votes[:, _LABEL_COLUMNS]
    mask = kept.sum(1) * 2 >= np.maximum(votes.sum(1), 1)
    kept = kept[mask].astype(np.float32)
    return mask, kept / kept.sum(1, keepdims=True)


def _majorities(votes: Votes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """The rows (N, 10) with a majority, bool (N,), and the one-hot targets (K, 7) of those K.

    Votes of 1 are removed; a row is kept if one of the eight emotions has more than half of the remaining
    votes; contempt is then excluded.
    """
    votes = votes * (votes > 1)
    emotions = votes[:, :_EMOTION_COLUMNS]
    winner = emotions.argmax(1)
    mask = (emotions.max(1) * 2 > votes.sum(1)) & (winner != VOTE_COLUMNS.index("contempt"))
    order = np.array([LABELS.index(column) if column in LABELS else -1 for column in VOTE_COLUMNS])
    return mask, np.eye(len(LABELS), dtype=np.float32)[order[winner[mask]]]


def _why_not(votes: list[int]) -> Reason:
    most, total = max(votes), sum(votes)
    if most and votes.index(most) == VOTE_COLUMNS.index("not-a-face"):
        return Reason.NOT_A_FACE
    if votes[VOTE_COLUMNS.index("contempt")] * 2 > total:
        return Reason.OTHER_LABEL
    return Reason.NO_MAJORITY
