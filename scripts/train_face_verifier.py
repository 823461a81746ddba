"""Trains the face verifier (server/detection/verifier.py): no face, or what covers a face.

    python -m scripts.train_face_verifier photographs.tar TEXTURES FERPLUS --out new.safetensors \\
        --start-from server/detection/face_verifier.safetensors

Faces come from the photographs of bench/detection.py, of the people that thresholds are chosen on, and from
FER+'s training split. The photographs are searched as head shots, in scenes, cut off, and under drawn
headsets, masks and blocks of many colours and textures: each proposal of the face detector is one example, a
face where it overlaps the face's box by half. Others are crops as the networks get them. TEXTURES is a folder
of images without any face (JPEG, PNG, WebP), of which covers and images without a face are made. The
published weights used the wallpapers of Debian's gnome-backgrounds, mate-backgrounds and
plasma-workspace-wallpapers. FERPLUS is a folder with FER2013Train.tar and FER2013Valid.tar; faces of the
first that are near one of the second are left out. A fifth of the people, textures and FER+'s images is held
out for the tables that are printed at the end.

The examples are kept beside the weights, as is the state of a training that was interrupted.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from emostream.detection.detector import FaceDetector
from emostream.detection.verifier import ANSWERS, INPUT_PX
from emostream.quality.covering import probability_of_cover
from emostream.settings import read_settings
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from scripts.face_verifier_examples import Collector, Examples

WIDTHS = ((1, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1))
#: Examples of each batch: proposals with a face, crops of faces, proposals and textures without one.
IN_BATCH = {"proposed": 36, "cropped": 36, "not proposed": 60, "texture": 12}
STEPS_PER_CHECKPOINT = 50
#: Most of the held-out proposals without a face that may be taken for one (more likely than not): two thirds
#: of what the weights of two answers took, for which the detector's thresholds were chosen.
MOST_FALSE = 0.006
#: Of the probability that something covers a face, among which one is chosen.
LIMITS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Network(nn.Module):
    """Takes float32 (N, 1, 48, 48), each image's own mean and deviation out; returns logits (N, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
                for i, o, stride in WIDTHS
            )
        )
        self.head = nn.Linear(2 * WIDTHS[-1][1], len(ANSWERS))

    def forward(self, x: Tensor) -> Tensor:
        maps = self.body(normalised(x))
        logits: Tensor = self.head(torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), 1))
        return logits

    @torch.no_grad()
    def start_from(self, weights: dict[str, Tensor], images: Tensor) -> None:
        """Takes over folded weights; those of two answers, no face and face, give the second to each cover.

        The norms get the statistics of ``images`` (N, 1, 48, 48), and factors that undo them.
        """
        x = normalised(images)
        for index, (convolution, norm, activation) in enumerate(self.body):
            convolution.weight.copy_(weights[f"convolutions.{index}.weight"])
            x = convolution(x)
            variance, mean = torch.var_mean(x, (0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.copy_(weights[f"convolutions.{index}.bias"] + mean)
            x = activation(x + weights[f"convolutions.{index}.bias"].view(1, -1, 1, 1))
        weight, bias = weights["head.weight"], weights["head.bias"]
        if len(bias) == 2:
            covers = len(ANSWERS) - 1
            weight = torch.cat((weight[:1], weight[1:].expand(covers, -1)))
            bias = torch.cat((bias[:1], bias[1:].expand(covers) - np.log(covers)))
        self.head.weight.copy_(weight)
        self.head.bias.copy_(bias)

    def folded(self) -> dict[str, Tensor]:
        """Weights in float16 with each convolution's norm folded into it."""
        weights: dict[str, Tensor] = {}
        for index, (convolution, norm, _) in enumerate(self.body):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weights[f"convolutions.{index}.weight"] = convolution.weight * scale[:, None, None, None]
            weights[f"convolutions.{index}.bias"] = norm.bias - norm.running_mean * scale
        weights |= {f"head.{name}": value for name, value in self.head.named_parameters()}
        return {name: value.detach().half() for name, value in weights.items()}


def normalised(x: Tensor) -> Tensor:
    return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 4)


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
    # A third of the images, each batch at a resolution of its own.
    coarse = F.interpolate(x, size=int(torch.randint(14, 40, (1,))), mode="area")
    is_coarse = torch.rand(n, 1, 1, 1) < 0.3
    x = torch.where(is_coarse, F.interpolate(coarse, size=INPUT_PX, mode="bilinear"), x)
    x = x * (0.5 + torch.rand(n, 1, 1, 1)) + torch.randn(n, 1, 1, 1) * 20
    return x + torch.randn_like(x) * torch.rand(n, 1, 1, 1) * 12


def groups(examples: Examples) -> dict[str, npt.NDArray[np.intp]]:
    """The places of what is learned from, by IN_BATCH's names."""
    is_face, is_proposal = examples.answers > 0, examples.sources == "proposal"
    chosen = {
        "proposed": is_face & is_proposal,
        "cropped": is_face & ~is_proposal,
        "not proposed": ~is_face & is_proposal,
        "texture": ~is_face & ~is_proposal,
    }
    return {name: np.flatnonzero(which & ~examples.held_out) for name, which in chosen.items()}


def train(examples: Examples, steps: int, start: Path | None, checkpoint: Path) -> Network:
    places = groups(examples)
    torch.manual_seed(3)
    model = Network()
    if start is not None:
        every = torch.from_numpy(examples.crops[:: max(1, len(examples.crops) // 512)])
        model.start_from({k: v.float() for k, v in load_file(start).items()}, every.float()[:, None])
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    parts = {"model": model, "average": average, "optimizer": optimizer, "schedule": schedule}
    first = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        first = state["step"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    for step in track(range(first, steps), "training"):
        # Each step has random numbers of its own, whether the run was interrupted or not.
        torch.manual_seed(step)
        generator = np.random.default_rng(step)
        chosen = np.concatenate([generator.choice(places[name], count) for name, count in IN_BATCH.items()])
        images = augmented(torch.from_numpy(examples.crops[chosen]).float()[:, None])
        answers = torch.from_numpy(examples.answers[chosen])
        loss = F.cross_entropy(model(images), answers, label_smoothing=0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        if (step + 1) % STEPS_PER_CHECKPOINT == 0:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)
            torch.save(
                {name: part.state_dict() for name, part in parts.items()} | {"step": step + 1}, checkpoint
            )
    average.eval()
    assert isinstance(average.module, Network)
    return average.module


@torch.no_grad()
def logits(model: Network, crops: npt.NDArray[np.uint8]) -> Tensor:
    return torch.cat([model(part) for part in torch.from_numpy(crops).float()[:, None].split(512)])


@torch.no_grad()
def take_care(model: Network, examples: Examples) -> None:
    """Makes "no face" likelier, until no more than MOST_FALSE are wrong. Covers of a face stay as likely."""
    chosen = examples.held_out & (examples.sources == "proposal") & (examples.answers == 0)
    found = logits(model, examples.crops[chosen])
    likelier = torch.logsumexp(found[:, 1:], 1) - found[:, 0]
    shift = float(torch.quantile(likelier, 1 - MOST_FALSE).clamp_min(0))
    model.head.bias[0] += shift
    print(f"no face: {shift:.2f} added to its logarithm")


def report(model: Network, examples: Examples) -> None:
    """Of what was held out, by its source: a table of answers, and the shares above the detector's limits."""
    probabilities = F.softmax(logits(model, examples.crops[examples.held_out]), 1).numpy()
    truth, sources = examples.answers[examples.held_out], examples.sources[examples.held_out]
    for source in np.unique(sources):
        print(f"\n| {source} | {' | '.join(ANSWERS)} | a face: above 0.5, 0.9, 0.98 |\n{'| --- ' * 7}|")
        for place, answer in enumerate(ANSWERS):
            rows = probabilities[(sources == source) & (truth == place)]
            if len(rows):
                counts = np.bincount(rows.argmax(1), minlength=len(ANSWERS))
                shares = ", ".join(f"{(rows[:, 0] < 1 - least).mean():.3f}" for least in (0.5, 0.9, 0.98))
                print(f"| {answer} | {' | '.join(map(str, counts))} | {shares} |")
    covered = probability_of_cover(probabilities)
    print(f"\n| called covered from | {' | '.join(map(str, LIMITS))} |\n{'| --- ' * (len(LIMITS) + 1)}|")
    for source in ("photograph", "FER+"):
        for place, answer in enumerate(ANSWERS[1:], 1):
            which = (sources == source) & (truth == place)
            shares = " | ".join(f"{(covered[which] > limit).mean():.4f}" for limit in LIMITS)
            print(f"| {source}, {answer} | {shares} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path, help="a tar file of JPEG files")
    parser.add_argument("textures", type=Path, help="a folder of images without faces")
    parser.add_argument("ferplus", type=Path, help="a folder with FER+'s two tar files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start-from", type=Path, help="earlier weights; else random ones")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--searched", type=int, default=1500, help="photographs that the detector searches")
    parser.add_argument("--cropped", type=int, default=4000, help="photographs whose crops are learned from")
    parser.add_argument("--empty", type=int, default=1200, help="images without a face, and as many crops")
    parser.add_argument("--faces", type=int, default=14000, help="of FER+")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    collected = arguments.out.with_suffix(".npz")
    if not collected.is_file():
        collector = Collector(arguments.textures, FaceDetector.load(read_settings().faces_dir))
        collector.photographs(arguments.photographs, arguments.searched, arguments.cropped)
        collector.textures(arguments.empty, arguments.empty)
        training, validation = (arguments.ferplus / f"FER2013{name}.tar" for name in ("Train", "Valid"))
        collector.ferplus(training, validation, arguments.faces)
        collector.examples().save(collected)
    examples = Examples.read(collected)
    model = train(examples, arguments.steps, arguments.start_from, arguments.out.with_suffix(".pt"))
    take_care(model, examples)
    report(model, examples)
    metadata = {"architecture": "face_verifier", "labels": json.dumps(ANSWERS)}
    save_file(model.folded(), str(arguments.out), metadata=metadata)


if __name__ == "__main__":
    main()
