"""Trains the face verifier (server/detection/verifier.py) on what the face detector proposes.

    python -m scripts.train_face_verifier photographs.tar TEXTURES --out face_verifier.safetensors

Faces come from the photographs of bench/detection.py, of the people that thresholds were chosen on: as head
shots, in scenes, cut off, and under headsets, masks and blocks of many colours and textures. TEXTURES is a
folder of images without any face (JPEG, PNG, WebP): they cover faces, and are searched for proposals that are
none. The published weights used the wallpapers of Debian's gnome-backgrounds, mate-backgrounds and
plasma-workspace-wallpapers. Each proposal is one example, a face where it overlaps the face's box by half. A
fifth of the images is held out for the figures that are printed at the end. Takes half an hour on one core.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector, view
from emostream.detection.suppression import best_of_each_face
from emostream.detection.verifier import INPUT_PX
from emostream.imaging.boxes import ious
from emostream.imaging.crop import RawBoxXywh, face_square
from emostream.settings import read_settings
from emostream.training.occlusion import HEADSET, MASK
from rich.progress import track
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from bench.detection import Example, cut_off, head_shot, in_scene, photographs, with_reference

WIDTHS = ((1, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1))
PROPOSALS_PER_IMAGE = 6
#: Of the proposals' scores, lower than the detector's own.
MIN_SCORE = 0.1
MIN_FACE_PX = 40
IS_FACE_IOU, NO_FACE_IOU = 0.5, 0.2
FACES_PER_BATCH, OTHERS_PER_BATCH = 48, 80
KINDS = ("none", "headset", "mask", "block")


class Network(nn.Module):
    """Takes float32 (N, 1, 48, 48), each image's own mean and deviation out; returns logits (N, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
                for i, o, stride in WIDTHS
            )
        )
        self.head = nn.Linear(2 * WIDTHS[-1][1], 2)

    def forward(self, x: Tensor) -> Tensor:
        x = (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 4)
        maps = self.body(x)
        logits: Tensor = self.head(torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), 1))
        return logits


@dataclass(frozen=True)
class Examples:
    """Crops uint8 (N, 48, 48), whether each is a face, its image's number, and what covers that face."""

    crops: npt.NDArray[np.uint8]
    is_face: npt.NDArray[np.bool_]
    image: npt.NDArray[np.intp]
    kind: npt.NDArray[np.str_]


