import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.folds import stratified_folds


def test_every_image_is_held_out_once_and_no_group_twice() -> None:
    truth = np.repeat([0, 1], 30)
    groups = np.arange(60) // 3

    folds = stratified_folds(truth, groups, 5, seed=1)

    assert np.sum(folds, axis=0).tolist() == [1] * 60
    for fold in folds:
        assert len(np.unique(groups[fold])) * 3 == fold.sum()
        assert np.bincount(truth[fold]).tolist() == [6, 6]


def test_there_are_no_more_folds_than_groups() -> None:
    assert len(stratified_folds(np.array([0, 1, 1]), np.array([0, 0, 7]), 5, 0)) == 2
    assert len(stratified_folds(np.array([0, 1]), None, 5, 0)) == 2
    with pytest.raises(DatasetError, match="one group"):
        stratified_folds(np.array([0, 1]), np.array([4, 4]), 5, 0)
