"""Maps a model's labels to those of a data set. Such a mapping is called a reading."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def reading_of(
    known: tuple[str, ...], probabilities: Floats, labels: tuple[str, ...], truth: npt.NDArray[np.int64]
) -> dict[str, str]:
    """Maps each label of a model to the one of ``labels`` that it most often goes with.

    Equal names map to each other. The others are mapped by images with known classes (N,) among ``labels``
    and the model's ``probabilities`` (N, K) for them. Do not evaluate on these images.
    """
    shares = np.stack([probabilities[truth == place].sum(0) for place in range(len(labels))])  # (C, K)
    return {
        word: word if word in labels else labels[int(shares[:, place].argmax())]
        for place, word in enumerate(known)
    }


def read_as(
    probabilities: Floats, known: tuple[str, ...], labels: tuple[str, ...], reading: dict[str, str]
) -> Floats:
    """Converts probabilities (N, K) over ``known`` to probabilities (N, C) over ``labels``."""
    read = np.zeros((len(probabilities), len(labels)), np.float32)
    for place, word in enumerate(known):
        read[:, labels.index(reading[word])] += probabilities[:, place]
    return read


def mixture_of(
    probabilities: Floats, known: tuple[str, ...], labels: tuple[str, ...], reading: dict[str, str]
) -> Floats:
    """(C, K): the share of each label of a model in the one of ``labels`` to which it is mapped, averaged
    over ``probabilities`` (N, K). Rows sum to 1, or to 0 if no label is mapped to that one.

    With these shares, the logarithm of a sum of probabilities is, to first order, a mean of logits.
    """
    mixture = np.zeros((len(labels), len(known)), np.float32)
    for row, label in enumerate(labels):
        places = [place for place, word in enumerate(known) if reading[word] == label]
        if places:
            parts = probabilities[:, places]
            mixture[row, places] = (parts / np.maximum(parts.sum(1, keepdims=True), 1e-12)).mean(0)
    return mixture
