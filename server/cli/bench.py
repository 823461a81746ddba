"""``emostream bench``: speed of this machine, compared with what its hardware can do."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..benchmark.engine import EngineReport, measure_engine
from ..benchmark.stream import StreamReport, face_crops, measure_stream, server_process
from ..exceptions import EmostreamError
from ..process import configure_process
from ..settings import read_settings
from .console import messages, results
from .lazy import examples

app = typer.Typer(help="Measure this machine, or a server.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure this machine, or a server."""


@app.command(
    epilog=examples("emostream bench engine", "emostream bench engine --model poster_v2 --batch 1,8")
)
def engine(
    model: Annotated[
        str, typer.Option(help="Model or ensemble, or architectures (with random weights).")
    ] = "default",
    batch: Annotated[str, typer.Option(help="Batch sizes, separated by commas.")] = "1,2,4,8,16,32",
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for each batch size.")] = 3.0,
    reference: Annotated[bool, typer.Option(help="Also time plain PyTorch in float32.")] = True,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for engine.json and engine.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time the networks at several batch sizes, and a matrix multiplication at the same precision."""
    try:
        sizes = sorted({int(size) for size in batch.split(",")})
    except ValueError as error:
        raise EmostreamError(f"--batch {batch}: whole numbers separated by commas, such as 1,8,32") from error
    if sizes[0] < 1:
        raise EmostreamError(f"--batch {batch}: a batch has at least one face")
    configure_process()
    report = measure_engine(model, sizes, seconds, reference, read_settings(device=device))
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        _show(report)
    _write(report, out, "engine")


@app.command(
    "stream",
    epilog=examples(
        "emostream bench stream --cameras 16", "emostream bench stream --url wss://emostream.example"
    ),
)
def bench_stream(
    cameras: Annotated[int, typer.Option(min=1, max=1000, help="Number of concurrent sessions.")] = 8,
    frame_rate: Annotated[
        float, typer.Option(min=0.1, max=100.0, help="Frames a second of each session.")
    ] = 10.0,
    faces: Annotated[int, typer.Option(min=1, max=32, help="Faces in each frame.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.5, help="Duration of the measurement.")] = 10.0,
    url: Annotated[
        str | None,
        typer.Option(help="A running server. Default: start one with this machine's settings."),
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="EMOSTREAM_TOKEN", help="The server's token.")] = None,
    source: Annotated[
        str | None, typer.Option(help="An image with faces. Default: noise, which takes the same time.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for stream.json and stream.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Stream from many simulated cameras at once: throughput, latency, drops, and each session's share.

    Each camera behaves like the dashboard, with at most two frames in flight.
    """
    crops = face_crops(source, faces)
    with nullcontext(url) if url else server_process() as address:
        report = measure_stream(address, token, cameras, frame_rate, crops, seconds)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        _show_stream(report)
    _write(report, out, "stream")


def _write(report: EngineReport | StreamReport, out: Path | None, name: str) -> None:
    """Writes the report as JSON and as a plot, if a folder was given."""
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    report.plot(out / f"{name}.png")
    messages.print(f"written to {out}/{name}.json and {name}.png")


def _show_stream(report: StreamReport) -> None:
    results.print(
        f"{report.cameras} cameras, {report.frame_rate:g} frames/s each, {report.faces} faces a frame: "
        f"{report.model} at {report.server}",
        soft_wrap=True,
    )
    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for what, value in (
        ("answered", f"{report.frames_per_second:.1f} frames/s, {report.faces_per_second:.1f} faces/s"),
        ("latency p50", f"{report.latency_ms_p50:.1f} ms"),
        ("latency p95", f"{report.latency_ms_p95:.1f} ms"),
        ("latency p99", f"{report.latency_ms_p99:.1f} ms"),
        ("offered", f"{report.offered} frames"),
        ("held back", f"{report.held_back / report.offered:.1%}"),
        ("superseded", f"{report.superseded / report.offered:.1%}"),
        ("failed", f"{report.failed / report.offered:.1%}"),
        ("fairness (Jain)", f"{report.jain:.3f}"),
        (
            "slowest, fastest camera",
            f"{report.slowest_camera_per_second:.1f}, {report.fastest_camera_per_second:.1f} frames/s",
        ),
    ):
        table.add_row(what, value)
    results.print(table)


def _show(report: EngineReport) -> None:
    table = Table(
        title=f"{report.model} on {report.device}, {report.precision}", title_justify="left", box=None
    )
    for heading in ("batch", "p50 ms", "p95 ms", "faces/s", "GFLOP/s", "matmul GFLOP/s", "× floor"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        table.add_row(
            str(row.batch),
            f"{row.p50_ms:.2f}",
            f"{row.p95_ms:.2f}",
            f"{row.faces_per_second:.0f}",
            f"{row.gflops_per_second:.0f}",
            f"{row.matmul_gflops_per_second:.0f}",
            f"{row.times_floor:.2f}",
        )
    results.print(table)
    results.print(
        f"{report.gflop_per_face:.2f} GFLOP per face; floor: the same at the matrix multiplication's rate"
    )
    if report.eager_ms is not None:
        results.print(
            f"plain PyTorch, float32, one face: {report.eager_ms:.1f} ms; "
            f"this engine takes {report.times_eager:.2f} of it"
        )
