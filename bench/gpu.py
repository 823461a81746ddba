"""What a GPU does: engines in every precision, nvJPEG, memory that runs out, and the batcher at full load.

    scripts/check_gpu.sh                # on a GPU; also runs the tests that need one
    scripts/check_gpu.sh --dry-run      # the same steps on the CPU, with small numbers

Every part is tried, also after one that failed; the exit code is 1 if any did. ``gpu.json`` has all figures.
It needs no FastAPI and no OpenVINO.
"""

import argparse
import asyncio
import io
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from emostream.benchmark.engine import durations, load_measured, measure_engine
from emostream.choices import Precision
from emostream.exceptions import ModelError
from emostream.imaging.decoding import prepare
from emostream.inference.batcher import Batcher
from emostream.inference.device_preparation import on_host, stack
from emostream.inference.engine import Engine, create_engine
from emostream.inference.ensemble import LoadedEnsemble
from emostream.inference.precision import MAX_PRECISION_ERROR, probes
from emostream.inference.recognizer import Recognizer
from emostream.settings import read_settings
from PIL import Image

#: Aims of one POSTER V2 network at 224 px on one H100 or H200.
_AIM_ONE_FACE_MS = 2.0
_AIM_FACES_PER_S = 15_000
_AIM_BATCHER = 0.85

_CROP_PX = 112
_MIB = 2**20


class SkippedError(Exception):
    """A part that this machine cannot do."""


@dataclass(frozen=True)
class Load:
    """How much each part does."""

    device: str
    models: tuple[str, ...]  # of the catalogue, or architectures with commas between
    batches: tuple[int, ...]
    seconds: float  # for each batch size
    feed_s: float
    changing_batches: int

    @property
    def max_batch(self) -> int:
        """Of an engine that serves."""
        return min(64, max(self.batches))

    @property
    def precisions(self) -> tuple[Precision, ...]:
        return ("f16", "bf16", "f32") if self.is_cuda else ("bf16", "f32")

    @property
    def is_cuda(self) -> bool:
        return self.device.startswith("cuda")

    def ensembles(self) -> list[LoadedEnsemble]:
        """All models."""
        return [load_measured(model, read_settings())[0] for model in self.models]

    @property
    def last(self) -> LoadedEnsemble:
        """The model that all parts but ``engines`` and ``precisions`` are about."""
        return load_measured(self.models[-1], read_settings())[0]


Figures = dict[str, object]


