"""Architectures, and where their weights come from."""

from server.models.checkpoint import load_checkpoint
from server.models.factory import ARCHITECTURES, create_model, input_size

__all__ = ["ARCHITECTURES", "create_model", "input_size", "load_checkpoint"]
