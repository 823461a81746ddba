"""Shows a camera's frames and their faces' emotions in a terminal."""
