"""What settings choose between. By itself: reading the settings loads no network library."""

from enum import Enum
from typing import Literal

#: Of the networks' arithmetic.
Precision = Literal["auto", "f16", "bf16", "f32"]


class Policy(Enum):
    """How an ensemble's probabilities come from its members'."""

    MEAN = "mean"
    WEIGHTED = "weighted"  # mean with a weight for each member
    RANDOM = "random"  # one member drawn per face
