"""Names of class folders in published data sets, and their labels."""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from natsort import natsorted

from ...emotions import WORDS, canonical
from ...exceptions import DatasetError, did_you_mean
from ..datasets import LABELS, check_label_set

#: Label of folders whose images are excluded, since they have none of the labels.
LEFT_OUT = ""

#: Names, in lower case, of folders whose images have no usable emotion.
_NO_EMOTION = frozenset({"none", "uncertain", "unknown", "no-face", "nonface"})


def _numbered(first: int, *labels: str) -> dict[str, str]:
    return {str(number): label for number, label in enumerate(labels, start=first)}


#: The data sets' numbering of classes; "" for excluded ones.
NUMBERINGS: Mapping[str, Mapping[str, str]] = {
    "raf-db": _numbered(1, "surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    # 7 is contempt; 8, 9 and 10 are none, uncertain and no face.
    "affectnet": _numbered(
        0, "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", *[LEFT_OUT] * 4
    ),
    "fer2013": _numbered(0, "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
}


def label_set(
    names: Iterable[str], given: Mapping[str, str], asked: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The labels for class folders of these names.

    They are the requested ones; otherwise, if no folder is named after an emotion, the folders' names;
    otherwise LABELS. Raises DatasetError for labels that a network cannot have.
    """
    if asked is not None:
        check_label_set(asked)
        return asked
    own = {word_of(name) for name in names if name not in given}
    if len(own) < 2 or any(name.isdecimal() or _label(name, LABELS) is not None for name in own):
        return LABELS
    labels = tuple(natsorted(own | {label for label in given.values() if label != LEFT_OUT}))
    check_label_set(labels)
    return labels


def word_of(folder: str) -> str:
    """The label of a folder's name, in which some characters are escaped (%2F)."""
    return unquote(folder).strip()


def labels_of_folders(
    names: Iterable[str],
    given: Mapping[str, str],
    numbering: str | None,
    labels: tuple[str, ...] = LABELS,
) -> dict[str, str]:
    """Maps folder names to ``labels``, or to "" if their images are excluded.

    Args:
        given: the user's mapping of single folders; overrides everything else.
        numbering: one of NUMBERINGS, for numbered folders. If it is None, exactly 1 to 7 are RAF-DB's and 0
        to 7 or more are AffectNet's; anything else is ambiguous.

    Raises DatasetError that names an unknown folder, and says what to do.
    """
    names = sorted(set(names))
    _check(given, names, labels)
    numbers = [name for name in names if name.isdecimal() and name not in given and name not in labels]
    known = dict(NUMBERINGS[_numbering(numbers, numbering)]) if numbers and labels == LABELS else {}
    found = {name: given.get(name, known.get(name, _label(name, labels))) for name in names}
    for name, label in found.items():
        if label is None:
            raise DatasetError(_unknown(name, names, labels))
    return {name: label for name, label in found.items() if label is not None}


def _unknown(name: str, names: list[str], labels: tuple[str, ...]) -> str:
    hint = did_you_mean(word_of(name).lower(), WORDS if labels == LABELS else labels)
    message = (
        f"the folder {name!r} has no known label{hint}: "
        f"say --map {name}=LABEL with one of {', '.join(labels)}, or --map {name}= to exclude its images"
    )
    if labels == LABELS and len(names) > 1:
        message += f"; or name all labels yourself: --labels '{','.join(map(word_of, names))}'"
    return message


def _label(name: str, labels: tuple[str, ...]) -> str | None:
    """The label of a folder's name; None if unknown."""
    word = word_of(name)
    for label in labels:
        if label.casefold() == word.casefold():
            return label
    emotion = canonical(word)
    for label in labels:
        if emotion is not None and canonical(label) == emotion:
            return label
    if labels != LABELS:
        return None
    return LEFT_OUT if emotion is not None or word.lower() in _NO_EMOTION else None


def _check(given: Mapping[str, str], names: list[str], labels: tuple[str, ...]) -> None:
    for name, label in given.items():
        if name not in names:
            raise DatasetError(f"--map {name}={label}: no such folder; there are: {', '.join(names)}")
        if label not in (*labels, LEFT_OUT):
            raise DatasetError(f"--map {name}={label}: the labels are {', '.join(labels)}")


def _numbering(numbers: list[str], chosen: str | None) -> str:
    if chosen is not None:
        return chosen
    if set(numbers) == set(NUMBERINGS["raf-db"]):
        return "raf-db"
    if set(numbers) >= set("01234567"):
        return "affectnet"
    raise DatasetError(
        f"the folders {', '.join(numbers)} mean different labels in different data sets: "
        f"say --numbers {' or --numbers '.join(NUMBERINGS)}"
    )
