"""The recogniser: from encoded crops to probabilities. Knows nothing of the web."""

from .recognizer import Recognizer

__all__ = ["Recognizer"]
