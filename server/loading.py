"""From settings to a recogniser that is ready, and its batcher."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .exceptions import CheckpointError, ModelError, UnknownModelError
from .inference import Recognizer
from .inference.batcher import Batcher, FrameRecognizer
from .models.catalogue import EnsembleEntry, parse_model
from .models.weight_file import WEIGHTS_FILE, read_description
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


def create_batcher(
    recognizer: FrameRecognizer,
    settings: Settings,
    on_batch: Callable[[int, float], None] = lambda faces, seconds: None,
) -> Batcher:
    """With the threads, limits and time-outs of the settings. To be called on the event loop."""
    return Batcher(
        recognizer,
        settings.max_pixels,
        settings.decode_threads,
        on_batch,
        settings.image_threads,
        settings.detect_threads,
        settings.decode_timeout_s,
        settings.image_timeout_s,
        settings.engine_timeout_s,
    )


def chosen_ensemble(settings: Settings) -> EnsembleEntry:
    """The user's own file if there is one, else the models named, else what ``emostream weights use`` chose.

    Raises ModelError.
    """
    if settings.model_file is None:
        return _named_or_in_use(settings)
    described = describe_file(settings.model_file, settings.labels or None)
    if described is not None and "arch" not in settings.model_fields_set:
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


def _named_or_in_use(settings: Settings) -> EnsembleEntry:
    if "model" in settings.model_fields_set:
        return find_model(settings.model, settings)[0]
    store = WeightsStore(settings.weights_dir)
    name = store.in_use()
    try:
        return store.find(name, settings.policy, settings.member_weights)
    except UnknownModelError as error:
        raise ModelError(
            f"{name}, which `emostream weights use` chose, is not there any more: run "
            "`emostream weights use default`"
        ) from error


def describe_file(path: Path, labels: tuple[str, ...] | None = None) -> EnsembleEntry | None:
    """The model in a weights file that says what it holds, as those of ``emostream train`` do; else None.

    ``labels``, where given, count more than what the file says. Raises ModelError if what it says makes no
    sense.
    """
    description = read_description(path)
    if description is None:
        return None
    return _own_file(
        path,
        description.architecture,
        labels or description.labels,
        asdict(description.normalisation),
        description.mirrored,
    )


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
    file = path / WEIGHTS_FILE if path.is_dir() else path
    described = describe_file(file)
    if described is None:
        raise CheckpointError(
            f"{file} is not there or does not say what it holds: a run writes its weights when it ends, and "
            f"those of others are brought in by `emostream weights import`"
        )
    return described, file


def _own_file(
    path: Path,
    architecture: str,
    labels: tuple[str, ...],
    normalisation: dict[str, object],
    mirrored: bool = False,
) -> EnsembleEntry:
    table = {
        "architecture": architecture,
        "labels": labels,
        "path": path,
        "normalisation": normalisation,
        "mirrored": mirrored,
    }
    name = path.resolve().parent.name if path.name == WEIGHTS_FILE else path.stem
    entry = parse_model(name, table, place=path)
    return EnsembleEntry(entry.name, entry.labels, (entry,))
