"""Translates the model's labels into older systems' words for emotions. No I/O."""

from collections.abc import Mapping

from ..emotions import canonical
from ..faces import DECIMALS

#: For each route of an older system: emotion to that system's word, in its order.
RECOGNIZE = {
    meaning: meaning
    for meaning in ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
}
PREDICT = {
    "neutral": "neutral",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "fear": "fear",
    "disgust": "disgust",
    "anger": "anger",
    "contempt": "contempt",
}
EMOTION = {
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fear",
    "surprise": "surprise",
    "neutral": "neutral",
    "disgust": "disgust",
}
FACE = {
    meaning: meaning.capitalize()
    for meaning in (
        "anger", "disgust", "surprise", "sadness", "happiness", "neutral", "contempt", "fear"
    )
}  # fmt: skip


def in_words(words: Mapping[str, str], probabilities: Mapping[str, float]) -> dict[str, float]:
    """Probabilities by the words of an older system, in its order, rounded to four places.

    ``probabilities`` are by the model's labels. Emotions that the model lacks are left out, and so are
    emotions for which the older system has no word. Labels that are no emotions, such as "bored", come last
    and unchanged, because no word of the older system would be true.
    """
    found: dict[str, float] = {}
    own: dict[str, float] = {}
    for label, value in probabilities.items():
        meaning = canonical(label)
        if meaning is None:
            own[label] = round(value, DECIMALS)
        elif meaning in words:
            found[meaning] = round(found.get(meaning, 0.0) + value, DECIMALS)
    return {word: found[meaning] for meaning, word in words.items() if meaning in found} | own


def likeliest(probabilities: Mapping[str, float]) -> tuple[str, float]:
    """The word with the largest probability; "neutral" and 0 if there is none."""
    if not probabilities:
        return "neutral", 0.0
    word = max(probabilities, key=lambda word: probabilities[word])
    return word, probabilities[word]
