import json
import re

import pytest
from emostream.api.compat_words import EMOTION, FACE, PREDICT, RECOGNIZE
from emostream.emotions import EMOTIONS, canonical, colour_of, ink_on

from tests.support import ROOT

#: web/src/ui/palette.test.ts is held to the same cases.
CASES = json.loads((ROOT / "tests/data/emotions_cases.json").read_text(encoding="utf-8"))
SETS = json.loads((ROOT / "tests/data/label_set_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["label"]))
def test_a_label_has_one_meaning_and_one_colour(case: dict[str, str]) -> None:
    assert (canonical(case["label"]), colour_of(case["label"])) == (case["emotion"], case["colour"])


@pytest.mark.parametrize("case", SETS, ids=lambda case: ",".join(case))
def test_labels_of_one_model_have_colours_of_their_own(case: dict[str, str]) -> None:
    assert {label: colour_of(label, case) for label in case} == case


def test_more_labels_than_colours_still_have_one_each() -> None:
    many = [f"label {number}" for number in range(40)]

    assert all(re.fullmatch("#[0-9a-f]{6}", colour_of(label, many)) for label in many)


def test_each_emotion_is_called_by_its_name_and_has_a_colour_of_its_own() -> None:
    assert [canonical(emotion) for emotion in EMOTIONS] == list(EMOTIONS)
    assert len({colour_of(emotion) for emotion in EMOTIONS}) == len(EMOTIONS) == 8


@pytest.mark.parametrize("words", [RECOGNIZE, PREDICT, EMOTION, FACE])
def test_the_words_of_older_systems_are_known(words: dict[str, str]) -> None:
    for emotion, word in words.items():
        assert canonical(word) == emotion


@pytest.mark.parametrize(
    ("colour", "ink"),
    [("#ffffff", "black"), ("#f2d14e", "black"), ("#3e63dd", "white"), ("#000000", "white")],
)
def test_text_has_the_higher_contrast(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


def test_text_on_any_emotions_colour_is_black() -> None:
    """They are light, since the dashboard is dark."""
    assert {ink_on(case["colour"]) for case in CASES} == {"black"}
