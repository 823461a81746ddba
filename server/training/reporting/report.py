"""Writes an evaluation as one self-contained HTML file, or as Markdown with plots beside it."""

import base64
import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...files import check_ending
from ...inert import shown_value
from ..evaluate import Evaluation
from .plots import plots

#: Extensions for ``--report``.
FORMATS = (".html", ".md")

_TEMPLATES = Path(__file__).parent


def check_report(file: Path) -> None:
    """Raises WriteError for an unknown format; to be called before measuring, which takes long."""
    check_ending("--report", file, FORMATS)


def write_report(evaluation: Evaluation, file: Path) -> list[Path]:
    """Writes the page and its JSON beside it, and for Markdown the plots; returns all files, the page first.

    Raises WriteError if ``file`` is neither ``.html`` nor ``.md``.
    """
    check_report(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    written = [file, file.with_suffix(".json")]
    written[1].write_text(json.dumps(evaluation.as_dict(), indent=2) + "\n")
    images = plots(evaluation)
    sources: dict[str, str] = {}
    for name, png in images.items():
        if file.suffix.lower() == ".html":
            sources[name] = "data:image/png;base64," + base64.b64encode(png).decode()
        else:
            plot = file.with_name(f"{file.stem}-{name}.png")
            plot.write_bytes(png)
            written.append(plot)
            sources[name] = plot.name
    # Names of models and data come from file names and may contain anything.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(f"report{file.suffix.lower()}.j2")
    file.write_text(template.render(evaluation=evaluation, labels=evaluation.labels, plots=sources))
    return written
