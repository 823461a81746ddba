"""The recogniser: from encoded crops to probabilities. Knows nothing of the web."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recognizer import Recognizer

__all__ = ["Recognizer"]


def __getattr__(name: str) -> Any:
    # Loaded when it is first named: clients decode pictures by this package, and need no PyTorch for that.
    if name == "Recognizer":
        from .recognizer import Recognizer

        return Recognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
