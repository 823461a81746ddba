"""Creates networks by the name of their architecture."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from ..exceptions import UnknownModelError
from .dan import Dan, DanConfig
from .mobilenet import MobileNet, MobileNetConfig
from .pair import Pair
from .poster_v2 import COMPACT, PosterV2, PosterV2Config
from .se_resnet import SeResNet, SeResNetConfig

_BUILDERS: dict[str, tuple[Callable[[int], nn.Module], int]] = {
    "poster_v2": (lambda classes: PosterV2(PosterV2Config(num_classes=classes)), PosterV2Config.input_size),
    "dan": (lambda classes: Dan(DanConfig(num_classes=classes)), DanConfig.input_size),
    "poster_v2_compact": (
        lambda classes: PosterV2(replace(COMPACT, num_classes=classes)),
        COMPACT.input_size,
    ),
    "mobilenet": (
        lambda classes: MobileNet(MobileNetConfig(num_classes=classes)),
        MobileNetConfig.input_size,
    ),
    "se_resnet": (lambda classes: SeResNet(SeResNetConfig(num_classes=classes)), SeResNetConfig.input_size),
    "mobilenet_pair": (
        lambda classes: Pair(MobileNet(MobileNetConfig()), MobileNet(MobileNetConfig()), classes),
        MobileNetConfig.input_size,
    ),
    "se_resnet_pair": (
        lambda classes: Pair(SeResNet(SeResNetConfig()), SeResNet(SeResNetConfig()), classes),
        SeResNetConfig.input_size,
    ),
}

ARCHITECTURES = tuple(_BUILDERS)

#: The architecture of two networks under one head, by that of the single network.
PAIRS = {"mobilenet": "mobilenet_pair", "se_resnet": "se_resnet_pair"}


def create_model(name: str, num_classes: int) -> nn.Module:
    """A freshly initialised network, in training mode.

    It takes float32 (N, 3, H, W) in the model's own normalisation, H = W = ``input_size(name)``, and
    returns logits (N, num_classes). Raises UnknownModelError for a name not in ARCHITECTURES.
    """
    return _builder(name)[0](num_classes)


def last_layer_keys(name: str) -> set[str]:
    """Names in an architecture's state dict of what has its shape from the number of labels."""
    with torch.device("meta"):  # without memory, and without random numbers
        two, three = (create_model(name, labels).state_dict() for labels in (2, 3))
    return {key for key, value in two.items() if value.shape != three[key].shape}


def input_size(name: str) -> int:
    """Side in pixels of the square image that the architecture takes."""
    return _builder(name)[1]


def _builder(name: str) -> tuple[Callable[[int], nn.Module], int]:
    if name not in _BUILDERS:
        raise UnknownModelError(name, ARCHITECTURES)
    return _BUILDERS[name]
