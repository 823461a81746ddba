"""From settings to a recogniser that is ready."""

from server.exceptions import ModelError
from server.inference import Recognizer
from server.models.catalogue import EnsembleEntry, parse_model
from server.models.weights import WeightsStore
from server.settings import Settings


def load_recognizer(settings: Settings) -> Recognizer:
    """The recogniser that the settings ask for, warmed up. Raises ModelError."""
    return Recognizer.load(
        chosen_ensemble(settings),
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
        max_batch=settings.max_batch,
        cache_dir=settings.cache_dir,
        weights_dir=settings.weights_dir,
    )


def chosen_ensemble(settings: Settings) -> EnsembleEntry:
    """The user's own file if there is one, else the models named. Raises ModelError."""
    if settings.model_file is None:
        catalogue = WeightsStore(settings.weights_dir).catalogue()
        return catalogue.find(settings.model, settings.policy, settings.member_weights)
    if not settings.labels:
        raise ModelError(
            f"what are the outputs of {settings.model_file}? Set EMOSTREAM_LABELS to their labels in order, "
            f"such as EMOSTREAM_LABELS=anger,disgust,fear,happiness,neutral,sadness,surprise"
        )
    entry = parse_model(
        settings.model_file.stem,
        {
            "architecture": settings.arch,
            "labels": settings.labels,
            "path": settings.model_file,
            "normalisation": {key: value for key in ("mean", "std") if (value := getattr(settings, key))},
        },
        place="the settings of MODEL_FILE",
    )
    return EnsembleEntry(entry.name, entry.labels, (entry,))
