"""A self-contained HTML report about images and videos: no scripts, no external addresses, light and dark."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from ..emotions import colour_of
from ..exceptions import WriteError
from ..inert import shown_value
from .summary import FaceSummary, FileSummary, Summary
from .timeline import clock, timeline_svg

#: Most faces of a video with a timeline; others are counted. A crowd would give a page of 100 MB.
MAX_FACES_SHOWN = 24

#: Most faces with a row, in all images together.
MAX_IMAGE_FACES_SHOWN = 400

REPORT_SUFFIXES = (".html", ".htm")

#: Most images without a face that are listed by name.
_MAX_NAMES = 200

_TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Share:
    """The share of a label, in [0, 1]."""

    label: str
    colour: str
    part: float


@dataclass(frozen=True)
class FaceView:
    """The data of a face on the page."""

    name: str
    file_name: str
    thumbnail: str
    shares: tuple[Share, ...]
    frames: int
    seen: str
    first: str
    last: str
    doubt: str
    timeline: Markup | None

    @property
    def dominant(self) -> Share:
        return self.shares[0]


@dataclass(frozen=True)
class SectionView:
    """The data of a video, or of all images together, on the page."""

    name: str
    facts: tuple[str, ...]
    frames: int
    faces: int
    duration: str
    shares: tuple[Share, ...]
    shown: tuple[FaceView, ...]


def write_report(out: Path, summary: Summary, model: str, made: datetime) -> None:
    """Writes the page. Raises WriteError."""
    page = render_report(summary, model, made)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{out} cannot be written: {error.strerror}") from error


def render_report(summary: Summary, model: str, made: datetime) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda part: f"{100 * part:.0f} %"
    labels = summary.labels
    stills = [file for file in summary.files if file.file.is_image]
    videos = [_video(file, labels) for file in summary.files if not file.file.is_image]
    images = _images(stills, labels) if stills else None
    sections = [*videos, *([images] if images else [])]
    return environment.get_template(_TEMPLATE).render(
        title=_title(sections, len(videos), len(stills)),
        sections=sections,
        images=images,
        labels=[Share(label, colour_of(label, labels), 0.0) for label in labels],
        failures=[(str(path), reason) for path, reason in summary.failures],
        without_faces=[_name(file) for file in stills if not file.faces][:_MAX_NAMES],
        model=model,
        made=made.strftime("%-d %B %Y, %H:%M"),
        frames=sum(section.frames for section in sections),
        faces=sum(section.faces for section in sections),
    )


def _title(sections: Sequence[SectionView], videos: int, images: int) -> str:
    if len(sections) == 1:
        return sections[0].name
    parts = [f"{videos} video{'s' * (videos > 1)}"] if videos else []
    return ", ".join([*parts, sections[-1].name]) if images else "".join(parts) or "Nothing"


def _video(summary: FileSummary, labels: Sequence[str]) -> SectionView:
    faces = summary.longest_first
    width, height = summary.size_wh
    rate = summary.file.frame_rate
    facts = (
        f"{width} × {height}",
        *([f"{rate:.4g} frames/s"] if rate else []),
        f"faces in {summary.frames_with_faces} of {summary.frames} frames",
    )
    end_s = summary.first_s + max(summary.duration_s, 0.04)
    shown = tuple(
        _face(face, f"Face {face.face_id}", summary, labels, (summary.first_s, end_s))
        for face in faces[:MAX_FACES_SHOWN]
    )
    return SectionView(
        _name(summary),
        facts,
        summary.frames,
        len(faces),
        clock(summary.duration_s),
        _shares(summary.shares(len(labels)), labels),
        shown,
    )


def _images(stills: Sequence[FileSummary], labels: Sequence[str]) -> SectionView:
    pairs = [(file, face) for file in stills for face in file.faces.values()]
    total = sum((file.shares(len(labels)) * len(file.faces) for file in stills), np.zeros(len(labels)))
    with_faces = sum(bool(file.faces) for file in stills)
    shown = tuple(
        _face(face, f"Face {face.face_id}", file, labels, None)
        for file, face in pairs[:MAX_IMAGE_FACES_SHOWN]
    )
    return SectionView(
        "1 image" if len(stills) == 1 else f"{len(stills)} images",
        (f"faces in {with_faces} of them",) if len(stills) > 1 else (_name(stills[0]),),
        len(stills),
        len(pairs),
        "",
        _shares(np.asarray(total / max(1, len(pairs)), np.float32), labels),
        shown,
    )


def _face(
    face: FaceSummary,
    name: str,
    file: FileSummary,
    labels: Sequence[str],
    span_s: tuple[float, float] | None,
) -> FaceView:
    """``span_s`` is the time axis of its timeline; None for an image, whose shares are probabilities."""
    assert face.thumbnail_rgb is not None  # set by the first frame
    timeline = None
    if span_s is not None:
        timeline = Markup(timeline_svg(face.times_s, face.probabilities, labels, span_s))
    return FaceView(
        name=name,
        file_name=_name(file),
        thumbnail=_data_url(face.thumbnail_rgb),
        shares=_shares(face.probabilities[0] if span_s is None else face.shares, labels),
        frames=len(face.times_s),
        seen=clock(face.seen_s(file.frame_s)),
        first=clock(face.times_s[0]),
        last=clock(face.times_s[-1]),
        doubt=face.doubt,
        timeline=timeline,
    )


def _name(file: FileSummary) -> str:
    return file.file.path.name if file.file.path else "frames"


def _shares(parts: npt.NDArray[np.float32], labels: Sequence[str]) -> tuple[Share, ...]:
    """Largest first."""
    shares = [
        Share(label, colour_of(label, labels), float(part)) for label, part in zip(labels, parts, strict=True)
    ]
    return tuple(sorted(shares, key=lambda share: -share.part))


def _data_url(pixels: npt.NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
