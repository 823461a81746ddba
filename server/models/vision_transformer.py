"""The token mixer at the end of POSTER V2: pre-norm transformer blocks over the three scales' tokens.

Source: Dosovitskiy et al., ViT (arXiv 2010.11929), with the squeeze-and-excitation of the class token
that POSTER V2's authors add (arXiv 2301.12149). Module names are the checkpoint's.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, width: int, ratio: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, width * ratio)
        self.fc2 = nn.Linear(width * ratio, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class DropPath(nn.Module):
    """Stochastic depth: drops the whole residual branch of a sample, in training only (arXiv 1603.09382)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        mask = torch.empty(x.shape[0], *([1] * (x.ndim - 1)), dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(keep).div_(keep)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one linear for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        n, tokens, width = x.shape
        # (N, T, 3C) -> (3, N, heads, T, C / heads)
        qkv = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.proj(attended.transpose(1, 2).flatten(2))

    def first_token(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, 1, C): the first token of ``forward``'s result, at a fraction of its cost.

        With one query per head, it is cheaper to project the query onto the tokens than every token to its
        key, and to compute one value from the tokens' weighted mean. The keys' bias adds a constant to all
        scores of a query, which the softmax cancels.
        """
        n, _, width = x.shape
        head_width = width // self.heads
        to_query, to_key, to_value = self.qkv.weight.chunk(3)
        query_bias, _, value_bias = self.qkv.bias.chunk(3)
        # All products are convolutions, with groups for each head's own matrix: as matrix products they would
        # be rounded differently for different N in bfloat16.
        q = F.conv1d(x[:, :1].transpose(1, 2), to_query[:, :, None], query_bias)
        to_direction = to_key.reshape(self.heads, head_width, width).transpose(1, 2).flatten(0, 1)
        directions = F.conv1d(q, to_direction[:, :, None], groups=self.heads)
        scores = directions.reshape(n, self.heads, width) @ x.transpose(1, 2)  # (N, heads, T)
        means = (scores * head_width**-0.5).softmax(-1) @ x  # (N, heads, C)
        values = F.conv1d(means.reshape(n, -1, 1), to_value[:, :, None], value_bias, groups=self.heads)
        return self.proj(values.transpose(1, 2))


class Block(nn.Module):
    """Attention and MLP, each on the normalised input and added to it."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width, mlp_ratio)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        return self._add(x, self.attn(self.norm1(x)))

    def first_token(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, 1, C): the first token of ``forward``'s result, at a fraction of its cost."""
        return self._add(x[:, :1], self.attn.first_token(self.norm1(x)))

    def _add(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.drop_path(attended)
        return x + self.drop_path(self.mlp(self.norm2(x)))


class SqueezeExcitation(nn.Module):
    """x * sigmoid(linear2(relu(linear1(x)))) on the class token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, width)
        self.linear2 = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.linear2(F.relu(self.linear1(x))))


class ClassificationHead(nn.Module):
    """One linear layer, named ``linear`` as in the checkpoints."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class TokenClassifier(nn.Module):
    """Takes (N, tokens, width); returns logits (N, num_classes)."""

    def __init__(
        self,
        tokens: int,
        width: int,
        heads: int,
        depth: int,
        mlp_ratio: int,
        drop_path: float,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads, mlp_ratio, drop_path) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.se_block = SqueezeExcitation(width)
        self.head = ClassificationHead(width, num_classes)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        *earlier, last = self.blocks
        for block in earlier:
            x = block(x)
        assert isinstance(last, Block)
        # Only the first token decides the class. The last block does not compute the others, which would be a
        # tenth of the whole network's operations.
        return self.head(self.se_block(self.norm(last.first_token(x)).squeeze(1)))