class Painter:
    """Draws what covers faces, and images without any."""

    def __init__(self, folder: Path, generator: np.random.Generator) -> None:
        self._generator = generator
        self._textures = []
        for path in sorted(folder.rglob("*")):
            bgr = cv2.imread(str(path)) if path.suffix in (".jpg", ".png", ".webp") else None
            if bgr is not None and min(bgr.shape[:2]) >= 700:
                scale = min(1.0, 2600 / bgr.shape[1])
                small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                self._textures.append(np.ascontiguousarray(small[..., ::-1]))
        if not self._textures:
            raise SystemExit(f"error: no image of 700 px or more in {folder}")

    def texture(self, smallest: float, largest: float) -> Pixels:
        """A square of one of the textures, of these parts of its shorter side."""
        generator = self._generator
        image = self._textures[generator.integers(len(self._textures))]
        side = int(generator.uniform(smallest, largest) * min(image.shape[:2]))
        y, x = (int(generator.integers(0, length - side + 1)) for length in image.shape[:2])
        return np.asarray(image[y : y + side, x : x + side], np.uint8)

    def without_face(self) -> Pixels:
        side = int(self._generator.integers(160, 640))
        image = cv2.resize(self.texture(0.15, 1), (side, side), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(np.rot90(image, int(self._generator.integers(4)))).astype(np.uint8)

    def _material(self, size_wh: tuple[int, int]) -> Pixels:
        generator, (width, height) = self._generator, size_wh
        if generator.random() < 0.45:
            level = generator.uniform(0, 255, 3) if generator.random() < 0.4 else generator.uniform(0, 255)
            shade = np.linspace(*generator.uniform(0.8, 1.2, 2), height)[:, None, None]
            return (level * shade + np.zeros((height, width, 3))).clip(0, 255).astype(np.uint8)
        part = cv2.resize(self.texture(0.1, 0.9), size_wh, interpolation=cv2.INTER_AREA).astype(np.float32)
        contrast = (part - part.mean((0, 1))) * generator.uniform(0.1, 0.9)
        return np.asarray((generator.uniform(0, 255) + contrast).clip(0, 255), np.uint8)

    def covered(self, example: Example, kind: str) -> Example:
        """The face under a headset, a mask or a block, at a place of its own each time."""
        generator = self._generator
        height, width, _ = example.image.shape
        left, top, side, _ = face_square(example.box_xywh)
        region = {"headset": HEADSET, "mask": MASK}.get(kind)
        if region is None:
            area, aspect = generator.uniform(0.06, 0.25), math.exp(generator.uniform(-0.7, 0.7))
            w, h = min(math.sqrt(area * aspect), 0.85), min(math.sqrt(area / aspect), 0.85)
            x, y = generator.uniform(0, 1 - w), generator.uniform(0.1, 1 - h)
            edges, roundness = np.array((x, y, x + w, y + h)), 64
        else:
            edges = np.array((region.left, region.top, region.right, region.bottom))
            edges, roundness = edges + generator.uniform(-0.08, 0.08, 4), int(generator.choice((4, 8, 12)))
        x0, y0, x1, y1 = edges * side + np.array((left, top, left, top))
        across = np.abs((2 * (np.arange(width) + 0.5) - x0 - x1) / (x1 - x0)) ** roundness
        down = np.abs((2 * (np.arange(height) + 0.5) - y0 - y1) / (y1 - y0)) ** roundness
        inside = down[:, None] + across[None] <= 1
        image = example.image.copy()
        image[inside] = self._material((width, height))[inside]
        return Example(image, example.box_xywh)


def faces(
    archive: Path, painter: Painter, detector: FaceDetector, number: int
) -> Iterator[tuple[Example, str]]:
    """Photographs in the conditions of the measurement, with what covers them."""
    generator = np.random.default_rng(1)
    for image in photographs(archive, "choice"):
        example = with_reference(image, detector.network)
        if example is None:
            continue
        kind = str(generator.choice(KINDS, p=(0.3, 0.35, 0.2, 0.15)))
        frame = generator.random()
        if frame < 0.3:
            example = head_shot(example)
        elif frame < 0.7:
            example = in_scene(example, generator)
        if kind != "none":
            example = painter.covered(example, kind)
        if generator.random() < 0.25:
            example = cut_off(example, str(generator.choice(("left", "right", "top", "bottom"))))
        yield example, kind
        number -= 1
        if number == 0:
            return


def proposals(detector: FaceDetector, image: Pixels) -> list[RawBoxXywh]:
    """What may be a face, and where a second look sees it."""
    found, _ = detector.proposals(image, MIN_FACE_PX, MIN_SCORE)
    boxes = found[best_of_each_face(found)[:PROPOSALS_PER_IMAGE]].boxes()
    looked = [detector.second_look(image, box, MIN_SCORE / 2) for box in boxes]
    return boxes + [face.boxes()[0] for face in looked if len(face)]


def collect(archive: Path, painter: Painter, detector: FaceDetector, photos: int, empty: int) -> Examples:
    crops, labels, images, kinds = [], [], [], []
    made = [*faces(archive, painter, detector, photos)]
    for number, (example, kind) in enumerate(
        track([*made, *((None, "no face") for _ in range(empty))], "proposals")
    ):
        image = painter.without_face() if example is None else example.image
        for box in proposals(detector, image):
            overlap = 0.0
            if example is not None:
                pair = (np.array([each], np.float32) for each in (box, example.box_xywh))
                overlap = float(ious(*pair)[0, 0])
            if NO_FACE_IOU <= overlap < IS_FACE_IOU:
                continue
            crop = view(image, face_square(box), 1.0, INPUT_PX).pixels
            crops.append(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))
            labels.append(overlap >= IS_FACE_IOU)
            images.append(number)
            kinds.append(kind)
    return Examples(np.array(crops, np.uint8), np.array(labels), np.array(images), np.array(kinds))