def machine(load: Load) -> Figures:
    """The card and the versions of what drives it."""
    if not load.is_cuda:
        return {"device": load.device, "torch": torch.__version__}
    card = torch.cuda.get_device_properties(0)
    return {
        "device": card.name,
        "compute_capability": f"{card.major}.{card.minor}",
        "memory_gib": round(card.total_memory / 2**30, 1),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def engines(load: Load) -> Figures:
    """Time and throughput of each model in each precision."""
    figures: Figures = {}
    for model, ensemble in zip(load.models, load.ensembles(), strict=True):
        members = len(ensemble.entry.members)
        for precision in load.precisions:
            settings = read_settings(device=load.device, precision=precision)
            report = measure_engine(model, list(load.batches), load.seconds, precision == "f32", settings)
            figures[f"{model} {precision}"] = report.as_dict()
            first, best = report.rows[0], max(report.rows, key=lambda row: row.faces_per_second)
            print(
                f"  {model} {precision}: one face {first.p50_ms / members:.2f} ms a member, "
                f"best {best.faces_per_second * members:,.0f} faces/s a member in batches of {best.batch}, "
                f"{best.times_floor:.2f} × the time of a matrix multiplication"
            )
    print(f"  aims of a POSTER V2 member: {_AIM_ONE_FACE_MS} ms, {_AIM_FACES_PER_S:,} faces/s")
    return figures


def precisions(load: Load) -> Figures:
    """How far each precision's probabilities are from float32's, on images as faces are."""
    figures: Figures = {}
    for ensemble in load.ensembles():
        faces = probes(ensemble.module.input_sizes)
        with torch.inference_mode():
            exact = ensemble.module(*(torch.as_tensor(crop) for crop in faces)).numpy()
        for precision in ("auto", *load.precisions):
            engine = _engine(ensemble, load, precision)
            error_of = float(np.abs(engine.infer(faces) - exact).max())
            figures[f"{ensemble.entry.name} {precision}"] = {
                "computed_in": engine.precision,
                "largest_difference": error_of,
            }
            print(f"  {ensemble.entry.name} {precision}: {error_of:.5f} in {engine.precision}")
            if precision == "auto":
                assert error_of <= MAX_PRECISION_ERROR, (
                    f"{engine.precision} was chosen and is {error_of:.3f} off"
                )
    return figures


def jpeg_decoding(load: Load) -> Figures:
    """Preparing crops on the device, nvJPEG where torchvision has it, against Pillow's on the CPU."""
    ensemble = load.last
    engine = _engine(ensemble, load, "auto")
    images = [_jpeg(seed) for seed in range(16)]
    sizes = ensemble.module.input_sizes
    differences = []
    for image in images:
        with Image.open(io.BytesIO(image)) as opened:
            expected = prepare(opened.convert("RGB"), sizes)
        got = engine.prepare(image, 10**6)
        differences += [
            float(np.abs(on_host(one).astype(int) - on_host(other)).mean())
            for one, other in zip(got, expected, strict=True)
        ]
    seconds = float(
        np.median(durations(lambda: [engine.prepare(image, 10**6) for image in images], load.seconds))
    )
    figures: Figures = {"grey_levels_apart_mean": max(differences), "crops_per_s_one_thread": 16 / seconds}
    print(f"  {figures}")
    assert max(differences) < 2, "the device decodes other pixels than Pillow"
    return figures


def memory_that_runs_out(load: Load) -> Figures:
    """An engine in a part of the memory: a shorter ladder and right predictions, or an error that says so."""
    if not load.is_cuda:
        raise SkippedError("needs a GPU")
    ensemble, total = load.last, torch.cuda.get_device_properties(0).total_memory
    faces = probes(ensemble.module.input_sizes)
    exact = _engine(ensemble, load, "f32").infer(faces)
    figures: Figures = {}
    try:
        for mib in (8192, 4096, 2048, 1024, 256):
            torch.cuda.empty_cache()
            allowed = torch.cuda.memory_reserved() + mib * _MIB
            torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total))
            try:
                engine = _engine(ensemble, load, "f16", max_batch=256)
            except ModelError as error:
                if "not enough memory" not in str(error):
                    raise
                figures[f"{mib} MiB"] = "refused"
                continue
            difference = float(np.abs(engine.infer(faces) - exact).max())
            assert difference <= MAX_PRECISION_ERROR, f"in {mib} MiB: {difference:.3f} off"
            figures[f"{mib} MiB"] = engine.max_batch
            del engine
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    print(f"  largest batch by memory allowed: {figures}")
    assert any(found == "refused" or found != 256 for found in figures.values()), "memory never ran out"
    return figures


