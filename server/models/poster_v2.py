"""POSTER V2: facial expression recognition by landmark-guided cross-attention at three scales.

Source: Mao et al., "POSTER++: A simpler and stronger facial expression recognition network"
(arXiv 2301.12149; authors' code github.com/Talented-Q/POSTER_V2, MIT). The published network and its
compact scale are the same code under two configurations; every module is named as in the authors'
checkpoints. Modules that their forward pass never uses are left out (see ``UNUSED_KEY_PREFIXES``).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ir50 import ImprovedResidualBackbone
from .mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from .vision_transformer import DropPath, Mlp, TokenClassifier

#: Tensors in the authors' checkpoints that their forward pass never uses (or computes and drops).
UNUSED_KEY_PREFIXES = (
    "VIT.CON1.",
    "VIT.IRLinear1.",
    "VIT.IRLinear2.",
    "VIT.blocks.0.conv.",
    "VIT.blocks.1.conv.",
    "VIT.eca_block.",
    "VIT.patch_embed.",
    "ir_back.output_layer.",
    "face_landback.output_layer.",
)


@dataclass(frozen=True)
class PosterV2Config:
    """Sizes of the network; the defaults are the published 43.7 M parameter one."""

    num_classes: int = 7
    input_size: int = 224
    #: Both streams see the image at this size; the pyramid is at 1/4, 1/8 and 1/16 of it.
    stream_size: int = 112
    landmark: MobileFaceNetConfig = field(default_factory=MobileFaceNetConfig)
    image_widths: tuple[int, int, int] = (64, 128, 256)
    image_depths: tuple[int, int, int] = (3, 4, 14)
    attention_heads: tuple[int, int, int] = (2, 4, 8)
    token_width: int = 768
    token_heads: int = 8
    token_depth: int = 2
    mlp_ratio: int = 4
    drop_path: float = 0.1
    layer_scale: float = 1e-5
    #: The published landmark stream is pretrained and stays frozen in training. The compact one, for which
    #: no landmark weights exist, is trained with the rest.
    freeze_landmarks: bool = True


#: The same design at under a fiftieth of the cost, for 48 px faces trained from scratch.
COMPACT = PosterV2Config(
    input_size=48,
    stream_size=48,
    landmark=MobileFaceNetConfig(
        stem_width=32,
        widths=(32, 64, 64),
        transition_expansions=(64, 128, 256),
        residual_expansions=(64, 128, 128),
        depths=(2, 3, 1),
        out_width=256,
    ),
    image_widths=(32, 64, 128),
    image_depths=(2, 3, 5),
    token_width=192,
    token_heads=6,
    layer_scale=0.1,
    freeze_landmarks=False,
)


class WindowNorm(nn.Module):
    """A map's pixels as normalised tokens, in row-major order: (N, C, H, W) -> (N, H*W, C).

    The authors partition the map into windows here; each window spans the whole map, so one is left.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.flatten(2).transpose(1, 2))


class LandmarkCrossAttention(nn.Module):
    """Image tokens attended to by the landmark features.

    Queries are the landmark features themselves, keys and values come from the image tokens, and a
    learned bias depends on the relative position, as in Swin (arXiv 2103.14030).
    """

    relative_position_index: Tensor

    def __init__(self, width: int, window: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_position_index(window))
        self.qkv = nn.Linear(width, 2 * width)  # named by the authors; it holds keys and values only
        self.proj = nn.Linear(width, width)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, image_tokens: Tensor, landmarks: Tensor) -> Tensor:
        """(N, T, C) image tokens and (N, C, H, W) landmark features with T = H*W -> (N, T, C)."""
        n, tokens, width = image_tokens.shape
        head_width = width // self.heads
        # (N, T, 2C) -> (2, N, heads, T, C / heads); keys first
        keys_values = self.qkv(image_tokens).reshape(n, tokens, 2, self.heads, head_width)
        k, v = keys_values.permute(2, 0, 3, 1, 4).unbind(0)
        # (N, C, H, W) -> (N, heads, T, C / heads)
        q = landmarks.reshape(n, self.heads, head_width, tokens).transpose(2, 3)
        bias = self.relative_position_bias_table[self.relative_position_index.flatten()]
        bias = bias.reshape(tokens, tokens, self.heads).permute(2, 0, 1).unsqueeze(0)  # (1, heads, T, T)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self.proj(x.transpose(1, 2).reshape(n, tokens, width))


def relative_position_index(window: int) -> Tensor:
    """(T, T) index into the bias table of every pair of positions in a square window, T = window²."""
    axis = torch.arange(window)
    y, x = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    dy = y[:, None] - y[None, :] + window - 1
    dx = x[:, None] - x[None, :] + window - 1
    return dy * (2 * window - 1) + dx


