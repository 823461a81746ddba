"""A camera's picture with its faces' emotions, in a terminal."""
