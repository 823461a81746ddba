"""Episodes: stretches of time in which one emotion was a person's most likely one. No I/O."""

import math
from dataclasses import dataclass

#: A longer absence of the face ends an episode, in seconds; the page has the same rule.
MAX_PAUSE_S = 1.0


@dataclass(frozen=True)
class Episode:
    """``confidence`` is the emotion's mean probability, in [0, 1]."""

    person: str
    start_s: float
    end_s: float
    emotion: str
    confidence: float


@dataclass
class _Open:
    emotion: str
    start_s: float
    end_s: float
    total: float
    rows: int = 1

    def closed(self, person: str) -> Episode:
        mean = rounded(self.total / self.rows, 4)
        return Episode(person, rounded(self.start_s, 3), rounded(self.end_s, 3), self.emotion, mean)


class EpisodeBuilder:
    """Joins rows into episodes. Its memory grows with the changes of emotion, not with the rows."""

    def __init__(self, interval_ms: int = 0) -> None:
        self._max_pause_s = max(MAX_PAUSE_S, 2.5 * interval_ms / 1000)
        self._open: dict[str, _Open] = {}
        self._closed: list[Episode] = []

    def add(self, person: str, time_s: float, emotion: str, confidence: float) -> None:
        """Adds a row; a person's rows must be in order of time."""
        current = self._open.get(person)
        is_near = current is not None and time_s - current.end_s <= self._max_pause_s
        if current is not None and is_near and current.emotion == emotion:
            current.end_s = time_s
            current.total += confidence
            current.rows += 1
            return
        if current is not None:
            if is_near:
                current.end_s = time_s  # without a pause, one emotion lasts until the next begins
            self._closed.append(current.closed(person))
        self._open[person] = _Open(emotion, time_s, time_s, confidence)

    def finish(self) -> list[Episode]:
        """All episodes, by their start."""
        self._closed += [current.closed(person) for person, current in self._open.items()]
        self._open = {}
        return sorted(self._closed, key=lambda episode: (episode.start_s, episode.person))


def rounded(value: float, decimals: int) -> float:
    """Rounds halves up, like JavaScript, so that the page writes identical files."""
    scale = 10.0**decimals
    return math.floor(value * scale + 0.5) / scale
