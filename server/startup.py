"""From settings to a recogniser that is ready."""

import logging

from server.exceptions import DetectorError, ModelError
from server.faces.detector import FaceDetector
from server.faces.finder import FaceFinder
from server.inference import Recognizer
from server.inference.batcher import Batcher
from server.metrics import Metrics
from server.models.catalogue import EnsembleEntry, parse_model
from server.models.weights import WeightsStore
from server.pictures.service import PictureService
from server.settings import Settings

logger = logging.getLogger(__name__)


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


def open_pictures(
    settings: Settings, input_sizes: tuple[int, ...], batcher: Batcher, metrics: Metrics
) -> PictureService:
    """The service for whole pictures. Without the detector's files it is there, and says what is missing."""
    finder, reason = None, ""
    try:
        finder = FaceFinder(FaceDetector.load(settings.faces_dir, settings.min_face_px), input_sizes)
    except DetectorError as error:
        reason = str(error)
        logger.warning("faces are not detected here: %s", reason)
    return PictureService(
        batcher,
        finder,
        reason,
        metrics,
        max_pixels=settings.max_picture_pixels,
        max_requests=settings.max_requests,
    )
