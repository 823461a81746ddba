"""A GPU played by the CPU, for the logic around CUDA: which stream waits for which, what a graph replays.

Tensors "on the GPU" are in ordinary memory and marked. Streams do not run beside each other here, but every
operation is noted with what is sure to be done before it, and one that touches memory which another may still
be using is listed in ``races``. A graph replays what was captured into the same memory, as CUDA does.

Not played: the kernels, their speed and rounding, and the allocator's reuse of freed memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CPU = torch.device("cpu")
_COPIES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)
Done = set[int]


class Stream:
    """``done``: the operations, by number, that are sure to be done before its next one starts."""

    def __init__(self, gpu: "FakeCuda", device: Any = None) -> None:
        self.gpu, self.device, self.done = gpu, gpu.index_of(device), Done()

    def wait_stream(self, other: "Stream") -> None:
        self.done |= other.done

    def wait_event(self, event: "Event") -> None:
        self.done |= event.done

    def synchronize(self) -> None:
        self.gpu.host.done |= self.done


class Event:
    def __init__(self, gpu: "FakeCuda") -> None:
        self.gpu, self.done = gpu, Done()

    def record(self, stream: Stream) -> None:
        self.done = set(stream.done)

    def synchronize(self) -> None:
        self.gpu.host.done |= self.done


class Graph:
    """What was captured: operations with the tensors that they take and give."""

    def __init__(self, gpu: "FakeCuda") -> None:
        self.gpu = gpu
        self.captured: list[tuple[Callable[..., Any], Any, Any, Any]] = []

    def replay(self) -> None:
        with self.gpu.unobserved():
            for operation, args, kwargs, given in self.captured:
                again = operation(*args, **kwargs)
                for old, new in zip(tensors_in(given), tensors_in(again), strict=True):
                    if memory(old) not in {memory(each) for each in tensors_in((args, kwargs))}:
                        old.copy_(new)
        used = [(args, kwargs) for _, args, kwargs, _ in self.captured]
        self.gpu.note("a graph", tensors_in(used), [given for *_, given in self.captured])


class FakeCuda(TorchDispatchMode):
    """GPUs, entered as a context; patches ``torch.cuda`` for the time of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.races: list[str] = []
        self.pinned_on: list[int] = []  # the GPU that was current at each allocation of pinned memory
        self.index = 0  # of the current GPU
        self.host = Stream(self)
        self._current = [Stream(self, index) for index in range(2)]  # by GPU
        self._devices: dict[int, int] = {}  # memory -> GPU
        self._written: dict[int, int] = {}  # memory -> the operation that wrote it last
        self._read: dict[int, Done] = {}  # memory -> those that have read it since
        self._kept: list[Tensor] = []  # so that no memory is used twice
        self._count = 0
        self._capturing: Graph | None = None
        self._observing = True
        self.making: torch.device | None = None  # where what is being made is said to be
        self._naming = _Naming(self)
        for name, stand_in in (
            ("Stream", lambda device=None: Stream(self, device)),
            ("Event", lambda: Event(self)),
            ("CUDAGraph", lambda: Graph(self)),
            ("graph", self._capture),
            ("stream", self._on_stream),
            ("device", self._on_device),
            ("current_stream", lambda device=None: self._current[self.index_of(device)]),
            ("get_device_name", lambda device=None: "Fake GPU"),
        ):
            monkeypatch.setattr(torch.cuda, name, stand_in)
        monkeypatch.setattr(Tensor, "record_stream", lambda tensor, stream: None)  # memory is never reused

    def __enter__(self) -> "FakeCuda":
        self._naming.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._naming.__exit__(*error)

    def index_of(self, device: Any) -> int:
        index = device.index if isinstance(device, torch.device) else device
        return self.index if index is None else index

    def done(self) -> Done:
        """What is sure to be done before the current stream's next operation."""
        return self._current[self.index].done | self.host.done

    def device_of(self, tensor: Tensor) -> int | None:
        return self._devices.get(memory(tensor))

    def mark(self, value: Any, device: torch.device) -> None:
        """Puts new tensors on a GPU."""
        for tensor in tensors_in(value):
            self._kept.append(tensor)
            self._devices[memory(tensor)] = self.index_of(device)

    def download(self, tensor: Tensor) -> Tensor:
        """To ordinary memory, for which the host waits."""
        copy = tensor.clone()
        device = self._devices.pop(memory(copy), None)
        if device is not None:
            self._current[device].synchronize()
        return copy

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        self._observing = False
        yield
        self._observing = True

    def note(self, name: str, read: list[Tensor], given: Any) -> None:
        """One operation: on the current stream if it concerns a GPU, else the host's own."""
        made = tensors_in(given)
        devices = {device for device in map(self.device_of, [*read, *made]) if device is not None}
        if len(devices) > 1:
            raise RuntimeError(f"{name} on tensors of several GPUs")
        stream = self._current[devices.pop()] if devices else self.host
        before = stream.done | self.host.done  # nothing is launched before the host comes to it
        number = self._count
        for tensor in [*read, *made]:
            place = memory(tensor)
            if self._written.get(place, number) not in before | {number}:
                self.races.append(f"{name} uses what may not be written yet")
        taken = {memory(tensor) for tensor in read}
        for place in {memory(tensor) for tensor in made}:
            if not self._read.get(place, set()) <= before:
                self.races.append(f"{name} overwrites what may still be read")
            self._written[place] = number
            self._read[place] = set()
        for place in taken:
            self._read.setdefault(place, set()).add(number)
        self._count += 1
        stream.done.add(number)

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        given = operation(*args, **kwargs)
        if not self._observing:
            return given
        taken = tensors_in((args, kwargs))
        places = {memory(tensor) for tensor in taken}
        on_gpu = next((device for device in map(self.device_of, taken) if device is not None), None)
        made = [tensor for tensor in tensors_in(given) if memory(tensor) not in places]
        left_behind = [tensor for tensor in _operands(operation, args) if self.device_of(tensor) is None]
        if on_gpu is not None and any(tensor.dim() for tensor in left_behind):
            raise RuntimeError(f"{operation} on tensors on a GPU and in ordinary memory")
        if on_gpu is not None or self.making is not None:
            self.mark(made, self.making or torch.device("cuda", on_gpu))
        self._kept += made
        is_mutable = operation._schema.is_mutable
        if (made or is_mutable) and not str(operation).startswith("aten.empty"):
            self.note(str(operation), taken, given if is_mutable else made)
            if self._capturing is not None:
                self._capturing.captured.append((operation, args, kwargs, given))
        return given

    @contextmanager
    def _on_stream(self, stream: Stream) -> Iterator[None]:
        outer, self._current[stream.device] = self._current[stream.device], stream
        with self._on_device(stream.device):
            yield
        self._current[stream.device] = outer

    @contextmanager
    def _on_device(self, device: Any) -> Iterator[None]:
        outer, self.index = self.index, self.index_of(device)
        yield
        self.index = outer

    @contextmanager
    def _capture(self, graph: Graph, stream: Stream | None = None) -> Iterator[None]:
        with self._on_stream(stream or Stream(self, self.index)):
            self._capturing = graph
            yield
            self._capturing = None


