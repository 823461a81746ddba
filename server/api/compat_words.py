"""The words that older systems have for emotions, from whatever labels the model has. No I/O."""

from collections.abc import Mapping, Sequence

#: The eight emotions, by every word that a model's labels may have for them.
_MEANINGS = {
    "anger": ("anger", "angry"),
    "contempt": ("contempt", "contemptuous"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "scared", "afraid"),
    "happiness": ("happiness", "happy", "joy"),
    "neutral": ("neutral", "neutrality", "calm"),
    "sadness": ("sadness", "sad"),
    "surprise": ("surprise", "surprised"),
}
_MEANING_OF = {word: meaning for meaning, words in _MEANINGS.items() for word in words}

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


def in_words(words: Mapping[str, str], labels: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    """Probabilities by the words of an older system, in its order.

    ``row`` are those of the model's ``labels``. Emotions that the model lacks are left out, and so are
    labels that the older system has no word for.
    """
    found: dict[str, float] = {}
    for label, value in zip(labels, row, strict=True):
        meaning = _MEANING_OF.get(label.strip().lower(), "")
        if meaning in words:
            found[meaning] = found.get(meaning, 0.0) + float(value)
    return {word: found[meaning] for meaning, word in words.items() if meaning in found}


def likeliest(probabilities: Mapping[str, float]) -> tuple[str, float]:
    """The word with the largest probability; "neutral" and 0 where there is none at all."""
    if not probabilities:
        return "neutral", 0.0
    word = max(probabilities, key=lambda word: probabilities[word])
    return word, probabilities[word]
