"""How well a face can be seen, and whether its prediction can be trusted. No I/O, no network."""
