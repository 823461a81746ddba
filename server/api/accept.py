"""Which picture format a client wants: the ``Accept`` header (RFC 9110, section 12.5.1)."""

from ..annotation.drawing import PictureFormat
from .problems import ProblemError

#: In the order in which they are preferred where the client has no preference.
_FORMATS: tuple[tuple[str, PictureFormat], ...] = (("image/jpeg", "JPEG"), ("image/png", "PNG"))


def preferred_format(accept: str) -> PictureFormat:
    """The format of highest quality; of equals the one that is named, then JPEG.

    Raises ProblemError with status 406 where neither is accepted.
    """
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    best: tuple[float, int] | None = None
    chosen: PictureFormat | None = None
    for media_type, picture_format in _FORMATS:
        rank = _rank(media_type, ranges)
        if rank[0] > 0 and (best is None or rank > best):
            best, chosen = rank, picture_format
    if chosen is None:
        raise ProblemError(406, "not_acceptable", "the picture can be had as image/jpeg or image/png")
    return chosen


def _rank(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Quality of a type, and how closely it is named: the closest range decides."""
    for closeness, pattern in ((2, media_type), (1, "image/*"), (0, "*/*")):
        for name, quality in ranges:
            if name == pattern:
                return quality, closeness
    return 0.0, 0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return name, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return name, 1.0
