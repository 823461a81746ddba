import json
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.datasets import (
    LABELS,
    VOTE_COLUMNS,
    VotedFaces,
    evaluation_set,
    read_ferplus,
    read_prepared,
    read_split,
    training_set,
)

from tests.training.conftest import MakeSplit, face, plain_rows, votes, write_prepared

WHOLE = "(0, 0, 48, 48)"


def voted(*rows: list[int]) -> VotedFaces:
    """Pictures of one grey each: the first is 0, the second 1, …"""
    images = np.arange(len(rows), dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2)
    return VotedFaces(images, np.array(rows, np.int64))


def target(**shares: float) -> list[float]:
    return [shares.get(label, 0.0) for label in LABELS]


# Reading


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_a_split_is_read_with_its_votes_in_the_order_of_its_lines(make_split: MakeSplit, form: str) -> None:
    rows = [("b.png", WHOLE, votes(happiness=10)), ("a.png", WHOLE, votes(fear=7, surprise=3))]

    faces = read_ferplus(make_split(rows, form=form))

    assert faces.images.shape == (2, 48, 48)
    assert faces.images.dtype == np.uint8
    assert np.array_equal(faces.images[0], np.asarray(face("happiness", 0)))
    assert faces.votes.tolist() == [votes(happiness=10), votes(fear=7, surprise=3)]


def test_pictures_are_cut_to_their_box(make_split: MakeSplit) -> None:
    rows = [("a.png", "(8, 4, 40, 44)", votes(anger=9))]

    faces = read_ferplus(make_split(rows))

    assert np.array_equal(faces.images[0], np.asarray(face("anger", 0))[4:44, 8:40])


def test_a_folder_without_labels_is_no_split(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no label\.csv: is it a split of FER\+\?"):
        read_ferplus(tmp_path)


def test_what_is_neither_folder_nor_tar_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.tar").write_bytes(b"no tar file")

    for path in (tmp_path / "faces.tar", tmp_path / "nothing.tar"):
        with pytest.raises(DatasetError, match=str(path)):
            read_ferplus(path)


BROKEN_LINES = {
    "no such picture": 'nothing.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10',
    "no box": "fer000000.png",
    "a box of words": "fer000000.png,whole,1,2,3,4,5,6,7,8,9,10",
    "a box of three": 'fer000000.png,"(0, 0, 48)",1,2,3,4,5,6,7,8,9,10',
    "a box that is a program": "fer000000.png,\"__import__('os')\",1,2,3,4,5,6,7,8,9,10",
    "votes in words": 'fer000000.png,"(0, 0, 48, 48)",one,2,3,4,5,6,7,8,9,10',
    "an empty line": "",
}


@pytest.mark.parametrize("line", BROKEN_LINES.values(), ids=BROKEN_LINES.keys())
def test_a_line_that_cannot_be_used_is_named_by_its_number(make_split: MakeSplit, line: str) -> None:
    sound = 'fer000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10'
    split = make_split(plain_rows(1), labels=f"{sound}\n{line}\n{sound}\n")

    with pytest.raises(DatasetError, match=r"line 2 of label\.csv"):
        read_ferplus(split)


UNEVEN_LINES = {
    "too few votes": 'fer000000.png,"(0, 0, 48, 48)",1,2,3',
    "too many votes": 'fer000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10,11',
    "a box of another size": 'fer000000.png,"(0, 0, 24, 24)",1,2,3,4,5,6,7,8,9,10',
}


@pytest.mark.parametrize("line", UNEVEN_LINES.values(), ids=UNEVEN_LINES.keys())
def test_a_line_unlike_the_others_is_named_by_its_number(make_split: MakeSplit, line: str) -> None:
    sound = 'fer000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10'
    split = make_split(plain_rows(1), labels=f"{sound}\n{line}\n")

    with pytest.raises(DatasetError, match=r"line 2 of label\.csv"):
        read_ferplus(split)


def test_an_empty_list_is_no_split(make_split: MakeSplit) -> None:
    with pytest.raises(DatasetError):
        read_ferplus(make_split([]))


def test_a_picture_that_is_none_is_named_by_its_line(make_split: MakeSplit) -> None:
    split = make_split(plain_rows(3))
    (split / "fer000001.png").write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"line 2 of label\.csv"):
        read_ferplus(split)


