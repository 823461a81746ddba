"""How well a face can be seen, and whether its emotion should be believed. No I/O, no network."""
