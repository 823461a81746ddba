"""PyTorch: the engine for CUDA, and on the CPU the reference that the other engine is held against."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from server.inference.device_preparation import DevicePreparation, Pixels, nvjpeg_decoder
from server.inference.ensemble import Ensemble, Probabilities
from server.inference.folding import simplified

logger = logging.getLogger(__name__)


class TorchEngine:
    """Runs batches of a ladder of sizes, each padded to the next step.

    On CUDA: half precision, channels last, batch norms folded into convolutions, each step captured as a
    CUDA graph in which the members run beside each other, and the next chunk's upload overlapping with the
    computing of the last. On the CPU: the same in float32, without graphs and streams.
    """

    def __init__(self, ensemble: Ensemble, device: torch.device, max_batch: int) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._dtype = torch.float16 if self._is_cuda else torch.float32
        self._ensemble = optimised(ensemble, device, self._dtype)
        self._steps = _build_ladder(max_batch, self._build_step)
        largest = max(self._steps)
        # Two of each, so that one chunk can be uploaded while the other is computed.
        self._slots = [_Slot(ensemble.input_sizes, largest, device) for _ in range(2)]
        self._copying = torch.cuda.Stream(device) if self._is_cuda else None
        self.prepare = DevicePreparation(device, ensemble.input_sizes, nvjpeg_decoder(device))

    @property
    def device(self) -> str:
        return torch.cuda.get_device_name(self._device) if self._is_cuda else "cpu"

    @property
    def precision(self) -> str:
        return "f16" if self._dtype == torch.float16 else "f32"

    @property
    def max_batch(self) -> int:
        """The largest step of the ladder; less than was asked for where memory did not suffice."""
        return max(self._steps)

    @torch.inference_mode()
    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        faces = len(crops[0])
        answers = []
        for number, start in enumerate(range(0, faces, self.max_batch)):
            chunk = [crop[start : start + self.max_batch] for crop in crops]
            answers.append(self._launch(chunk, self._slots[number % 2]))
        if self._is_cuda:
            torch.cuda.synchronize(self._device)
        joined: Probabilities = torch.cat(answers, dim=1).numpy()  # (M, N, C)
        return joined

    def _launch(self, chunk: Sequence[Pixels], slot: "_Slot") -> Tensor:
        """Queues one chunk on the device; its answer, in pinned memory, is valid after a synchronisation."""
        faces = len(chunk[0])
        step = self._steps[min(size for size in self._steps if size >= faces)]
        if self._copying is None:
            for target, source in zip(step.inputs, chunk, strict=True):
                target[:faces].copy_(torch.as_tensor(source))
            step.run()
            return step.output[:, :faces].clone()
        if any(isinstance(crop, Tensor) for crop in chunk):  # prepared there
            for target, source in zip(step.inputs, chunk, strict=True):
                target[:faces].copy_(torch.as_tensor(source), non_blocking=True)
        else:
            self._upload(chunk, step, slot)
        step.run()
        answer = torch.empty(step.output[:, :faces].shape, dtype=step.output.dtype, pin_memory=True)
        return answer.copy_(step.output[:, :faces], non_blocking=True)

    def _upload(self, chunk: Sequence[Pixels], step: "_Step", slot: "_Slot") -> None:
        """Copies crops from memory into the step's inputs, beside what the device computes meanwhile."""
        assert self._copying is not None
        faces = len(chunk[0])
        computing = torch.cuda.current_stream(self._device)
        slot.free.synchronize()  # the chunk before last may still be on its way out of this slot
        for pinned, source in zip(slot.pinned, chunk, strict=True):
            pinned[:faces].copy_(torch.as_tensor(source))
        with torch.cuda.stream(self._copying):
            for landing, pinned in zip(slot.landing, slot.pinned, strict=True):
                landing[:faces].copy_(pinned[:faces], non_blocking=True)
            slot.uploaded.record(self._copying)
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
        if not self._is_cuda:
            step = _Step(inputs, self._ensemble(*inputs), lambda: None)

            def compute() -> None:
                step.output.copy_(self._ensemble(*inputs))

            step.run = compute
            return step
        warming = torch.cuda.Stream(self._device)
        warming.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(warming):
            for _ in range(3):  # libraries pick their kernels; a capture must not see that
                self._ensemble(*inputs)
        torch.cuda.current_stream(self._device).wait_stream(warming)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = members_side_by_side(self._ensemble, inputs, self._device)
        return _Step(inputs, output, graph.replay)


@dataclass
class _Step:
    """One batch size: where its crops go in, where its answers come out, and what computes them."""

    inputs: tuple[Tensor, ...]
    output: Tensor
    run: Callable[[], None]


class _Slot:
    """Memory that a chunk passes through on its way to the device."""

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


def members_side_by_side(ensemble: Ensemble, crops: Sequence[Tensor], device: torch.device) -> Tensor:
    """``ensemble(*crops)`` with each member on a CUDA stream of its own, for small batches that leave most of
    the GPU idle. Streams fork from and join the current one, as a graph's capture wants it."""
    current = torch.cuda.current_stream(device)
    pixels = ensemble.pixels(crops)
    answers: list[Tensor] = []
    for member in ensemble:
        stream = torch.cuda.Stream(device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            answers.append(member(pixels[member.input_size]))
        current.wait_stream(stream)
    return torch.stack(answers)


def _build_ladder(max_batch: int, build: Callable[[int], _Step]) -> dict[int, _Step]:
    """Steps 1, 2, 4, … up to ``max_batch``. Where memory runs out, the largest so far is the last."""
    sizes = [1]
    while sizes[-1] < max_batch:
        sizes.append(min(2 * sizes[-1], max_batch))
    steps: dict[int, _Step] = {}
    for size in sizes:
        try:
            steps[size] = build(size)
        except torch.OutOfMemoryError:
            if not steps:
                raise
            torch.cuda.empty_cache()
            logger.warning("no memory for batches of %d: the largest is %d", size, max(steps))
            break
    return steps
