"""Prepares class folders, such as a server's corrections, for fine-tuning."""

from pathlib import Path

from rich.progress import Progress

from ..detection.detector import FaceDetector
from ..emotions import canonical
from ..loading import find_model
from ..settings import Settings
from .preparing.class_folders import class_names
from .preparing.class_names import word_of
from .preparing.prepare import Options, find_source, prepare


def prepare_own_faces(
    source: Path,
    out: Path,
    detect: bool,
    start_from: str | None,
    settings: Settings,
    progress: Progress,
) -> Path:
    """Prepares ``source`` in ``out``, which it replaces; returns ``out``.

    If every folder is named after a label of the model ``start_from``, the labels are all of that
    model's, since a class without corrections remains a class. Raises EmostreamError.
    """
    labels = None
    if start_from is not None and source.is_dir():
        known = find_model(start_from, settings)[0].labels
        words = {word.casefold() for word in known} | {canonical(word) for word in known}
        names = [word_of(name) for name in class_names(source)]
        if names and all(name.casefold() in words or canonical(name) in words - {None} for name in names):
            labels = known
    options = Options(detect=detect, labels=labels)
    detector = FaceDetector.load(settings.faces_dir, options.min_side) if detect else None
    prepare(find_source(source, options), source, out, options, progress, detector, force=True)
    return out