def batcher_at_full_load(load: Load) -> Figures:
    """Cameras that always have a next crop, through preparation and batching, against the engine alone."""
    ensemble = load.last
    engine, max_batch = _engine(ensemble, load, "auto"), load.max_batch
    recognizer = Recognizer(ensemble, engine)
    recognizer.warm_up()
    images = [_jpeg(seed) for seed in range(16)]
    pixels = stack([engine.prepare(image, 10**6) for image in images] * (max_batch // 16 + 1))
    chunk = [crop[:max_batch] for crop in pixels]
    alone = max_batch / float(np.median(durations(lambda: engine.infer(chunk), load.feed_s / 6)))
    answered, sizes = asyncio.run(_feed(recognizer, images, 4 * max_batch, load.feed_s))
    rate = answered / load.feed_s
    figures: Figures = {
        "max_batch": max_batch,
        "engine_faces_per_s": alone,
        "batcher_faces_per_s": rate,
        "ratio": rate / alone,
        "mean_batch": float(np.mean(sizes)),
    }
    print(f"  {figures} (aim: ratio {_AIM_BATCHER})")
    return figures


async def _feed(
    recognizer: Recognizer, images: list[bytes], lanes: int, seconds: float
) -> tuple[int, list[int]]:
    """How many frames were answered, and how many faces each batch had."""
    answered = 0
    sizes: list[int] = []
    threads = max(2, min(16, (os.cpu_count() or 2) - 2))
    batcher = Batcher(recognizer, 10**6, threads, lambda faces, took: sizes.append(faces))
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def camera(number: int) -> None:
        nonlocal answered
        lane = batcher.open_lane()
        while loop.time() < end:
            predictions = await lane.recognize([images[number % len(images)]])
            assert np.isfinite(predictions.probabilities).all()
            answered += loop.time() < end
        lane.close()

    async with asyncio.TaskGroup() as cameras:
        for number in range(lanes):
            cameras.create_task(camera(number))
    await batcher.aclose(5.0)
    return answered, sizes


def memory_over_time(load: Load) -> Figures:
    """Memory of the device and of the process over batches of changing sizes."""
    ensemble = load.last
    engine = _engine(ensemble, load, "auto")
    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 2 * engine.max_batch, load.changing_batches)
    faces = map(np.asarray, probes(ensemble.module.input_sizes))
    crops = [np.repeat(crop[:1], 2 * engine.max_batch, axis=0) for crop in faces]
    marks: list[dict[str, float]] = []
    for number, size in enumerate(sizes):
        engine.infer([crop[:size] for crop in crops])
        if number + 1 in (len(sizes) // 10, len(sizes)):
            marks.append(_memory_mib(load))
    print(f"  after a tenth: {marks[0]}, at the end: {marks[-1]}")
    grown = marks[-1]["device"] - marks[0]["device"]
    assert grown < 64, f"the device's memory grew by {grown:.0f} MiB"
    return {"batches": len(sizes), "after_a_tenth": marks[0], "at_the_end": marks[-1]}


def _memory_mib(load: Load) -> dict[str, float]:
    device = torch.cuda.memory_reserved() / _MIB if load.is_cuda else 0.0
    return {"device": device, "process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _engine(
    ensemble: LoadedEnsemble, load: Load, precision: Precision, max_batch: int | None = None
) -> Engine:
    return create_engine(
        ensemble,
        load.device,
        max_batch=max_batch or load.max_batch,
        threads=0,
        precision=precision,
        cache_dir=read_settings().cache_dir,
    )


def _jpeg(seed: int) -> bytes:
    """A face crop's size of blurred noise, as a browser encodes it."""
    small = np.random.default_rng(seed).integers(0, 256, (14, 14, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(small).resize((_CROP_PX, _CROP_PX)).save(encoded, "JPEG", quality=85)
    return encoded.getvalue()


PARTS: tuple[Callable[[Load], Figures], ...] = (
    machine,
    precisions,
    jpeg_decoding,
    engines,
    batcher_at_full_load,
    memory_over_time,
    memory_that_runs_out,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with small numbers")
    parser.add_argument("--models", nargs="+", default=["default", "poster_v2,poster_v2"])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    given = parser.parse_args()
    models = tuple(given.models)
    if given.dry_run:
        load = Load("cpu", models, (1, 2), 0.05, 1.0, 20)
    else:
        load = Load("cuda:0", models, (1, 2, 4, 8, 16, 32, 64, 128, 256), 0.3, 30.0, 1000)
    found: dict[str, object] = {}
    failed = False
    for part in PARTS:
        print(f"{part.__name__}: {part.__doc__}", flush=True)
        started = time.monotonic()
        try:
            found[part.__name__] = part(load)
        except SkippedError as reason:
            print(f"  skipped: {reason}")
        except Exception:
            failed = True
            found[part.__name__] = {"failed": traceback.format_exc()}
            traceback.print_exc(file=sys.stdout)
        print(f"  {time.monotonic() - started:.1f} s", flush=True)
        given.out.write_text(json.dumps(found, indent=2, default=str))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
