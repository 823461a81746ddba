"""The command ``emostream``."""
