"""Recorded pictures and videos, frame by frame through detection and recognition, in this process."""
