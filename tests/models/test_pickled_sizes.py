"""Files of some hundred bytes that ask for gigabytes are refused before anything is allocated."""

import io
import pickle
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from emostream.exceptions import CheckpointError
from emostream.models.checkpoint import load_checkpoint
from emostream.models.pickled_sizes import check_sizes
from torch import nn

HUGE = 800_000_000


def zipped(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, **parts: bytes) -> Path:
    """A file as torch.save makes it."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        for name, part in parts.items():
            archive.writestr(f"archive/data/{name.removeprefix('_')}", part)
    return path


def call(name: str, *arguments: int) -> bytes:
    """The pickle of a dict with what a function answers."""
    module, _, function = name.rpartition(".")
    numbers = b"".join(pickle.dumps(number, 2)[2:-1] for number in arguments)
    return b"\x80\x02}X\x01\x00\x00\x00ac" + f"{module}\n{function}\n(".encode() + numbers + b"tRs."


def saved(path: Path, content: object, **options: bool) -> Path:
    torch.save(content, path, **options)
    return path


def with_elements(path: Path, elements: int) -> Path:
    """A saved vector of four numbers whose part is said to have others."""
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(4)}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        pickled = archive.read("archive/data.pkl")
    wanted = pickle.dumps(elements, 2)[2:-1]
    assert pickled.count(b"cpuq\x06K\x04") == 1, pickled
    return zipped(path, pickled.replace(b"cpuq\x06K\x04", b"cpuq\x06" + wanted), _0=bytes(16))


def view(path: Path, is_old: bool) -> Path:
    """Of one number, many times."""
    return saved(path, {"a": torch.zeros(1).expand(HUGE)}, _use_new_zipfile_serialization=not is_old)


BOMBS: dict[str, Callable[[Path], Path]] = {
    "a storage": lambda path: zipped(path, call("torch.FloatStorage", HUGE)),
    "a tensor of two dimensions": lambda path: zipped(path, call("torch.FloatTensor", 30_000, 30_000)),
    "bytes": lambda path: zipped(path, call("builtins.bytearray", 3_000_000_000)),
    "bytes, as Python 2 names them": lambda path: zipped(path, call("__builtin__.bytearray", 3_000_000_000)),
    "a view of one number": lambda path: view(path, is_old=False),
    "a view in the old format": lambda path: view(path, is_old=True),
    "more than is stored": lambda path: with_elements(path, 5),
    "far more than is stored": lambda path: with_elements(path, HUGE),
    "compressed": lambda path: zipped(path, b"}.", zipfile.ZIP_DEFLATED, _0=bytes(10**7)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_asks_for_more_than_it_holds_is_refused(tmp_path: Path, bomb: str) -> None:
    path = BOMBS[bomb](tmp_path / "bomb.pth")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(CheckpointError, match="is refused"):
        load_checkpoint(nn.Linear(1, 1), path)

    assert path.stat().st_size < 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_an_old_file_that_names_a_huge_part_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "old.pth", {"a": torch.zeros(4)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    number = pickle.dumps(HUGE, 2)[2:-1]
    assert content.count(b"K\x04N") == 1
    path.write_bytes(content.replace(b"K\x04N", number + b"N"))

    with pytest.raises(CheckpointError, match="more bytes than the whole file"):
        check_sizes(path)


@pytest.mark.parametrize("is_old", [False, True])
def test_what_torch_saves_is_taken(tmp_path: Path, is_old: bool) -> None:
    """Shared and transposed tensors, integers, halves, empty ones, numbers and a seed that is larger than
    all."""
    shared = torch.randn(6, 4)
    content = {
        "state_dict": {"a": shared, "b": shared, "c": shared.T, "d": shared[1:3], "e": torch.zeros(0)},
        "half": torch.zeros(3, dtype=torch.bfloat16),
        "count": torch.tensor(3),
        "seed": 2**62,
        "parameter": nn.Parameter(torch.ones(2)),
        "shape": torch.Size((3, 4)),
        "optimizer": torch.optim.Adam(nn.Linear(2, 2).parameters()).state_dict(),
    }

    check_sizes(saved(tmp_path / "fine.pth", content, _use_new_zipfile_serialization=not is_old))
