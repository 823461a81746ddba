"""The recogniser in this process, without a server: crops in, probabilities out."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..choices import Precision
from ..exceptions import ModelError
from ..imaging.decoding import grey_face, prepare
from ..models.catalogue import EnsembleEntry
from ..models.weights import WeightsStore
from .device_preparation import PreparedFace, stack
from .engine import Engine, create_engine
from .ensemble import LoadedEnsemble, Probabilities, load_ensemble


class Recognizer:
    """An ensemble on an engine. All methods may be called from several threads at once."""

    def __init__(self, ensemble: LoadedEnsemble, engine: Engine) -> None:
        self.name = ensemble.entry.name
        self.labels = ensemble.entry.labels
        self.members = tuple(member.name for member in ensemble.entry.members)
        self.input_sizes = ensemble.module.input_sizes
        self.max_batch = engine.max_batch
        self.engine = engine
        #: Decodes an encoded crop, up to a number of pixels, and resizes it for the networks; see ``Engine``.
        self.prepare = engine.prepare
        self._ensemble = ensemble
        self._generator = np.random.default_rng()
        # One pass at a time: engines reuse their buffers, and a forward pass uses all cores or the whole GPU.
        self._turn = threading.Lock()

    @classmethod
    def load(
        cls,
        model: str | EnsembleEntry = "default",
        *,
        device: str = "auto",
        precision: Precision = "auto",
        threads: int = 0,
        max_batch: int = 0,
        cache_dir: Path = Path("~/.cache/emostream"),
        weights_dir: Path = Path("~/.local/share/emostream/weights"),
    ) -> "Recognizer":
        """Loads a model or ensemble of the catalogue, compiles it for the device and warms it up.

        ``max_batch`` is the largest batch, in faces. If it or ``threads`` is 0, the engine chooses. Raises
        ModelError if there is no such model or its weights cannot be used.
        """
        store = WeightsStore(weights_dir.expanduser())
        entry = store.find(model) if isinstance(model, str) else model
        ensemble = load_ensemble(entry, store)
        engine = create_engine(
            ensemble,
            device,
            max_batch=max_batch,
            threads=threads,
            precision=precision,
            cache_dir=cache_dir.expanduser(),
        )
        recognizer = cls(ensemble, engine)
        recognizer.warm_up()
        return recognizer

    def warm_up(self) -> None:
        """Runs the engine once at each of its batch sizes: the first calls allocate memory and are slow."""
        for size in self.engine.batch_sizes:
            self.infer([grey_face(self.input_sizes)] * size)

    def infer(self, faces: Sequence[PreparedFace]) -> Probabilities:
        """Probabilities (N, C) of N prepared faces over ``labels``.

        Raises ModelError for NaN or infinity, which must reach neither labels nor moving averages.
        """
        if not faces:
            return np.empty((0, len(self.labels)), np.float32)
        with self._turn:
            probabilities = self._ensemble.combine(self.engine.infer(stack(faces)), self._generator)
        if not np.isfinite(probabilities).all():
            raise ModelError(f"{self.name} answered NaN or infinity")
        return probabilities

    def recognize(self, crops: Sequence[npt.NDArray[np.uint8]]) -> Probabilities:
        """Probabilities (N, C) of N face crops, each uint8 (H, W, 3) RGB of any size."""
        return self.infer([prepare(Image.fromarray(crop), self.input_sizes) for crop in crops])
