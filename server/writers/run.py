"""Facts about a run that every row of a table repeats, and their columns."""

from dataclasses import dataclass
from typing import Any

from ..faces import Faces

#: They follow those of ``faces.columns``. Sessions recorded by the page also have person and marker.
RUN_COLUMNS = ("captured_at", "person", "marker", "session", "model", "smoothing", "interval_ms")


@dataclass(frozen=True)
class Run:
    """``smoothing`` in [0, 1) is the weight of a face's earlier predictions, ``interval_ms`` the least time
    between frames (0: every frame). ``started_at_ms`` is the Unix time at ``time_s`` 0; None for files, which
    were recorded at another time. None means unknown."""

    session: str | None = None
    model: str | None = None
    smoothing: float | None = None
    interval_ms: int | None = None
    started_at_ms: float | None = None

    def values(self, faces: Faces) -> dict[str, Any]:
        """The values of ``RUN_COLUMNS`` for a frame's faces."""
        started = self.started_at_ms
        captured_at = None if started is None else round(started + 1000 * faces.time_s, 1)
        values = (captured_at, None, None, self.session, self.model, self.smoothing, self.interval_ms)
        return dict(zip(RUN_COLUMNS, values, strict=True))