# Training: soft targets


def test_targets_are_the_shares_of_the_votes() -> None:
    data = training_set(voted(votes(happiness=6, neutral=4), votes(fear=5, surprise=5)))

    assert data.targets == pytest.approx(
        np.array([target(happiness=0.6, neutral=0.4), target(fear=0.5, surprise=0.5)])
    )
    assert data.targets.dtype == np.float32
    assert len(data) == 2


def test_single_votes_are_slips_and_removed() -> None:
    data = training_set(voted(votes(happiness=8, anger=1, fear=1)))

    assert data.targets == pytest.approx(np.array([target(happiness=1)]))


def test_where_all_votes_are_single_they_count() -> None:
    data = training_set(voted(votes(happiness=1, anger=1)))

    assert data.targets == pytest.approx(np.array([target(happiness=0.5, anger=0.5)]))


def test_votes_for_contempt_are_no_target() -> None:
    data = training_set(voted(votes(contempt=4, anger=6)))

    assert data.targets == pytest.approx(np.array([target(anger=1)]))


@pytest.mark.parametrize(
    ("row", "is_kept"),
    [
        (votes(sadness=5, contempt=5), True),
        (votes(sadness=4, contempt=6), False),
        (votes(sadness=5, unknown=5), True),
        (votes(sadness=4, unknown=6), False),
        (votes(not_a_face=10), False),
        (votes(contempt=10), False),
        (votes(), False),
    ],
    ids=[
        "half contempt",
        "mostly contempt",
        "half unknown",
        "mostly unknown",
        "no face",
        "contempt",
        "no votes",
    ],
)
def test_pictures_are_kept_where_the_seven_labels_hold_half_of_the_votes(
    row: list[int], is_kept: bool
) -> None:
    data = training_set(voted(row, votes(happiness=10)))

    assert len(data) == 1 + is_kept
    assert (data.images[0, 0, 0] == 0) == is_kept  # each picture stays with its own target
    assert data.targets.sum(1) == pytest.approx(np.ones(len(data)))


# Evaluation: what annotators agree on


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (votes(happiness=10), "happiness"),
        (votes(neutral=6, sadness=4), "neutral"),
        (votes(surprise=6, fear=1, anger=1, neutral=1, sadness=1), "surprise"),
        (votes(disgust=3, anger=2), "disgust"),
        (votes(fear=2, neutral=1, sadness=1, anger=1, disgust=1), "fear"),
    ],
)
def test_a_majority_of_the_votes_above_1_is_the_label(row: list[int], label: str) -> None:
    data = evaluation_set(voted(row))

    assert data.targets.tolist() == [target(**{label: 1.0})]


@pytest.mark.parametrize(
    "row",
    [
        votes(happiness=5, neutral=5),
        votes(happiness=4, neutral=3, sadness=3),
        votes(happiness=5, unknown=5),
        votes(happiness=4, not_a_face=6),
        votes(happiness=1, anger=1),
        votes(contempt=10),
        votes(unknown=10),
        votes(),
    ],
    ids=["half", "a third", "half unknown", "no face", "single votes", "contempt", "unknown", "no votes"],
)
def test_pictures_without_a_majority_or_of_contempt_are_left_out(row: list[int]) -> None:
    data = evaluation_set(voted(row, votes(happiness=10)))

    assert len(data) == 1
    assert data.images[0, 0, 0] == 1


def test_the_labels_are_those_of_the_votes_without_contempt() -> None:
    assert set(VOTE_COLUMNS[:8]) - set(LABELS) == {"contempt"}
    assert list(LABELS) == sorted(LABELS)


# Splits of either form


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return write_prepared(
        tmp_path / "prepared",
        train=[target(happiness=0.6, neutral=0.4), target(fear=0.5, surprise=0.5), target(anger=1)],
        valid=[target(sadness=1)],
        test=[target(disgust=1), target(fear=1)],
    )


