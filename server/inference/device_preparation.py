"""Encoded crops made ready on the device that computes: only the file's bytes or its pixels travel there."""

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

#: A crop, or several of one size along a first axis: in memory, or on the device that computes.
Pixels = npt.NDArray[np.uint8] | Tensor

#: A crop at each of the networks' input sizes, uint8 (S, S, 3) RGB.
PreparedFace = tuple[Pixels, ...]

#: A JPEG file to uint8 (3, H, W) RGB on the device. Raises RuntimeError for what it cannot decode.
JpegDecoder = Callable[[bytes], Tensor]

_UPRIGHT = 1
_END_OF_JPEG = b"\xff\xd9"

#: CUDA's antialiasing holds a filter's window in shared memory, which suffices to shrink by some 90.
_MOST_SHRINKING = 64


class DevicePreparation:
    """Decodes a crop, on the device where it can, and resizes it there.

    Safe to call from several threads: each has a CUDA stream of its own, so their work overlaps with the
    networks' and with each other's.
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
                # Whoever computes with the crops does so on another stream, and nvJPEG's output must not be
                # freed while this stream still reads it: torchvision's decoder takes recycled memory without
                # waiting for its earlier readers.
                torch.cuda.current_stream(self._device).synchronize()
        return face

    def _on_own_stream(self) -> AbstractContextManager[object]:
        if self._device.type != "cuda":
            return nullcontext()
        if not hasattr(self._own, "stream"):
            self._own.stream = torch.cuda.Stream(self._device)
        return torch.cuda.stream(self._own.stream)

    def _decoded(self, data: bytes, max_pixels: int) -> Tensor:
        """Uint8 (3, H, W) on the device."""
        if self._decode_jpeg is not None and is_plain_jpeg(data, max_pixels):
            try:
                return self._decode_jpeg(data)
            except RuntimeError:
                pass  # a kind of JPEG that the device cannot read, or a broken one: the CPU's decoder knows
        pixels = torch.from_numpy(np.array(decode(data, max_pixels)))
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True)
        return pixels.permute(2, 0, 1)


_copying = threading.local()


def on_host(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """A prepared crop in memory. From a GPU it comes on a stream of the thread's own: on the networks' it
    would wait for what they compute."""
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
    """Whether a file is a whole, upright, grey or RGB JPEG without a colour profile: what a decoder in
    hardware treats as the CPU's.

    A truncated one would come out of it with grey pixels for the missing ones instead of an error.
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
    """Uint8 (3, H, W) to (S, S, 3), with antialiasing by the same triangle filter as ``prepare``'s."""
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
    """Float (N, C, H, W), averaged over whole pixels, until no side exceeds ``_MOST_SHRINKING * side``."""
    factors = [max(1, 2 * length // (_MOST_SHRINKING * side)) for length in pixels.shape[2:]]
    return pixels if factors == [1, 1] else F.avg_pool2d(pixels, factors, ceil_mode=True)


def nvjpeg_decoder(device: torch.device) -> JpegDecoder | None:
    """torchvision's, where it is installed and fits PyTorch; None otherwise."""
    if device.type != "cuda":
        return None
    try:
        from torchvision.io import ImageReadMode, decode_jpeg
    except (ImportError, RuntimeError):  # the latter where it was built for another PyTorch
        return None

    def decode_on_device(data: bytes) -> Tensor:
        file = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        pixels: Tensor = decode_jpeg(file, mode=ImageReadMode.RGB, device=device)
        return pixels

    return decode_on_device


def stack(faces: Sequence[PreparedFace]) -> list[Pixels]:
    """N faces at each size (S, S, 3) to one (N, S, S, 3) a size: on the device if any of them is there."""
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
                tensor.record_stream(computing)  # their memory belongs to the stream that prepared them
        stacked.append(torch.stack(tensors))
    return stacked
