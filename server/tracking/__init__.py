"""Follows faces from frame to frame, and averages their probabilities over time. No I/O."""
