"""What a fine-tune on few photographs gains, in new labels: "smiling" and "not smiling".

The photographs are those of photographs.tar (news photographs with a label.csv: image, emotion, person).
People, and not images, are divided in two halves by their names' hash: one to choose the fine-tune's settings
on, one to report. In either, one image each of so many people is learned from, and of others held out. Prints
JSON: time, accuracy before and after with intervals, and whether the difference may be chance.

    python -m bench.own_faces photographs.tar --images 100
"""

import argparse
import csv
import hashlib
import io
import json
import tarfile
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from emostream.process import configure_process
from emostream.settings import read_settings
from emostream.training.config import FinetuneConfig, find_recipe, read_config
from emostream.training.finetune import FineTune
from emostream.training.preparing.prepare import Options, find_source, prepare
from rich.progress import Progress

_LABELS = {True: "smiling", False: "not smiling"}


def write_class_folders(tar: Path, half: str, images: int, held_out: int, seed: int, root: Path) -> None:
    """One image each of so many people in ``root``: train and valid, each with a folder for each class.

    Half of the images to learn from are of each class; those held out are as they come.
    """
    with tarfile.open(tar) as archive:
        [table] = [name for name in archive.getnames() if name.endswith("label.csv")]
        rows = list(csv.DictReader(io.TextIOWrapper(_opened(archive, table), "utf-8")))
        rows = [row for row in rows if half_of(row["person"]) == half]
        order = np.random.default_rng(seed).permutation(len(rows))
        one_each = {rows[index]["person"]: rows[index] for index in order}
        left = list(one_each.values())
        chosen: list[tuple[str, dict[str, str]]] = []
        for is_smiling in (True, False):
            matching = [row for row in left if (row["emotion"] == "happiness") == is_smiling]
            chosen += [("train", row) for row in matching[: images // 2]]
        learned = {row["person"] for _, row in chosen}
        chosen += [("valid", row) for row in left if row["person"] not in learned][:held_out]
        folder = Path(table).parent / "images"
        for split, row in chosen:
            file = root / split / _LABELS[row["emotion"] == "happiness"] / row["image"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_opened(archive, str(folder / row["image"])).read())


def half_of(person: str) -> str:
    return "choose" if hashlib.sha256(person.encode()).digest()[0] % 2 else "report"


def _opened(archive: tarfile.TarFile, name: str) -> io.BufferedReader:
    file = archive.extractfile(name)
    assert isinstance(file, io.BufferedReader)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("tar", type=Path)
    parser.add_argument("--images", type=int, default=100, help="to learn from")
    parser.add_argument("--held-out", type=int, default=600, help="to measure on")
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    parser.add_argument("--seed", type=int, default=0, help="of who is learned from")
    parser.add_argument("--start", default=None, help="model to start from, instead of the recipe's")
    arguments = parser.parse_args()
    configure_process()
    settings = read_settings()
    with tempfile.TemporaryDirectory() as folder, Progress(disable=True) as progress:
        root, data = Path(folder) / "photographs", Path(folder) / "data"
        write_class_folders(
            arguments.tar, arguments.half, arguments.images, arguments.held_out, arguments.seed, root
        )
        started = time.monotonic()
        options = Options(labels=("smiling", "not smiling"))
        prepare(find_source(root, options), root, data, options, progress)
        prepared = time.monotonic()
        config = read_config(find_recipe("finetune"), train=data, validation=data, start_from=arguments.start)
        assert isinstance(config, FinetuneConfig)
        result = FineTune(config, Path(folder) / "run", torch.device("cpu"), settings).run(progress)
        ended = time.monotonic()
    figures = {
        "half": arguments.half,
        "seed": arguments.seed,
        "prepare_s": round(prepared - started, 1),
        "finetune_s": round(ended - prepared, 1),
        **asdict(result),
        "verdict": result.paired.verdict,
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
