"""Architectures, and the sources of their weights."""

from .checkpoint import load_checkpoint
from .factory import ARCHITECTURES, create_model, input_size

__all__ = ["ARCHITECTURES", "create_model", "input_size", "load_checkpoint"]
