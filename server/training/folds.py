"""Folds for cross-validation: similar in their classes, with each group in one fold."""

import numpy as np
import numpy.typing as npt

from ..exceptions import DatasetError

Mask = npt.NDArray[np.bool_]


def stratified_folds(
    truth: npt.NDArray[np.int64], groups: npt.NDArray[np.int64] | None, folds: int, seed: int
) -> list[Mask]:
    """At most ``folds`` masks (N,), each image in exactly one, for classes (N,) and groups (N,).

    Raises DatasetError if there are fewer than two groups.
    """
    groups = np.arange(len(truth)) if groups is None else groups
    names, group_of = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DatasetError("all training images are one group, so none can be held out")
    folds = min(folds, len(names))
    sizes = np.zeros((len(names), truth.max() + 1), np.int64)
    np.add.at(sizes, (group_of, truth), 1)
    filled = np.zeros((folds, sizes.shape[1]), np.int64)
    fold_of = np.empty(len(names), np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    # Largest groups first, so that small ones fill gaps. Each goes to the fold with fewest of its classes.
    for group in shuffled[np.argsort(-sizes[shuffled].sum(1), kind="stable")]:
        fullness = (filled * sizes[group]).sum(1)
        fold = int(np.lexsort((filled.sum(1), fullness))[0])
        fold_of[group] = fold
        filled[fold] += sizes[group]
    return [fold_of[group_of] == fold for fold in range(folds)]
