"""Ways in which a stranger misbehaves, each bounded in time and count, all of it at 127.0.0.1.

``ATTACKS`` has them by name: given the server's port, each tries for about so many seconds, and returns what
it was told, counted: "HTTP 431", "close 1008", "cut off", or "silent" where nothing came in time.
"""

import itertools
import random
from collections.abc import Iterator

from . import images, requests, sockets
from .connection import Attack, Told

ATTACKS: dict[str, Attack] = {
    attack.__name__.replace("_", " "): attack
    for attack in (*sockets.ATTACKS, *images.ATTACKS, *requests.ATTACKS)
}


def in_turn(chance: random.Random) -> Iterator[tuple[str, Attack]]:
    """All attacks, over and over, each time in another order."""
    rounds = (chance.sample(list(ATTACKS.items()), len(ATTACKS)) for _ in itertools.count())
    return itertools.chain.from_iterable(rounds)


__all__ = ["ATTACKS", "Attack", "Told", "in_turn"]
