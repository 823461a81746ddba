"""What the class folders of published data sets are called, and which label each of them means."""

from collections.abc import Iterable, Mapping

from ...emotions import canonical
from ...exceptions import DatasetError
from ..datasets import LABELS

#: What a folder means whose images have none of the labels.
LEFT_OUT = ""

#: What folders are called, in lower case, whose images show no emotion that can be told.
_NO_EMOTION = frozenset({"none", "uncertain", "unknown", "no-face", "nonface"})


def _numbered(first: int, *labels: str) -> dict[str, str]:
    return {str(number): label for number, label in enumerate(labels, start=first)}


#: How data sets number their classes; "" for those that are left out.
NUMBERINGS: Mapping[str, Mapping[str, str]] = {
    "raf-db": _numbered(1, "surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    # 7 is contempt; 8, 9 and 10 are none, uncertain and no face.
    "affectnet": _numbered(
        0, "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", *[LEFT_OUT] * 4
    ),
    "fer2013": _numbered(0, "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
}


def labels_of_folders(
    names: Iterable[str], given: Mapping[str, str], numbering: str | None
) -> dict[str, str]:
    """Folder name to one of LABELS, or to "" where its images are left out.

    Args:
        given: what the user says of single folders; comes before everything else.
        numbering: one of NUMBERINGS, for folders that are called by numbers. Where it is None, exactly 1 to
            7 are RAF-DB's and 0 to 7 or more are AffectNet's; anything else can't be told apart.

    Raises DatasetError that names the folder nobody knows, and says what to do.
    """
    names = sorted(set(names))
    _check(given, names)
    numbers = [name for name in names if name.isdecimal() and name not in given]
    known = dict(NUMBERINGS[_numbering(numbers, numbering)]) if numbers else {}
    found = {name: given.get(name, known.get(name, _label(name))) for name in names}
    labels = {name: label for name, label in found.items() if label is not None}
    for name in names:
        if name not in labels:
            raise DatasetError(
                f"nobody knows which label the folder {name!r} stands for: say --map {name}=LABEL with one "
                f"of {', '.join(LABELS)}, or --map {name}= to leave its images out"
            )
    return labels


def _label(name: str) -> str | None:
    """What a folder's name means; None if nobody knows."""
    emotion = canonical(name)
    if emotion is None:
        return LEFT_OUT if name.strip().lower() in _NO_EMOTION else None
    return emotion if emotion in LABELS else LEFT_OUT


def _check(given: Mapping[str, str], names: list[str]) -> None:
    for name, label in given.items():
        if name not in names:
            raise DatasetError(f"--map {name}={label}: no such folder; there are: {', '.join(names)}")
        if label not in (*LABELS, LEFT_OUT):
            raise DatasetError(f"--map {name}={label}: the labels are {', '.join(LABELS)}")


def _numbering(numbers: list[str], chosen: str | None) -> str:
    if chosen is not None:
        return chosen
    if set(numbers) == set(NUMBERINGS["raf-db"]):
        return "raf-db"
    if set(numbers) >= set("01234567"):
        return "affectnet"
    raise DatasetError(
        f"the folders {', '.join(numbers)} mean one thing in one data set and another in the next: "
        f"say --numbers {' or --numbers '.join(NUMBERINGS)}"
    )
