"""A model's answers in other words than its own: what each of its labels comes to in a data set's labels."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def reading_of(
    known: tuple[str, ...], probabilities: Floats, labels: tuple[str, ...], truth: npt.NDArray[np.int64]
) -> dict[str, str]:
    """For each label that a model knows, that one of ``labels`` which it most often goes with.

    A label of the same name is itself. The others go by images whose classes (N,) among ``labels`` are known
    and to which the model gave ``probabilities`` (N, K). Those images are not the ones to measure on.
    """
    shares = np.stack([probabilities[truth == place].sum(0) for place in range(len(labels))])  # (C, K)
    return {
        word: word if word in labels else labels[int(shares[:, place].argmax())]
        for place, word in enumerate(known)
    }


def read_as(
    probabilities: Floats, known: tuple[str, ...], labels: tuple[str, ...], reading: dict[str, str]
) -> Floats:
    """Probabilities (N, K) over ``known`` as probabilities (N, C) over ``labels``."""
    read = np.zeros((len(probabilities), len(labels)), np.float32)
    for place, word in enumerate(known):
        read[:, labels.index(reading[word])] += probabilities[:, place]
    return read


def mixture_of(
    probabilities: Floats, known: tuple[str, ...], labels: tuple[str, ...], reading: dict[str, str]
) -> Floats:
    """(C, K): what share each label that a model knows has in the one of ``labels`` that it is read as, on
    average over ``probabilities`` (N, K). Rows sum to 1, or to 0 where none is read as that label.

    With these shares the logarithm of a sum of probabilities is, to first order, a mean of logits.
    """
    mixture = np.zeros((len(labels), len(known)), np.float32)
    for row, label in enumerate(labels):
        places = [place for place, word in enumerate(known) if reading[word] == label]
        if places:
            parts = probabilities[:, places]
            mixture[row, places] = (parts / np.maximum(parts.sum(1, keepdims=True), 1e-12)).mean(0)
    return mixture
