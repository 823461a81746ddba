"""Checks the sizes that a file of ``torch.save`` declares, without allocating anything.

PyTorch's restricted unpickler executes no foreign code, but it allocates any size that a file declares: a few
hundred bytes may request gigabytes, or more of a stored part than exists.
"""

import math
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..exceptions import CheckpointError

#: Pickles of a file in the old format: magic number, version, machine and content.
OLD_PICKLES = 4

_REBUILDERS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")

#: Bytes per element of each storage type; others have at least one byte.
_ITEM_BYTES = {
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    **dict.fromkeys(("FloatStorage", "IntStorage"), 4),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    "ComplexDoubleStorage": 16,
}


class _Stored(int):
    """The number of elements of a part that the file stores."""


class _Reader(pickle._Unpickler):
    """Follows a pickle's instructions with inert objects: nothing is imported or called.

    It is Python's own unpickler, since the C one allocates a list as long as the largest memo index.
    """

    def __init__(self, file: IO[bytes], limit: int, records: dict[str, int] | None) -> None:
        super().__init__(file, encoding="latin-1")
        self._limit = limit
        self._records = records
        self._parts: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> type:
        full_name = f"{module}.{name}".replace("__builtin__.", "builtins.")
        reader = self

        class Inert:
            kind = full_name

            def __new__(cls, *arguments: Any) -> "Inert":
                reader.check_call(full_name, arguments)
                return super().__new__(cls)

            def __init__(self, *arguments: Any) -> None:
                pass

            def __setstate__(self, state: object) -> None:
                pass

            def __setitem__(self, key: object, value: object) -> None:
                pass  # for example of an OrderedDict

            def append(self, item: object) -> None:
                pass

            def extend(self, items: object) -> None:
                pass

        return Inert

    def persistent_load(self, pid: Any) -> _Stored:
        _, kind, key, _, elements, *_ = pid
        size = elements * _ITEM_BYTES.get(getattr(kind, "kind", "").removeprefix("torch."), 1)
        if self._records is not None and size > self._records.get(str(key), 0):
            raise CheckpointError(f"its part {key} is said to have {size} bytes, more than are stored")
        self._parts[str(key)] = size
        if sum(self._parts.values()) > self._limit:
            raise CheckpointError("its parts are said to have more bytes than the whole file")
        return _Stored(elements)

    def check_call(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Raises CheckpointError for a call that would allocate more than the file holds."""
        if name in _REBUILDERS and len(arguments) > 2 and isinstance(arguments[0], _Stored):
            if math.prod(arguments[2]) > arguments[0]:
                raise CheckpointError(f"a tensor of shape {arguments[2]} is larger than its part")
        elif name.startswith(("torch.", "builtins.")):
            numbers = [abs(each) for each in _flat(arguments) if type(each) is int and each]
            if math.prod(numbers) > self._limit:
                raise CheckpointError(f"it asks {name} for more than the whole file holds")


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def check_sizes(path: Path) -> None:
    """Raises CheckpointError if loading the file would allocate more than it holds, and UnpicklingError if
    its instructions cannot be followed."""
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                _check_archive(file, path.stat().st_size)
                return
            file.seek(0)
            for _ in range(OLD_PICKLES):
                _Reader(file, path.stat().st_size, None).load()
    except (CheckpointError, OSError):
        raise
    except Exception as error:  # anything may happen for a file that is no pickle
        raise pickle.UnpicklingError(str(error)) from error


def _check_archive(file: IO[bytes], limit: int) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if any(entry.compress_type for entry in entries) or sum(each.file_size for each in entries) > limit:
            raise CheckpointError("its parts are compressed or overlap, as those of torch.save never do")
        sizes = {entry.filename.rpartition("/")[2]: entry.file_size for entry in entries}
        for entry in entries:
            if entry.filename.endswith("data.pkl"):
                with archive.open(entry) as content:
                    _Reader(content, limit, sizes).load()
