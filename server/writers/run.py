"""What holds for all rows of a table, and the columns that say it."""

from dataclasses import dataclass
from typing import Any

from ..faces import Faces

#: After those of ``faces.columns``. A page's recorded session fills in person and marker, too.
RUN_COLUMNS = ("captured_at", "person", "marker", "session", "model", "smoothing", "interval_ms")


@dataclass(frozen=True)
class Run:
    """``smoothing`` in [0, 1) is the weight of a face's past, ``interval_ms`` the least time between frames;
    0 takes all. ``started_at_ms`` is the Unix time at ``time_s`` 0; None for files, whose pictures were taken
    at some other time. None stands for whatever is not known."""

    session: str | None = None
    model: str | None = None
    smoothing: float | None = None
    interval_ms: int | None = None
    started_at_ms: float | None = None

    def values(self, faces: Faces) -> dict[str, Any]:
        """Those of ``RUN_COLUMNS`` for a frame's faces."""
        started = self.started_at_ms
        captured_at = None if started is None else round(started + 1000 * faces.time_s, 1)
        values = (captured_at, None, None, self.session, self.model, self.smoothing, self.interval_ms)
        return dict(zip(RUN_COLUMNS, values, strict=True))
