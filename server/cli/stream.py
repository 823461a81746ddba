"""``emostream stream``: sends images to a server and writes the emotion of each face to a file."""

import asyncio
import logging
import sys
import time
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..client import FrameError, FrameResult, Stream, connect
from ..client.address import stream_address
from ..client.local_detection import load_detector
from ..exceptions import ClientError, EmostreamError, MissingExtraError
from ..extras import needed_for
from ..sources import Source, open_source
from ..sources.images import ImageFiles
from ..writers import Run, check_table, open_writer
from .console import log_to_terminal, messages, show_error
from .stream_report import StreamReport

if TYPE_CHECKING:  # it needs OpenVINO and OpenCV
    from ..detection.detector import FaceDetector

logger = logging.getLogger(__name__)

#: Exit codes beyond 0 (done), 1 (error) and 2 (usage).
_NO_SERVER, _INTERRUPTED = 3, 130


def stream(
    source: Annotated[
        str,
        typer.Argument(
            help="A camera (0, /dev/video0), a video, an image, a folder or 'pattern*.jpg', an rtsp:// or "
            "http:// address, or - for JPEGs on standard input."
        ),
    ],
    url: Annotated[
        str, typer.Option(help="The server: ws://host:8000/ws, https://host, host:8000.")
    ] = "ws://127.0.0.1:8000/ws",
    token: Annotated[
        str | None, typer.Option(envvar="EMOSTREAM_TOKEN", show_envvar=True, help="The server's token.")
    ] = None,
    detect: Annotated[
        Literal["auto", "local", "server"],
        typer.Option(
            help="local: detect faces here and send their crops. server: send whole images. "
            "auto: local if this machine has the face detector."
        ),
    ] = "auto",
    interval: Annotated[
        int,
        typer.Option(min=0, metavar="MS", help="Skip frames that follow the previous one by less than this."),
    ] = 0,
    realtime: Annotated[
        bool | None,
        typer.Option(
            help="Send the newest frame, at the source's own rate, instead of every frame. "
            "Default for cameras and live addresses.",
            show_default=False,
        ),
    ] = None,
    in_flight: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Most frames in flight. Default: 4; realtime 2."),
    ] = None,
    smoothing: Annotated[
        float | None, typer.Option(min=0.0, max=0.99, help="Weight of a face's earlier predictions.")
    ] = None,
    max_faces: Annotated[int | None, typer.Option(min=1, help="Most faces in a frame.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File; its extension sets the format: .jsonl, .csv, .long.csv, .parquet, "
            "_events.tsv (BIDS), .eaf (ELAN) or .boris.csv. Default: JSON lines on standard output."
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Include subfolders.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    session_name: Annotated[
        str | None, typer.Option("--session", help="Name of the session; every row gets it.")
    ] = None,
) -> None:
    """Stream images to a server and write each face's emotion.

    After a lost connection the client reconnects and sends the frames in flight again. The file has
    every frame exactly once.

    Exit codes: 0 done; 1 an error, or images that could not be read or recognised (the others are in the
    file); 2 wrong usage; 3 the server refused or cannot be reached; 130 interrupted with Ctrl-C (the
    answers so far are in the file).
    """
    try:
        stream_address(url, realtime=False)
    except ClientError as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error
    log_to_terminal()
    # If the results themselves are printed on the terminal, there is no room for a bar.
    report = StreamReport(is_quiet=out is None and sys.stdout.isatty())
    check_table(out)
    try:
        with open_source(source, recursive) as opened:
            newest = opened.is_live if realtime is None else realtime
            detector = _detector(detect)
            if detect == "auto" and detector is None:
                messages.print("this machine has no face detector, so whole images are sent to the server")
            session = connect(
                url,
                token=token,
                detect="local" if detector else "server",
                detector=detector,
                realtime=newest,
                in_flight=in_flight,
                smoothing=smoothing,
                max_faces=max_faces,
            )
            run = Run(
                session_name,
                smoothing=smoothing,
                interval_ms=interval,
                started_at_ms=1000 * time.time() if opened.is_live else None,
            )
            asyncio.run(_stream(opened, session, report, out, limit, run))
    except KeyboardInterrupt:
        report.show_summary()
        raise typer.Exit(_INTERRUPTED) from None
    except ClientError as error:
        report.show_summary()
        show_error(str(error))
        raise typer.Exit(_NO_SERVER) from error
    report.show_summary()
    if report.errors and not report.results:
        raise EmostreamError(f"no frame could be recognised: {report.last_error}")
    if report.errors or (isinstance(opened, ImageFiles) and opened.skipped):
        raise typer.Exit(1)


async def _stream(
    source: Source,
    session: AbstractAsyncContextManager[Stream],
    report: StreamReport,
    out: Path | None,
    limit: int | None,
    run: Run,
) -> None:
    async with session as connected:
        info = connected.info
        smoothing = info.config.smoothing if run.smoothing is None else run.smoothing
        run = replace(run, model=info.model, smoothing=smoothing)
        interval_s = (run.interval_ms or 0) / 1000
        with open_writer(out, info.labels, run) as writer, report.watching(source, connected):
            async with aclosing(connected.frames(source, interval_s)) as answers:
                async for answer in answers:
                    report.add(answer)
                    if isinstance(answer, FrameResult):
                        writer.write(answer.faces)
                    elif isinstance(answer, FrameError):
                        logger.warning("frame %d: %s", answer.frame.index, answer.message)
                    if report.frames == limit:
                        break


def _detector(detect: Literal["auto", "local", "server"]) -> "FaceDetector | None":
    """This machine's detector with the settings' files, or None if the server detects faces."""
    try:
        with needed_for("detecting faces on this machine"):
            from ..settings import read_settings
    except MissingExtraError:
        # Without the server's libraries there is no detector either; load_detector reports that.
        return load_detector(detect)
    settings = read_settings()
    return load_detector(detect, settings.faces_dir, settings.min_face_px)
