"""The recogniser: from encoded crops to probabilities. Knows nothing of the web."""

from server.inference.recognizer import Recognizer

__all__ = ["Recognizer"]
