"""Normalises pixels to a network's input, in one module for serving and training.

It runs inside the inference graph, on the GPU or OpenVINO, and in the training loop, so the two cannot
differ.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: ITU-R BT.601 luma, as JPEG and the grey-scale conversions of common libraries use it.
LUMA_RGB = (0.299, 0.587, 0.114)

IMAGENET_MEAN_RGB = (0.485, 0.456, 0.406)
IMAGENET_STD_RGB = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NormalisationSpec:
    """How a network's input is normalised.

    ``per_image`` subtracts each image's own mean and divides by its own standard deviation (over all pixels
    and channels), so exposure and contrast do not matter. Otherwise ``mean`` and ``std`` are used (RGB, of
    values in [0, 1]). ``grayscale`` replaces the three channels by their luma.
    """

    grayscale: bool = False
    per_image: bool = False
    mean: tuple[float, float, float] = IMAGENET_MEAN_RGB
    std: tuple[float, float, float] = IMAGENET_STD_RGB


class Normalisation(nn.Module):
    """Takes RGB values in [0, 255], float (N, 3, H, W); returns the network's input, (N, 3, H, W)."""

    luma: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, spec: NormalisationSpec) -> None:
        super().__init__()
        self.spec = spec
        for name, values in (("luma", LUMA_RGB), ("mean", spec.mean), ("std", spec.std)):
            self.register_buffer(name, _channels(values), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x / 255.0
        if self.spec.grayscale:
            x = (x * self.luma).sum(1, keepdim=True).expand(-1, 3, -1, -1)
        if not self.spec.per_image:
            return (x - self.mean) / self.std
        centred = x - x.mean((1, 2, 3), keepdim=True)
        # At least one grey level: a flat image stays flat and is not amplified to noise.
        deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1 / 255)
        return centred / deviation


def _channels(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)
