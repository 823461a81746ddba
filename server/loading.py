"""From settings to a recogniser that is ready."""

from dataclasses import asdict
from pathlib import Path

from .exceptions import CheckpointError, ModelError, UnknownModelError
from .inference import Recognizer
from .models.catalogue import EnsembleEntry, parse_model
from .models.weight_file import read_description
from .models.weights import WeightsStore
from .settings import Settings


def load_recognizer(settings: Settings, ensemble: EnsembleEntry | None = None) -> Recognizer:
    """``ensemble``, else what the settings ask for, as a recogniser, warmed up. Raises ModelError."""
    return Recognizer.load(
        ensemble or chosen_ensemble(settings),
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
        store = WeightsStore(settings.weights_dir)
        return store.find(settings.model, settings.policy, settings.member_weights)
    if not settings.labels and (described := describe_file(settings.model_file)) is not None:
        return described
    if not settings.labels:
        raise ModelError(
            f"what are the outputs of {settings.model_file}? Set EMOSTREAM_LABELS to their labels in order, "
            f"such as EMOSTREAM_LABELS=anger,disgust,fear,happiness,neutral,sadness,surprise"
        )
    return _own_file(
        settings.model_file,
        settings.arch,
        settings.labels,
        {key: value for key in ("mean", "std") if (value := getattr(settings, key))},
    )


def describe_file(path: Path) -> EnsembleEntry | None:
    """The model in a weights file that says what it holds, as those of ``emostream train`` do; else None.

    Raises ModelError if what it says makes no sense.
    """
    description = read_description(path)
    if description is None:
        return None
    return _own_file(path, description.architecture, description.labels, asdict(description.normalisation))


def find_model(model: str, settings: Settings) -> tuple[EnsembleEntry, Path | None]:
    """What a command was told to use, whatever MODEL_FILE says: names of the catalogue, or else a run's
    folder or weights file, which then comes second.

    Raises ModelError if there is no such thing, or a file does not say what it holds.
    """
    try:
        store = WeightsStore(settings.weights_dir)
        return store.find(model, settings.policy, settings.member_weights), None
    except UnknownModelError:
        path = Path(model)
        if not (path.exists() or path.suffix or len(path.parts) > 1):
            raise
    file = path / "model.safetensors" if path.is_dir() else path
    described = describe_file(file)
    if described is None:
        raise CheckpointError(
            f"{file} is not there or does not say what it holds: a run writes its weights when it ends, and "
            f"those of others are brought in by `emostream weights import`"
        )
    return described, file


def _own_file(
    path: Path, architecture: str, labels: tuple[str, ...], normalisation: dict[str, object]
) -> EnsembleEntry:
    table = {"architecture": architecture, "labels": labels, "path": path, "normalisation": normalisation}
    name = path.resolve().parent.name if path.name == "model.safetensors" else path.stem
    entry = parse_model(name, table, place=path)
    return EnsembleEntry(entry.name, entry.labels, (entry,))
