"""From pixels to a network's input, defined once for serving and training.

The same module runs inside the inference graph (so a GPU or OpenVINO does the arithmetic) and in the
training loop, and therefore can't differ between the two.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: ITU-R BT.601 luma, what JPEG and every grey-scale conversion of the usual libraries use.
LUMA_RGB = (0.299, 0.587, 0.114)

IMAGENET_MEAN_RGB = (0.485, 0.456, 0.406)
IMAGENET_STD_RGB = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NormalisationSpec:
    """How a network wants its pixels.

    ``per_image`` subtracts each image's own mean and divides by its own standard deviation (over all
    pixels and channels), which makes the network blind to exposure and contrast; otherwise ``mean`` and
    ``std`` (RGB, of values in [0, 1]) are used. ``grayscale`` replaces the three channels by their luma.
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
        # A floor of one grey level: a flat image stays flat and isn't blown up into noise.
        deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1 / 255)
        return centred / deviation


def _channels(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)
