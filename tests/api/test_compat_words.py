import pytest
from emostream.api.compat_words import EMOTION, FACE, PREDICT, RECOGNIZE, in_words, likeliest


def test_labels_are_understood_in_every_usual_word() -> None:
    labels = ("Angry", "happy", "SAD", "surprised", "fearful", "disgusted", "neutral")

    words = in_words(PREDICT, dict(zip(labels, [0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1], strict=True)))

    assert words == {
        "neutral": 0.1, "happy": 0.2, "sad": 0.3, "surprise": 0.1, "fear": 0.1, "disgust": 0.1, "anger": 0.1
    }  # fmt: skip


def test_the_order_is_the_older_systems() -> None:
    labels = ("surprise", "sadness", "neutral", "happiness", "fear", "disgust", "anger")

    assert list(in_words(RECOGNIZE, dict.fromkeys(labels, 0.0))) == list(RECOGNIZE)


def test_missing_emotions_are_left_out_and_labels_that_are_none_come_last_as_they_are() -> None:
    assert in_words(EMOTION, {"contempt": 1.0}) == {}
    found = in_words(FACE, {"boredom": 0.6, "contempt": 0.3, "interest": 0.1})
    assert list(found.items()) == [("Contempt", 0.3), ("boredom", 0.6), ("interest", 0.1)]
    assert likeliest(found) == ("boredom", 0.6)


def test_two_labels_of_one_meaning_are_added() -> None:
    assert in_words(EMOTION, {"happy": 0.25, "joy": 0.5}) == {"happy": 0.75}


@pytest.mark.parametrize(
    ("probabilities", "expected"), [({"sad": 0.2, "happy": 0.7}, ("happy", 0.7)), ({}, ("neutral", 0.0))]
)
def test_the_likeliest_word(probabilities: dict[str, float], expected: tuple[str, float]) -> None:
    assert likeliest(probabilities) == expected
