"""Converts published data sets to the format that training and evaluation read; see docs/training.md."""
