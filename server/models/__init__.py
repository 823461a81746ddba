"""Architectures, and where their weights come from."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint import load_checkpoint
    from .factory import ARCHITECTURES, create_model, input_size

__all__ = ["ARCHITECTURES", "create_model", "input_size", "load_checkpoint"]


def __getattr__(name: str) -> Any:
    # Loaded when first named: downloads, for one, need no PyTorch.
    if name in __all__:
        module = "checkpoint" if name == "load_checkpoint" else "factory"
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
