"""Finds faces in whole images and videos: detector, tiles, verifier, and video detection."""
