"""PyTorch: the engine for CUDA, and on the CPU the reference for the other engine."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from ..choices import Precision
from .device_preparation import DevicePreparation, Pixels, nvjpeg_decoder
from .ensemble import Ensemble, LoadedEnsemble, Probabilities
from .folding import simplified
from .precision import keeps_predictions, probes

logger = logging.getLogger(__name__)

DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}


class TorchEngine:
    """Runs batches padded to the next of a ladder of batch sizes.

    On CUDA it uses float16 if that keeps the predictions (see ``precision.py``), channels last, and batch
    norms folded into convolutions. Each batch size is captured as a CUDA graph in which the members run in
    parallel, and the upload of the next chunk overlaps with the computation of the last. On the CPU it does
    the same in float32, without graphs and streams.
    """

    def __init__(
        self,
        ensemble: LoadedEnsemble,
        device: torch.device,
        max_batch: int,
        precision: Precision = "auto",
    ) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        with self._current_device():
            self.precision: str
            if precision == "auto" and self._is_cuda:
                self.precision, self._ensemble = fastest(ensemble, device, ["f16"])
            else:
                self.precision = "f32" if precision == "auto" else precision
                self._ensemble = optimised(ensemble.module, device, DTYPES[self.precision])
            self._streams = _Streams(device, len(self._ensemble.members)) if self._is_cuda else None
            self._steps = _build_ladder(max_batch, self._build_step)
            # Two slots, so that one chunk can be uploaded while the other is computed.
            self._slots = [_Slot(self._ensemble.input_sizes, self.max_batch, device) for _ in range(2)]
        self.prepare = DevicePreparation(device, self._ensemble.input_sizes, nvjpeg_decoder(device))

    @property
    def device(self) -> str:
        return torch.cuda.get_device_name(self._device) if self._is_cuda else "cpu"

    @property
    def max_batch(self) -> int:
        """The largest batch size of the ladder; less than requested if memory did not suffice."""
        return max(self._steps)

    @property
    def batch_sizes(self) -> Sequence[int]:
        return list(self._steps)

    @torch.inference_mode()
    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        done: list[Tensor] = []
        with self._current_device():
            for number, start in enumerate(range(0, len(crops[0]), self.max_batch)):
                chunk = [crop[start : start + self.max_batch] for crop in crops]
                done.append(self._launch(chunk, self._slots[number % 2]))
            if self._is_cuda:
                # Only this stream: the next crops are being prepared on others.
                torch.cuda.current_stream(self._device).synchronize()
        joined: Probabilities = torch.cat(done, dim=1).numpy()  # (M, N, C)
        return joined

    def _current_device(self) -> AbstractContextManager[object]:
        """Makes the device current: pinned memory and captures belong to the current GPU."""
        return torch.cuda.device(self._device) if self._is_cuda else nullcontext()

    def _launch(self, chunk: Sequence[Pixels], slot: "_Slot") -> Tensor:
        """Queues one chunk on the device. The returned probabilities, in pinned memory, are valid once the
        stream is synchronised."""
        faces = len(chunk[0])
        step = self._steps[min(size for size in self._steps if size >= faces)]
        if self._streams is None:
            for target, source in zip(step.inputs, chunk, strict=True):
                target[:faces].copy_(torch.as_tensor(source))
            step.run()
            return step.output[:, :faces].clone()
        if any(isinstance(crop, Tensor) for crop in chunk):  # prepared on the device
            for target, source in zip(step.inputs, chunk, strict=True):
                target[:faces].copy_(torch.as_tensor(source), non_blocking=True)
        else:
            self._upload(chunk, step, slot, self._streams.copying)
        step.run()
        pinned = torch.empty(step.output[:, :faces].shape, dtype=step.output.dtype, pin_memory=True)
        return pinned.copy_(step.output[:, :faces], non_blocking=True)

    def _upload(
        self, chunk: Sequence[Pixels], step: "_Step", slot: "_Slot", copying: torch.cuda.Stream
    ) -> None:
        """Copies crops from host memory into the step's inputs while the device computes."""
        faces = len(chunk[0])
        computing = torch.cuda.current_stream(self._device)
        slot.free.synchronize()  # the chunk before last may still be copied out of this slot
        for pinned, source in zip(slot.pinned, chunk, strict=True):
            pinned[:faces].copy_(torch.as_tensor(source))
        with torch.cuda.stream(copying):
            for landing, pinned in zip(slot.landing, slot.pinned, strict=True):
                landing[:faces].copy_(pinned[:faces], non_blocking=True)
            slot.uploaded.record(copying)
        computing.wait_event(slot.uploaded)
        for target, landing in zip(step.inputs, slot.landing, strict=True):
            target[:faces].copy_(landing[:faces], non_blocking=True)
        slot.free.record(computing)

    @torch.inference_mode()
    def _build_step(self, size: int) -> "_Step":
        """Warms up one batch size and, on CUDA, captures it."""
        inputs = tuple(
            torch.zeros(size, side, side, 3, dtype=torch.uint8, device=self._device)
            for side in self._ensemble.input_sizes
        )
        if self._streams is None:
            step = _Step(inputs, self._ensemble(*inputs), lambda: None)

            def compute() -> None:
                step.output.copy_(self._ensemble(*inputs))

            step.run = compute
            return step
        capturing, members = self._streams.capturing, self._streams.members
        computing = torch.cuda.current_stream(self._device)
        capturing.wait_stream(computing)
        with torch.cuda.stream(capturing):
            # Warmed up on the streams of the capture: at the first calls on a stream, libraries choose
            # kernels and allocate workspaces, which must not happen during a capture.
            for _ in range(3):
                side_by_side(self._ensemble, inputs, members)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=capturing):
                output = side_by_side(self._ensemble, inputs, members)
        computing.wait_stream(capturing)
        return _Step(inputs, output, graph.replay)