class FeedForward(nn.Module):
    """Adds the attended tokens to the shortcut, then an MLP, each scaled per channel and regularised
    by stochastic depth."""

    def __init__(self, width: int, mlp_ratio: int, drop_path: float, layer_scale: float) -> None:
        super().__init__()
        self.gamma1 = nn.Parameter(torch.full((width,), layer_scale))
        self.gamma2 = nn.Parameter(torch.full((width,), layer_scale))
        self.norm = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_ratio)
        self.drop_path = DropPath(drop_path)

    def forward(self, attended: Tensor, shortcut: Tensor) -> Tensor:
        """(N, T, C) attended tokens and shortcut -> (N, T, C)."""
        x = shortcut + self.drop_path(self.gamma1 * attended)
        return x + self.drop_path(self.gamma2 * self.mlp(self.norm(x)))


class PatchProjection(nn.Module):
    """A 1x1 convolution to the tokens' width, named ``proj`` as in the checkpoints."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x)


class PosterV2(nn.Module):
    """Takes float32 (N, 3, S, S), S = ``config.input_size``, normalised; returns logits (N, classes)."""

    def __init__(self, config: PosterV2Config) -> None:
        super().__init__()
        self.config = config
        w1, w2, w3 = config.image_widths
        if config.landmark.widths[:2] != (w1, w2):
            raise ValueError("the first two scales of both streams must have the same width")
        scale = config.stream_size // 16  # the coarsest map's side
        width = config.token_width

        self.face_landback = MobileFaceNet(config.landmark)
        self.face_landback.requires_grad_(not config.freeze_landmarks)
        self.last_face_conv = nn.Conv2d(config.landmark.out_width, w3, 3, padding=1)
        self.ir_back = ImprovedResidualBackbone(config.image_widths, config.image_depths)
        self.conv1 = nn.Conv2d(w1, w1, 3, 2, 1)
        self.conv2 = nn.Conv2d(w2, w2, 3, 2, 1)
        self.conv3 = nn.Conv2d(w3, w3, 3, 2, 1)
        self.window1, self.window2, self.window3 = WindowNorm(w1), WindowNorm(w2), WindowNorm(w3)
        h1, h2, h3 = config.attention_heads
        self.attn1 = LandmarkCrossAttention(w1, 4 * scale, h1)
        self.attn2 = LandmarkCrossAttention(w2, 2 * scale, h2)
        self.attn3 = LandmarkCrossAttention(w3, scale, h3)
        regularisation = (config.mlp_ratio, config.drop_path, config.layer_scale)
        self.ffn1 = FeedForward(w1, *regularisation)
        self.ffn2 = FeedForward(w2, *regularisation)
        self.ffn3 = FeedForward(w3, *regularisation)
        self.embed_q = nn.Sequential(nn.Conv2d(w1, width, 3, 2, 1), nn.Conv2d(width, width, 3, 2, 1))
        self.embed_k = nn.Sequential(nn.Conv2d(w2, width, 3, 2, 1))
        self.embed_v = PatchProjection(w3, width)
        self.VIT = TokenClassifier(
            tokens=3 * scale * scale,
            width=width,
            heads=config.token_heads,
            depth=config.token_depth,
            mlp_ratio=config.mlp_ratio,
            drop_path=config.drop_path,
            num_classes=config.num_classes,
        )

    def train(self, mode: bool = True) -> "PosterV2":
        super().train(mode)
        if self.config.freeze_landmarks:
            self.face_landback.eval()  # a frozen stream keeps its running statistics, too
        return self

    def forward(self, x: Tensor) -> Tensor:
        size = self.config.stream_size
        if size != self.config.input_size:
            # "nearest" drops pixels, but the published weights were trained with it.
            x = F.interpolate(x, size=(size, size), mode="nearest")

        landmarks1, landmarks2, landmarks3 = self.face_landback(x)
        image1, image2, image3 = self.ir_back(x)
        o1 = fuse(self.window1, self.attn1, self.ffn1, self.conv1(image1), landmarks1)
        o2 = fuse(self.window2, self.attn2, self.ffn2, self.conv2(image2), landmarks2)
        o3 = fuse(self.window3, self.attn3, self.ffn3, self.conv3(image3), self.last_face_conv(landmarks3))

        scales = (self.embed_q(o1), self.embed_k(o2), self.embed_v(o3))
        # each (N, width, s, s) -> (N, s*s, width)
        tokens = torch.cat([scale.flatten(2).transpose(1, 2) for scale in scales], dim=1)
        return self.VIT(tokens)


def fuse(
    window: WindowNorm,
    attention: LandmarkCrossAttention,
    feed_forward: FeedForward,
    image: Tensor,
    landmarks: Tensor,
) -> Tensor:
    """One scale's image features (N, C, H, W), guided by its landmark features of the same shape."""
    shortcut = window(image)  # (N, H*W, C)
    tokens = feed_forward(attention(shortcut, landmarks), shortcut)
    return tokens.transpose(1, 2).reshape(image.shape)
