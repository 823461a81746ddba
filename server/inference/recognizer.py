"""The recogniser, in process and without a server: crops in, probabilities out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from server.inference.engine import Engine, Probabilities, create_engine
from server.inference.ensemble import LoadedEnsemble, load_ensemble
from server.inference.preparation import PreparedFace, decode, prepare
from server.models import catalogue


class Recognizer:
    """An ensemble on an engine.

    ``prepare`` may be called from many threads at once, ``infer`` from one at a time.
    """

    def __init__(self, ensemble: LoadedEnsemble, engine: Engine, max_batch: int = 32) -> None:
        self.name = ensemble.entry.name
        self.labels = ensemble.entry.labels
        self.members = tuple(member.name for member in ensemble.entry.members)
        self.input_sizes = ensemble.module.input_sizes
        self.max_batch = max_batch
        self.engine = engine

    @classmethod
    def load(
        cls,
        model: str = "default",
        device: str = "auto",
        threads: int = 0,
        max_batch: int = 32,
        cache_dir: Path = Path("~/.cache/emostream"),
    ) -> "Recognizer":
        """Loads a model of the catalogue, compiles it for the device and warms it up.

        Raises ModelError if there is no such model or its weights cannot be used.
        """
        ensemble = load_ensemble(catalogue.find(model))
        engine = create_engine(ensemble.module, device, threads, cache_dir.expanduser())
        recognizer = cls(ensemble, engine, max_batch)
        recognizer.warm_up()
        return recognizer

    def warm_up(self) -> None:
        """Runs the engine at its smallest and largest batch: first calls allocate and are slow."""
        grey = Image.new("RGB", (224, 224), (128, 128, 128))
        for size in (1, self.max_batch):
            self.infer([prepare(grey, self.input_sizes)] * size)

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        """Decodes an encoded crop (JPEG, PNG or WebP) and resizes it for the networks.

        Raises InvalidImageError and ImageTooLargeError.
        """
        return prepare(decode(data, max_pixels), self.input_sizes)

    def infer(self, faces: Sequence[PreparedFace]) -> Probabilities:
        """Probabilities (N, C) of N prepared faces over ``labels``, in passes of at most ``max_batch``."""
        batches = [
            # per input size: N x (S, S, 3) -> (N, S, S, 3)
            self.engine.infer(
                [np.stack(crops) for crops in zip(*faces[start : start + self.max_batch], strict=True)]
            )
            for start in range(0, len(faces), self.max_batch)
        ]
        if not batches:
            return np.empty((0, len(self.labels)), np.float32)
        answers: Probabilities = np.concatenate(batches, axis=1).mean(0)  # (M, N, C) -> (N, C)
        return answers

    def recognize(self, crops: Sequence[npt.NDArray[np.uint8]]) -> Probabilities:
        """Probabilities (N, C) of N face crops, each uint8 (H, W, 3) RGB of any size."""
        return self.infer([prepare(Image.fromarray(crop), self.input_sizes) for crop in crops])
