"""A graph model of TensorFlow.js, made up, with the names and shapes of the MobileNet for faces."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

_WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)


def face_mobilenet_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays by name: kernels that keep the size of what they see, shifts near 0.5."""
    generator = np.random.default_rng(seed)

    def normal(*shape: int, deviation: float) -> np.ndarray:
        return generator.normal(0, deviation, shape).astype(np.float32)

    def shift(width: int) -> np.ndarray:
        return 0.5 + normal(width, deviation=0.1)

    arrays = {
        "conv1/convolution/merged_input": normal(3, 3, 3, 32, deviation=(2 / 27) ** 0.5 / 60),
        "conv1_bn/batchnorm_1/sub": shift(32),
    }
    for pair, (given, width) in enumerate(pairwise(_WIDTHS), start=1):
        arrays[f"conv_dw_{pair}/depthwise_kernel"] = normal(3, 3, given, 1, deviation=(2 / 9) ** 0.5)
        arrays[f"conv_dw_{pair}_bn/batchnorm_1/mul"] = 1 + normal(given, deviation=0.1)
        arrays[f"conv_dw_{pair}_bn/batchnorm_1/sub"] = shift(given)
        kernel = normal(1, 1, given, width, deviation=(2 / given) ** 0.5)
        arrays[f"conv_pw_{pair}/convolution/merged_input"] = kernel
        arrays[f"conv_pw_{pair}_bn/batchnorm_1/sub"] = shift(width)
    return arrays


def write_graph_model(path: Path, arrays: dict[str, np.ndarray], half: bool = False, shards: int = 2) -> Path:
    """Writes ``path`` and its binary files, the arrays as float16 if ``half``."""
    weights: list[dict[str, Any]] = []
    data = b""
    for name, array in arrays.items():
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": "float32"}
        if half:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        weights.append(entry)
        data += array.astype("<f2" if half else "<f4").tobytes()
    cut = len(data) // shards + 1
    names = [f"{path.stem}-shard{i}.bin" for i in range(shards)]
    for i, name in enumerate(names):
        (path.parent / name).write_bytes(data[i * cut : (i + 1) * cut])
    path.write_text(
        json.dumps({"modelTopology": {}, "weightsManifest": [{"paths": names, "weights": weights}]})
    )
    return path
