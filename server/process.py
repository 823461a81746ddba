"""What belongs to the whole process and not to one object: set in one place, by entry points only."""

import ctypes
import gc
import importlib
import platform
import sys
import warnings
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

#: Python's turn of a thread, in seconds.
_SWITCH_INTERVAL_S = 0.0005

#: glibc's name for the size from which blocks are mapped one by one, and the size.
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 1024 * 1024


def configure_process() -> None:
    """Sets the switches that libraries have for the whole process. Entry points call it before anything is
    loaded: the app, the commands that compute, and ``emostream.Analyzer``. More often does no harm."""
    _block_telemetry()
    # Pillow warns of damaged metadata, over which strangers' files would have a line each in the log.
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
    if find_spec("cv2") is not None:
        import cv2

        # Threads work on images of their own; were each of them to split its resizing over all cores as well,
        # they would only be in each other's way.
        cv2.setNumThreads(1)
    if find_spec("torch") is not None:
        import torch

        # By default PyTorch computes convolutions in float32 with ten bits of mantissa, float16's number.
        torch.backends.cudnn.allow_tf32 = False


def configure_server() -> None:
    """Sets what a server needs beside ``configure_process``: strangers share its threads and its memory.

    The event loop, which gives up the interpreter's lock with each message, waits for it behind threads that
    decode and search; at Python's 5 ms a turn, others' frames took almost twice as long beside somebody who
    sends large images (measured: bench/README.md, as is the memory).
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # Once glibc has freed an image it keeps room for others of its size, up to 32 MiB for each thread, for
    # good. With a threshold of ours, large blocks go back to the system.
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def freeze_heap() -> None:
    """For servers, once everything is loaded: what is there stays.

    Left to the garbage collector, each full collection walks through all of PyTorch's objects and stops the
    event loop for 130 ms (measured: bench/event_loop.py).
    """
    gc.collect()
    gc.freeze()


def import_openvino() -> ModuleType:
    """Imported late, as most commands do without it. Raises ImportError where it cannot be loaded."""
    _block_telemetry()
    return importlib.import_module("openvino")


@cache
def openvino_core() -> Any:
    """OpenVINO's one Core of this process, which is never let go. Raises ImportError as ``import_openvino``.

    With its first network on a CPU OpenVINO gives the calling thread a stack of its own for signal handlers.
    Once the last Core is gone it unmaps that stack, but resets only the thread that ends the Core. The
    next signal in the other thread, such as Ctrl-C in a notebook, would end the process with a segmentation
    fault.
    """
    return import_openvino().Core()


def _block_telemetry() -> None:
    """OpenVINO's telemetry reports each import and conversion to a third party. Where its package cannot be
    imported OpenVINO uses a stub of its own."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # makes its import fail