class _Naming(TorchFunctionMode):
    """Lets "cuda" be said where tensors are made and asked for."""

    def __init__(self, gpu: FakeCuda) -> None:
        super().__init__()
        self._gpu = gpu

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function == Tensor.device.__get__:  # type: ignore[attr-defined]
            index = self._gpu.device_of(args[0])
            return CPU if index is None else torch.device("cuda", index)
        if kwargs.pop("pin_memory", False) or function.__name__ == "pin_memory":
            self._gpu.pinned_on.append(self._gpu.index)
        if function.__name__ == "pin_memory":
            return args[0].clone()
        if function.__name__ == "_parse_to":  # of Module.to, which then asks for each of its tensors
            return function(*args, **kwargs)
        if function.__name__ == "cpu":
            return self._gpu.download(args[0])
        self._gpu.making = next(filter(_is_gpu, (*args, *kwargs.values())), None)
        if function.__name__ in ("__deepcopy__", "new_tensor"):  # not by an operation, and where the first is
            index = self._gpu.device_of(args[0])
            self._gpu.making = None if index is None else torch.device("cuda", index)
        answer = function(
            *(CPU if _is_gpu(each) else each for each in args),
            **{name: CPU if _is_gpu(each) else each for name, each in kwargs.items()},
        )
        if self._gpu.making is not None:
            if function.__name__ == "to" and answer is args[0] and self._gpu.device_of(answer) is None:
                answer = answer.clone()  # to the CPU, where it was: PyTorch gives the same tensor
            self._gpu.mark(answer, self._gpu.making)  # also where nothing was computed
        self._gpu.making = None
        return answer


def _is_gpu(value: Any) -> bool:
    return isinstance(value, torch.device) and value.type == "cuda"


def _operands(operation: Any, args: tuple[Any, ...]) -> list[Tensor]:
    """What PyTorch wants in one place; single numbers may be in ordinary memory all the same."""
    if operation in _COPIES:
        return []
    return tensors_in(args[:1] if "index" in str(operation) else args)


def tensors_in(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
