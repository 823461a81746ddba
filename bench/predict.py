"""A video through ``emostream predict --annotate``, against the time that it lasts.

Makes a video of 1280 × 720 with two moving faces and sound in a temporary folder, runs the real command on
it, and prints the real-time factor (seconds of video for each second of work, model loading left out), where
the time went, and the most memory. Before that it times each stage with one thread, and says what two cores
should make of that. Exits with 1 where the work takes longer than the video lasts.

    python -m bench.predict --seconds 60
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from emostream.analysis.finder import FaceFinder
from emostream.annotation import Annotator
from emostream.detection.detector import FaceDetector
from emostream.detection.video import VideoDetector
from emostream.loading import load_recognizer
from emostream.process import configure_process
from emostream.settings import read_settings
from emostream.sources import open_source
from emostream.writers.video import VideoWriter
from PIL import Image
from rich.console import Console
from rich.table import Table
from skimage.data import astronaut, coffee

#: Faster than real time on two cores.
LIMIT_FACTOR = 1.0

SIZE_WH = (1280, 720)
FPS = 30
_SAMPLE_RATE = 48_000
_HEAD = (120, 10, 335, 260)
_PROBE_FRAMES = 90

Pixels = npt.NDArray[np.uint8]


def frame(index: int, background: Pixels, heads: list[Pixels]) -> Pixels:
    """Two heads, one mirrored, that sway and nod over a background that pans."""
    time_s = index / FPS
    picture = np.roll(background, -3 * index, axis=1)[:, : SIZE_WH[0]].copy()
    for place, head in enumerate(heads):
        height, width, _ = head.shape
        x = round(SIZE_WH[0] * (0.12 + 0.48 * place) + 70 * np.sin(time_s * (1.1 + 0.4 * place)))
        y = round(SIZE_WH[1] * 0.2 + 50 * np.sin(time_s * 1.7 + place))
        picture[y : y + height, x : x + width] = head
    return picture


def make_video(path: Path, seconds: float) -> None:
    """The video, H.264 with AAC."""
    background = np.asarray(Image.fromarray(coffee()).resize((2 * SIZE_WH[0], SIZE_WH[1])))
    head = Image.fromarray(astronaut()).crop(_HEAD)
    first = np.asarray(head.resize((int(head.width * 1.4), int(head.height * 1.4))))
    second = np.asarray(head.resize((int(head.width * 1.1), int(head.height * 1.1))))[:, ::-1]
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        pictures.width, pictures.height = SIZE_WH
        pictures.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=_SAMPLE_RATE, layout="stereo")
        for index in range(round(seconds * FPS)):
            made = VideoFrame.from_ndarray(frame(index, background, [first, second]), format="rgb24")
            made.pts, made.time_base = index, Fraction(1, FPS)
            out.mux(pictures.encode(made))
        out.mux(pictures.encode(None))
        times = np.arange(round(seconds * _SAMPLE_RATE)) / _SAMPLE_RATE
        tone = (0.2 * np.sin(2 * np.pi * 330 * times)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            part = np.stack([tone[start : start + 1024]] * 2)
            heard = AudioFrame.from_ndarray(part, "fltp", "stereo")
            heard.sample_rate, heard.pts = _SAMPLE_RATE, start
            heard.time_base = Fraction(1, _SAMPLE_RATE)
            out.mux(sound.encode(heard))
        out.mux(sound.encode(None))


def stage_costs(source: Path, folder: Path) -> dict[str, float]:
    """Milliseconds of processor time a frame for each stage, one after the other on one thread.

    Time of the processor and not by the clock: other programs then disturb little.
    """
    av.logging.set_level(av.logging.ERROR)
    settings = read_settings(threads=1)
    detector = FaceDetector.load(settings.faces_dir, settings.min_face_px)
    recognizer = load_recognizer(settings)
    costs: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], None], frames: int) -> None:
        started = time.process_time()
        work()
        costs[stage] = (time.process_time() - started) * 1000 / frames

    images: list[Pixels] = []

    def read() -> None:
        with open_source(str(source)) as opened:
            for one in opened:
                images.append(one.image_rgb)
                if len(images) == _PROBE_FRAMES:
                    break

    timed("read", read, 1)
    count = len(images)
    costs["read"] /= count
    video = VideoDetector(detector)
    found = [video.detect(images[0], 0.0, 32)]
    timed(
        "detect",
        lambda: found.extend(
            video.detect(image, index / FPS, 32) for index, image in enumerate(images[1:], 1)
        ),
        count - 1,
    )
    finder = FaceFinder(detector, recognizer.input_sizes)
    cut = [finder.cut(image, detections) for image, detections in zip(images, found, strict=True)]
    crops = [crop for one in cut for crop in one.crops]
    timed("recognise", lambda: _infer_all(recognizer.infer, crops), count)
    annotator = Annotator(SIZE_WH, recognizer.labels)
    even = np.full(len(recognizer.labels), 1 / len(recognizer.labels), np.float32)
    faces = [one.recognized(recognizer.labels, np.tile(even, (len(one.crops), 1))) for one in cut]

    def draw() -> None:
        for image, drawn in zip(images, faces, strict=True):
            annotator.draw(image, drawn)

    timed("draw", draw, count)

    def encode() -> None:
        writer = VideoWriter(folder / "probe.mp4", SIZE_WH, FPS, source)
        for index, image in enumerate(images):
            writer.write(image, index / FPS)
        writer.finish(is_complete=False)

    timed("encode", encode, count)
    return {stage: round(cost, 2) for stage, cost in costs.items()}


def _infer_all(infer: Callable[[list[tuple[Pixels, ...]]], object], crops: list[tuple[Pixels, ...]]) -> None:
    for start in range(0, len(crops), 8):
        infer(crops[start : start + 8])


def measure(source: Path, folder: Path) -> dict[str, float | dict[str, float]]:
    """The real command on the video: its own figures and its most memory, in MiB."""
    command = ["predict", str(source), "--annotate", str(folder / "annotated.mp4")]
    options = ["--out", str(folder / "faces.jsonl"), "--timings", str(folder / "timings.json")]
    subprocess.run([sys.executable, "-m", "emostream", *command, *options], check=True)
    figures: dict[str, float | dict[str, float]] = json.loads((folder / "timings.json").read_text())
    figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    configure_process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = folder / "video.mp4"
        make_video(made, options.seconds)
        run = measure(made, folder)  # first: what is loaded below would count as its memory, were it forked
        costs = stage_costs(made, folder)
    cores = len(os.sched_getaffinity(0))
    frames, pipeline_s, busy_s = run["frames"], run["pipeline_s"], run["busy_s"]
    assert isinstance(frames, int)
    assert isinstance(pipeline_s, float)
    assert isinstance(busy_s, dict)
    predicted_ms = max(sum(costs.values()) / cores, max(costs.values()))
    figures = {
        "cores": cores,
        "video_s": options.seconds,
        "frames": frames,
        "faces": run["faces"],
        "work_s": pipeline_s,
        "total_s": run["total_s"],
        "processor_s": run["processor_s"],
        "real_time_factor": round(options.seconds / pipeline_s, 2),
        "limit_factor": LIMIT_FACTOR,
        "predicted_factor": round(1000 / FPS / predicted_ms, 2),
        "processor_ms_per_frame": costs,
        "busy_ms_per_frame": {stage: round(1000 * spent / frames, 2) for stage, spent in busy_s.items()},
        "peak_mib": run["peak_mib"],
    }
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        _show(figures)
    sys.exit(figures["real_time_factor"] < LIMIT_FACTOR)


def _show(figures: dict[str, object]) -> None:
    costs, busy = figures["processor_ms_per_frame"], figures["busy_ms_per_frame"]
    assert isinstance(costs, dict)
    assert isinstance(busy, dict)
    table = Table(box=None, title=f"{figures['video_s']} s of 1280 × 720, two faces", title_justify="left")
    for heading in ("stage", "processor ms a frame, alone", "busy ms a frame, in the run"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage in busy:
        table.add_row(stage, str(costs.get(stage, "")), str(busy[stage]))
    table.add_row("all", f"{sum(costs.values()):.2f}", "")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{figures['work_s']} s of work on {figures['cores']} cores, of which they spent "
        f"{figures['processor_s']} s on it: {figures['real_time_factor']} times real time "
        f"(limit {figures['limit_factor']}, predicted {figures['predicted_factor']}); "
        f"at most {figures['peak_mib']} MiB"
    )


if __name__ == "__main__":
    main()
