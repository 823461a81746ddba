"""Faces drawn into images and video frames."""

from .annotator import Annotator

__all__ = ["Annotator"]
