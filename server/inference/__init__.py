"""The recogniser: from encoded crops to probabilities. Independent of the web server."""

from .recognizer import Recognizer

__all__ = ["Recognizer"]
