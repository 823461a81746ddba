"""Training and evaluation of the recogniser's networks."""
