"""Prepares encoded crops on the compute device: only the file's bytes or its pixels are copied there."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..exceptions import ImageError
from ..imaging.decoding import decode, orientation_of, read_header

#: A crop, or a batch of crops of one size: in host memory, or on the compute device.
Pixels = npt.NDArray[np.uint8] | Tensor

#: A crop at each of the networks' input sizes, uint8 (S, S, 3) RGB.
PreparedFace = tuple[Pixels, ...]

#: Decodes a JPEG file to uint8 (3, H, W) RGB on the device. Raises RuntimeError if it cannot.
JpegDecoder = Callable[[bytes], Tensor]

_UPRIGHT = 1
_END_OF_JPEG = b"\xff\xd9"

#: CUDA's antialiasing keeps the filter's window in shared memory, which allows shrinking by up to about 90.
_MOST_SHRINKING = 64


class DevicePreparation:
    """Decodes a crop, on the device if possible, and resizes it there.

    Safe to call from several threads: each has its own CUDA stream, so that their work overlaps with each
    other's and with forward passes.
    """

    def __init__(
        self, device: torch.device, sizes: Sequence[int], decode_jpeg: JpegDecoder | None = None
    ) -> None:
        self._device, self._sizes, self._decode_jpeg = device, tuple(sizes), decode_jpeg
        self._own = threading.local()

    @torch.inference_mode()
    def __call__(self, data: bytes, max_pixels: int) -> PreparedFace:
        """The crop at each size, uint8 (S, S, 3) RGB tensors on the device.

        Raises InvalidImageError and ImageTooLargeError, as ``decode`` does.
        """
        with self._on_own_stream():
            pixels = self._decoded(data, max_pixels)
            face = tuple(resized(pixels, side) for side in self._sizes)
            if self._device.type == "cuda":
                # The forward pass reads the crops on another stream. Also, nvJPEG's output must not be freed
                # while this stream still reads it: torchvision's decoder reuses memory without waiting for
                # its earlier readers.
                torch.cuda.current_stream(self._device).synchronize()
        return face

    def _on_own_stream(self) -> AbstractContextManager[object]:
        if self._device.type != "cuda":
            return nullcontext()
        if not hasattr(self._own, "stream"):
            self._own.stream = torch.cuda.Stream(self._device)
        return torch.cuda.stream(self._own.stream)

    def _decoded(self, data: bytes, max_pixels: int) -> Tensor:
        """The crop as uint8 (3, H, W) on the device."""
        if self._decode_jpeg is not None and is_plain_jpeg(data, max_pixels):
            try:
                return self._decode_jpeg(data)
            except RuntimeError:
                pass  # an unsupported kind of JPEG or a broken one: the CPU's decoder tells which
        pixels = torch.from_numpy(np.array(decode(data, max_pixels)))
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True)
        return pixels.permute(2, 0, 1)


_copying = threading.local()


def on_host(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """A prepared crop in host memory. From a GPU it is copied on the thread's own stream: on the networks'
    stream the copy would wait for their forward pass."""
    if not isinstance(pixels, Tensor):
        return pixels
    if pixels.device.type != "cuda":
        return np.asarray(pixels.numpy())
    stream = getattr(_copying, "stream", None)
    if stream is None or stream.device != pixels.device:
        stream = _copying.stream = torch.cuda.Stream(pixels.device)
    with torch.cuda.stream(stream):
        return np.asarray(pixels.cpu().numpy())


def is_plain_jpeg(data: bytes, max_pixels: int) -> bool:
    """Whether a file is a complete, upright, grey or RGB JPEG without a colour profile, for which a hardware
    decoder gives the same image as the CPU's.

    For a truncated file, that decoder would return grey pixels instead of an error.
    """
    if not data.rstrip(b"\0").endswith(_END_OF_JPEG):
        return False
    try:
        image: Image.Image = read_header(data, max_pixels)
    except ImageError:
        return False
    is_plain = image.format == "JPEG" and image.mode in ("L", "RGB") and "icc_profile" not in image.info
    return is_plain and orientation_of(image) == _UPRIGHT


def resized(pixels: Tensor, side: int) -> Tensor:
    """Resizes uint8 (3, H, W) to (S, S, 3), with the same antialiasing triangle filter as ``prepare``."""
    if pixels.shape[1:] != (side, side):
        small = F.interpolate(
            reduced(pixels[None].float(), side),
            size=(side, side),
            mode="bilinear",
            antialias=True,
            align_corners=False,
        )
        pixels = small[0].round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous()


def reduced(pixels: Tensor, side: int) -> Tensor:
    """Averages float (N, C, H, W) over whole pixels until no side exceeds ``_MOST_SHRINKING * side``."""
    factors = [max(1, 2 * length // (_MOST_SHRINKING * side)) for length in pixels.shape[2:]]
    return pixels if factors == [1, 1] else F.avg_pool2d(pixels, factors, ceil_mode=True)


def nvjpeg_decoder(device: torch.device) -> JpegDecoder | None:
    """torchvision's decoder if it is installed and fits PyTorch; None otherwise."""
    if device.type != "cuda":
        return None
    try:
        from torchvision.io import ImageReadMode, decode_jpeg
    except (ImportError, RuntimeError):  # the latter if it was built for another PyTorch
        return None

    def decode_on_device(data: bytes) -> Tensor:
        file = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        pixels: Tensor = decode_jpeg(file, mode=ImageReadMode.RGB, device=device)
        return pixels

    return decode_on_device


def stack(faces: Sequence[PreparedFace]) -> list[Pixels]:
    """Stacks N faces, (S, S, 3) at each size, to one (N, S, S, 3) per size, on the device if any is there."""
    stacked: list[Pixels] = []
    for crops in zip(*faces, strict=True):
        device = next((crop.device for crop in crops if isinstance(crop, torch.Tensor)), None)
        if device is None:
            stacked.append(np.stack([np.asarray(crop) for crop in crops]))
            continue
        tensors = [torch.as_tensor(crop, device=device) for crop in crops]
        if device.type == "cuda":
            computing = torch.cuda.current_stream(device)
            for tensor in tensors:
                tensor.record_stream(computing)  # their memory belongs to the preparing stream
        stacked.append(torch.stack(tensors))
    return stacked
