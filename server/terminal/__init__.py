"""A camera's frames with their faces' emotions, in a terminal."""