class _Streams:
    """The CUDA streams of work that runs in parallel."""

    def __init__(self, device: torch.device, members: int) -> None:
        self.copying = torch.cuda.Stream(device)
        self.capturing = torch.cuda.Stream(device)
        self.members = [torch.cuda.Stream(device) for _ in range(members)]


@dataclass
class _Step:
    """One batch size of the ladder: its input and output buffers, and the function that computes it."""

    inputs: tuple[Tensor, ...]
    output: Tensor
    run: Callable[[], None]


class _Slot:
    """Buffers for the upload of a chunk to the device."""

    def __init__(self, input_sizes: Sequence[int], faces: int, device: torch.device) -> None:
        self.pinned: list[Tensor] = []
        self.landing: list[Tensor] = []
        if device.type != "cuda":
            return
        for side in input_sizes:
            shape = (faces, side, side, 3)
            self.pinned.append(torch.empty(shape, dtype=torch.uint8, pin_memory=True))
            self.landing.append(torch.empty(shape, dtype=torch.uint8, device=device))
        self.uploaded = torch.cuda.Event()
        self.free = torch.cuda.Event()


def optimised(ensemble: Ensemble, device: torch.device, dtype: torch.dtype) -> Ensemble:
    """A copy of the ensemble for a device: layers folded, channels last, networks in ``dtype``."""
    ensemble = simplified(ensemble)
    for member in ensemble:
        member.network = member.network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        member.dtype = dtype
    return ensemble.to(device)


def fastest(
    ensemble: LoadedEnsemble, device: torch.device, candidates: Sequence[Precision]
) -> tuple[Precision, Ensemble]:
    """The first of ``candidates`` that keeps the predictions, otherwise "f32", and the ensemble in it."""
    exact = optimised(ensemble.module, device, DTYPES["f32"])
    wanted = _probed(exact, device)
    for precision in candidates:
        fast = optimised(ensemble.module, device, DTYPES[precision])
        if keeps_predictions(ensemble, precision, wanted, _probed(fast, device)):
            return precision, fast
    return "f32", exact


@torch.inference_mode()
def _probed(ensemble: Ensemble, device: torch.device) -> Probabilities:
    faces = [torch.as_tensor(crop, device=device) for crop in probes(ensemble.input_sizes)]
    probabilities: Probabilities = ensemble(*faces).cpu().numpy()
    return probabilities


def side_by_side(ensemble: Ensemble, crops: Sequence[Tensor], streams: Sequence[torch.cuda.Stream]) -> Tensor:
    """``ensemble(*crops)`` with each member on its own CUDA stream, for small batches that leave most of the
    GPU idle. The streams fork from and join the current one, as the capture of a graph requires."""
    current = torch.cuda.current_stream(crops[0].device)
    pixels = ensemble.pixels(crops)
    for stream in streams:  # all before any join, or each member would wait for the previous one
        stream.wait_stream(current)
    outputs: list[Tensor] = []
    for member, stream in zip(ensemble, streams, strict=True):
        with torch.cuda.stream(stream):
            outputs.append(member(pixels[member.input_size]))
    for stream in streams:
        current.wait_stream(stream)
    return torch.stack(outputs)


def _build_ladder(max_batch: int, build: Callable[[int], _Step]) -> dict[int, _Step]:
    """Builds batch sizes 1, 2, 4, … up to ``max_batch``, or to the largest before memory runs out."""
    sizes = [1]
    while sizes[-1] < max_batch:
        sizes.append(min(2 * sizes[-1], max_batch))
    steps: dict[int, _Step] = {}
    for size in sizes:
        try:
            steps[size] = build(size)
        except RuntimeError as error:
            shortage = _shortage_of_memory(error)
            if shortage is None:
                raise
            if not steps:
                raise shortage from None
            torch.cuda.empty_cache()
            logger.warning("no memory for batches of %d: the largest is %d", size, max(steps))
            break
    return steps


def _shortage_of_memory(error: BaseException | None) -> torch.OutOfMemoryError | None:
    """The out-of-memory error behind ``error``; after one in a capture, the capture's end raises another."""
    while error is not None and not isinstance(error, torch.OutOfMemoryError):
        error = error.__context__
    return error
