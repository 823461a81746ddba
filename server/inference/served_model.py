"""What clients are told of the model that answers them."""

from dataclasses import dataclass
from typing import Self

from .recognizer import Recognizer


@dataclass(frozen=True)
class ServedModel:
    """A recogniser's facts. ``labels`` are in the order of its probabilities' columns, ``input_sizes`` in
    pixels, ``max_batch`` in faces."""

    name: str
    labels: tuple[str, ...]
    members: tuple[str, ...]
    input_sizes: tuple[int, ...]
    device: str
    precision: str
    max_batch: int

    @classmethod
    def of(cls, recognizer: Recognizer) -> Self:
        """The facts of one that is loaded."""
        return cls(
            recognizer.name,
            recognizer.labels,
            recognizer.members,
            recognizer.input_sizes,
            recognizer.engine.device,
            recognizer.engine.precision,
            recognizer.max_batch,
        )
