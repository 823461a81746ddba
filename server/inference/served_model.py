"""The facts about the served model that clients get."""

from dataclasses import dataclass
from typing import Self

from .recognizer import Recognizer


@dataclass(frozen=True)
class ServedModel:
    """Facts about a recogniser. ``labels`` are in the order of its probabilities' columns, ``input_sizes``
    in pixels, ``max_batch`` in faces."""

    name: str
    labels: tuple[str, ...]
    members: tuple[str, ...]
    input_sizes: tuple[int, ...]
    device: str
    precision: str
    max_batch: int

    @classmethod
    def of(cls, recognizer: Recognizer) -> Self:
        """The facts about a loaded recogniser."""
        return cls(
            recognizer.name,
            recognizer.labels,
            recognizer.members,
            recognizer.input_sizes,
            recognizer.engine.device,
            recognizer.engine.precision,
            recognizer.max_batch,
        )