def test_a_prepared_folder_gives_its_training_split_for_training(prepared: Path) -> None:
    for path in (prepared, prepared / "train", prepared / "train.npz"):
        data = read_split(path, "training")

        assert data.images[:, 0, 0].tolist() == [0, 1, 2]
        assert data.targets[0].tolist() == pytest.approx(target(happiness=0.6, neutral=0.4))


def test_a_prepared_folder_gives_its_validation_split_for_evaluation_and_the_test_split_only_by_name(
    prepared: Path,
) -> None:
    assert read_split(prepared, "evaluation").targets.tolist() == [target(sadness=1)]
    assert read_split(prepared / "test", "evaluation").targets.tolist() == [target(disgust=1), target(fear=1)]


def test_evaluation_on_soft_targets_takes_the_pictures_with_a_majority(prepared: Path) -> None:
    data = read_split(prepared / "train", "evaluation")

    assert data.images[:, 0, 0].tolist() == [0, 2]
    assert data.targets.tolist() == [target(happiness=1), target(anger=1)]


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_a_split_of_ferplus_is_read_for_either_purpose(make_split: MakeSplit, form: str) -> None:
    split = make_split([("a.png", WHOLE, votes(happiness=6, neutral=4))], form=form)

    assert read_split(split, "training").targets == pytest.approx(
        np.array([target(happiness=0.6, neutral=0.4)])
    )
    assert read_split(split, "evaluation").targets.tolist() == [target(happiness=1)]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nothing: there is no such file or folder"):
        read_split(tmp_path / "nothing", "training")


def test_a_split_that_is_not_there_is_answered_with_those_there_are(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path / "prepared", train=[target(anger=1)], test=[target(anger=1)])

    with pytest.raises(DatasetError, match=r"no split 'valid'; there are: \S+/train, \S+/test$"):
        read_split(folder, "evaluation")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": 2}, "has the form 2, not 1"),
        ({"labels": ["sad", "glad"]}, "has the labels sad, glad instead of anger"),
    ],
)
def test_a_prepared_folder_of_another_kind_is_refused(
    prepared: Path, change: dict[str, object], words: str
) -> None:
    manifest = prepared / "dataset.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))

    with pytest.raises(DatasetError, match=words):
        read_prepared(prepared, "train")


def test_a_manifest_that_is_none_is_named(prepared: Path) -> None:
    (prepared / "dataset.json").write_text("{")

    with pytest.raises(DatasetError, match=r"dataset\.json cannot be read"):
        read_prepared(prepared, "train")


def test_a_damaged_split_is_named(prepared: Path) -> None:
    file = prepared / "train.npz"
    for content in (b"", file.read_bytes()[:300]):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"train\.npz is damaged"):
            read_prepared(prepared, "train")


def test_objects_in_a_split_are_refused_and_not_unpickled(prepared: Path) -> None:
    np.savez(prepared / "train.npz", images=np.array([object()]), targets=np.zeros((1, 7), np.float32))

    with pytest.raises(DatasetError, match=r"train\.npz is damaged"):
        read_prepared(prepared, "train")


@pytest.mark.parametrize(
    ("images", "targets"),
    [
        (np.zeros((2, 48, 48), np.uint8), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48), np.float32), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48, 4), np.uint8), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48), np.uint8), np.zeros((1, 8), np.float32)),
        (np.zeros((0, 48, 48), np.uint8), np.zeros((0, 7), np.float32)),
    ],
    ids=["fewer targets", "floats", "four channels", "eight labels", "empty"],
)
def test_arrays_that_do_not_fit_are_named_with_their_shapes(
    prepared: Path, images: np.ndarray, targets: np.ndarray
) -> None:
    np.savez(prepared / "train.npz", images=images, targets=targets)

    with pytest.raises(DatasetError, match=r"train\.npz holds images .* expected uint8"):
        read_prepared(prepared, "train")