def augmented(x: Tensor) -> Tensor:
    """Turned by up to 14°, scaled, moved, mirrored, coarser, brighter or darker, noisy."""
    n = len(x)
    angle, scale = (torch.rand(n) - 0.5) * 0.5, 1 + (torch.rand(n) - 0.5) * 0.3
    mirror, move = torch.where(torch.rand(n) < 0.5, -1.0, 1.0), (torch.rand(n, 2) - 0.5) * 0.2
    rows = (
        torch.stack([mirror * scale * angle.cos(), -scale * angle.sin(), move[:, 0]], 1),
        torch.stack([mirror * scale * angle.sin(), scale * angle.cos(), move[:, 1]], 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, align_corners=False)
    if torch.rand(1) < 0.3:
        coarse = F.interpolate(x, size=int(torch.randint(14, 40, (1,))), mode="area")
        x = F.interpolate(coarse, size=INPUT_PX, mode="bilinear")
    x = x * (0.5 + torch.rand(n, 1, 1, 1)) + torch.randn(n, 1, 1, 1) * 20
    return x + torch.randn_like(x) * torch.rand(n, 1, 1, 1) * 12


def train(examples: Examples, steps: int) -> Network:
    torch.manual_seed(3)
    generator = np.random.default_rng(0)
    learnt = examples.image % 5 != 0
    classes = (
        (np.nonzero(learnt & examples.is_face)[0], FACES_PER_BATCH),
        (np.nonzero(learnt & ~examples.is_face)[0], OTHERS_PER_BATCH),
    )
    model = Network()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for _ in track(range(steps), "training"):
        chosen = np.concatenate([generator.choice(places, number) for places, number in classes])
        images = augmented(torch.from_numpy(examples.crops[chosen]).float()[:, None])
        labels = torch.from_numpy(examples.is_face[chosen]).long()
        loss = F.cross_entropy(model(images), labels, label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
    average.eval()
    assert isinstance(average.module, Network)
    return average.module


def report(model: Network, examples: Examples) -> None:
    """Of the images that were held out: the share of proposals above 0.5, 0.9 and 0.98."""
    held_out = examples.image % 5 == 0
    with torch.no_grad():
        logits = model(torch.from_numpy(examples.crops[held_out]).float()[:, None])
    probability = F.softmax(logits, 1)[:, 1].numpy()
    is_face, kind = examples.is_face[held_out], examples.kind[held_out]
    for name in (*KINDS, "no face"):
        chosen = probability[(kind == name) & (is_face == (name != "no face"))]
        shares = (
            ", ".join(f"{(chosen > least).mean():.3f}" for least in (0.5, 0.9, 0.98)) if len(chosen) else "–"
        )
        print(f"{name}: {len(chosen)} proposals, above 0.5, 0.9, 0.98: {shares}")


def folded(model: Network) -> dict[str, npt.NDArray[np.float16]]:
    """Weights with each convolution's norm folded into it."""
    weights: dict[str, Tensor] = {}
    for index, (convolution, norm, _) in enumerate(model.body):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weights[f"convolutions.{index}.weight"] = convolution.weight * scale[:, None, None, None]
        weights[f"convolutions.{index}.bias"] = norm.bias - norm.running_mean * scale
    weights |= {f"head.{name}": value for name, value in model.head.named_parameters()}
    return {name: value.detach().half().numpy() for name, value in weights.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path, help="a tar file of JPEG files")
    parser.add_argument("textures", type=Path, help="a folder of images without faces")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=1500)
    parser.add_argument("--empty", type=int, default=1200, help="images without a face")
    parser.add_argument("--steps", type=int, default=900)
    arguments = parser.parse_args()
    detector = FaceDetector.load(read_settings().faces_dir)
    painter = Painter(arguments.textures, np.random.default_rng(5))
    examples = collect(arguments.photographs, painter, detector, arguments.photos, arguments.empty)
    model = train(examples, arguments.steps)
    report(model, examples)
    metadata = {"architecture": "face_verifier", "labels": json.dumps(["no_face", "face"])}
    save_file(folded(model), str(arguments.out), metadata=metadata)


if __name__ == "__main__":
    main()
