import pytest
from emostream.exceptions import DatasetError
from emostream.training.datasets import LABELS
from emostream.training.preparing.class_names import LEFT_OUT, NUMBERINGS, label_set, labels_of_folders


def test_usual_names_of_any_case_are_known() -> None:
    found = labels_of_folders(["Angry", "disgust", "FEAR", "happy", "Neutral", "sad", "suprise"], {}, None)

    assert sorted(found.values()) == sorted(LABELS)
    assert (found["Angry"], found["suprise"]) == ("anger", "surprise")


def test_contempt_is_known_and_left_out() -> None:
    assert labels_of_folders(["contempt", "sad"], {}, None) == {"contempt": LEFT_OUT, "sad": "sadness"}


def test_1_to_7_are_numbers_of_raf_db() -> None:
    found = labels_of_folders("1234567", {}, None)

    assert (found["1"], found["4"], found["7"]) == ("surprise", "happiness", "neutral")
    assert sorted(found.values()) == sorted(LABELS)


def test_0_to_7_are_numbers_of_affectnet() -> None:
    found = labels_of_folders("01234567", {}, None)

    assert (found["0"], found["1"], found["6"], found["7"]) == ("neutral", "happiness", "anger", LEFT_OUT)


def test_numbers_that_may_mean_several_things_are_asked_for() -> None:
    with pytest.raises(DatasetError, match="say --numbers raf-db or --numbers affectnet or"):
        labels_of_folders("0123456", {}, None)

    assert labels_of_folders("0123456", {}, "fer2013")["0"] == "anger"
    assert labels_of_folders("0123456", {}, "affectnet")["0"] == "neutral"


def test_a_folder_that_nobody_knows_is_named_with_what_to_say() -> None:
    with pytest.raises(
        DatasetError, match=r"'bored' has no .* label: say --map bored=LABEL .* --map bored= to"
    ):
        labels_of_folders(["bored", "sad"], {}, None)


def test_what_the_user_says_comes_first() -> None:
    found = labels_of_folders(["bored", "calm", "sad"], {"bored": "neutral", "calm": LEFT_OUT}, None)

    assert found == {"bored": "neutral", "calm": LEFT_OUT, "sad": "sadness"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bord": "neutral"}, "--map bord=neutral: no such folder; there are: bored, sad"),
        ({"bored": "bored"}, "--map bored=bored: the labels are anger, "),
    ],
)
def test_a_mapping_that_cannot_be_is_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        labels_of_folders(["bored", "sad"], given, None)


def test_every_numbering_has_every_label_once() -> None:
    for numbering in NUMBERINGS.values():
        assert sorted(label for label in numbering.values() if label != LEFT_OUT) == sorted(LABELS)


def test_a_folder_among_emotions_that_is_nearly_one_is_taken_for_a_slip() -> None:
    """And not for a label of one's own."""
    names = ["hapy", "sad"]

    assert label_set(names, {}, None) == LABELS
    with pytest.raises(
        DatasetError, match=r"'hapy' has no known label \(did you mean happy\?\): .*--labels 'hapy,sad'"
    ):
        labels_of_folders(names, {}, None)


def test_what_is_mapped_is_a_label_of_ones_own_too() -> None:
    assert label_set(["bored", "dozing", "focused"], {"dozing": "bored"}, None) == ("bored", "focused")
    assert label_set(["bored", "focused", "junk"], {"junk": ""}, None) == ("bored", "focused")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("bored",), "2 to 64 labels"),
        (("a", "A"), "twice"),
        (("a", ""), "'' is no label"),
        (("a", "b\n"), "no label"),
    ],
)
def test_labels_that_no_network_can_have_are_refused(labels: tuple[str, ...], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        label_set(["a", "b"], {}, labels)
