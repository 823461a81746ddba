"""From published data sets to the one form that training and evaluation read; see docs/training.md."""
