"""An engine against the floor that the machine's own matrix multiplication sets."""

import copy
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from ..exceptions import UnknownModelError
from ..inference.engine import Engine, create_engine, resolve_device
from ..inference.ensemble import Ensemble, LoadedEnsemble, load_ensemble
from ..inference.torch_engine import DTYPES
from ..models.factory import ARCHITECTURES
from ..models.weights import WeightsStore
from ..plotting import BLUE, INK, QUIET, finish, name_point, new_figure, save
from ..settings import Settings
from .random_weights import random_ensemble

_TURNS = 6
_MATRIX_SIDE = {"cpu": 2048, "cuda": 8192}


@dataclass(frozen=True)
class EngineRow:
    """One batch size. Rates are in 10^9 floating point operations a second, a multiply-add counting two."""

    batch: int
    p50_ms: float
    p95_ms: float
    faces_per_second: float
    gflops_per_second: float
    matmul_gflops_per_second: float  # measured right before and after
    times_floor: float  # p50 against the time of the same operations at the matrix rate


@dataclass(frozen=True)
class EngineReport:
    """All batch sizes of one run."""

    model: str
    weights: str
    device: str
    precision: str
    processor: str
    day: str
    gflop_per_face: float
    eager_ms: float | None  # plain PyTorch in float32, for one face
    times_eager: float | None  # the engine's time for one face against that
    rows: tuple[EngineRow, ...]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def plot(self, path: Path) -> None:
        """Throughput over batch size, with the floor's, as PNG."""
        sizes = [row.batch for row in self.rows]
        measured = [row.faces_per_second for row in self.rows]
        ceiling = [row.matmul_gflops_per_second / self.gflop_per_face for row in self.rows]
        figure = new_figure(7, 4.2)
        axes = figure.add_subplot()
        axes.plot(sizes, ceiling, color=QUIET, linestyle="--", label="at the matrix multiplication's rate")
        axes.plot(sizes, measured, color=BLUE, marker="o", linewidth=2, label="measured")
        for size, rate, most in zip(sizes, measured, ceiling, strict=True):
            away_from_the_other_line = (0, 12 if rate >= most else -12)
            text = f"{rate:.1f}" if rate < 100 else f"{rate:,.0f}"
            name_point(axes, text, (size, rate), away_from_the_other_line)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_ylim(0, 1.2 * max(*measured, *ceiling))
        axes.set_title(f"{self.model} on {self.device}, {self.precision}", loc="left", color=INK, size=10)
        axes.legend(frameon=False, labelcolor=INK, loc="upper right", ncols=2)
        finish(axes, "faces in a batch", "faces a second")
        save(figure, path)


def measure_engine(
    model: str, batches: list[int], seconds: float, reference: bool, settings: Settings
) -> EngineReport:
    """Times an engine for ``seconds`` at each batch size. Raises ModelError if the model cannot be used."""
    ensemble, weights = load_measured(model, settings)
    engine = create_engine(
        ensemble,
        settings.device,
        max_batch=max(batches),
        threads=settings.threads,
        precision=settings.precision,
        cache_dir=settings.cache_dir,
    )
    gflop, place = count_gflop(ensemble.module), resolve_device(settings.device)
    eager_ms, times_eager = (
        _against_eager(engine, ensemble.module, place, seconds) if reference else (None, None)
    )
    rows = tuple(_measure(engine, ensemble.module, place, batch, seconds, gflop) for batch in batches)
    return EngineReport(
        model=model,
        weights=weights,
        device=engine.device,
        precision=engine.precision,
        processor=processor_name(),
        day=date.today().isoformat(),
        gflop_per_face=gflop,
        eager_ms=eager_ms,
        times_eager=times_eager,
        rows=rows,
    )


def count_gflop(ensemble: Ensemble) -> float:
    """Floating point operations for one face, in 10^9, a multiply-add counting two."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        ensemble(*_crops(ensemble, 1))
    return counter.get_total_flops() / 1e9


def load_measured(model: str, settings: Settings) -> tuple[LoadedEnsemble, str]:
    """The model of that name, or networks of the named architectures, and "trained" or "random".

    Raises UnknownModelError.
    """
    store = WeightsStore(settings.weights_dir)
    try:
        return load_ensemble(store.catalogue().find(model), store), "trained"
    except UnknownModelError:
        architectures = [name.strip() for name in model.split(",")]
        if not set(architectures) <= set(ARCHITECTURES):
            raise
    return random_ensemble(architectures, [f"class{index}" for index in range(7)]), "random"


def _measure(
    engine: Engine, ensemble: Ensemble, place: torch.device, batch: int, seconds: float, gflop: float
) -> EngineRow:
    crops = [crop.numpy() for crop in _crops(ensemble, batch)]
    before = matmul_gflops(place, engine.precision, seconds / 4)
    times = durations(lambda: engine.infer(crops), seconds)
    rate = (before + matmul_gflops(place, engine.precision, seconds / 4)) / 2
    p50, p95 = np.percentile(times, [50, 95])
    work = gflop * batch
    return EngineRow(
        batch=batch,
        p50_ms=round(p50 * 1000, 3),
        p95_ms=round(p95 * 1000, 3),
        faces_per_second=round(batch / p50, 1),
        gflops_per_second=round(work / p50, 1),
        matmul_gflops_per_second=round(rate, 1),
        times_floor=round(p50 / (work / rate), 3),
    )


def matmul_gflops(place: torch.device, precision: str, seconds: float) -> float:
    """The rate of a large square matrix multiplication where and as an engine computes."""
    side = _MATRIX_SIDE[place.type]
    a, b = (torch.randn(side, side, device=place).to(DTYPES[precision]) for _ in range(2))

    def multiply() -> None:
        torch.mm(a, b)
        if place.type == "cuda":
            torch.cuda.synchronize(place)

    return float(2 * side**3 / 1e9 / np.median(durations(multiply, seconds)))


def _against_eager(
    engine: Engine, ensemble: Ensemble, place: torch.device, seconds: float
) -> tuple[float, float]:
    """Median time of plain PyTorch in float32 for one face, in ms, and the engine's against it.

    In turns: a processor that has been busy for some seconds runs more slowly than a rested one, and what is
    measured first would look good.
    """
    crops = _crops(ensemble, 1)
    pixels = [crop.numpy() for crop in crops]
    module = copy.deepcopy(ensemble).to(place)
    eager: list[float] = []
    engines: list[float] = []
    with torch.inference_mode():
        for _ in range(_TURNS):
            eager += durations(lambda: module(*(crop.to(place) for crop in crops)).cpu(), seconds / _TURNS)
            engines += durations(lambda: engine.infer(pixels), seconds / _TURNS)
    plain = float(np.median(eager))
    return round(plain * 1000, 3), round(float(np.median(engines)) / plain, 3)


def durations(work: Callable[[], object], seconds: float) -> list[float]:
    """Times in seconds of as many calls as fit into ``seconds``, at least five, after two for warm-up."""
    for _ in range(2):
        work()
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < seconds:
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return times


def _crops(ensemble: Ensemble, faces: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randint(0, 256, (faces, side, side, 3), dtype=torch.uint8, generator=generator)
        for side in ensemble.input_sizes
    ]


def processor_name() -> str:
    """The processor's name and the number of threads that PyTorch uses on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {torch.get_num_threads()} threads"
