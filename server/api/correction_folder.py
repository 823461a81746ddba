"""Corrected crops in a folder for each label, as ``emostream train finetune --from`` reads them."""

import io
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from ..imaging.decoding import decode
from ..kept_files import KeptFiles

#: Training needs no larger crop.
_MOST_PX = 512
_QUALITY = 95


@dataclass(frozen=True)
class ReducedCrop:
    """A crop as it is kept: its pixels alone, without the metadata that files of cameras have.

    For the batcher, whose threads make it, there is no face in it to be recognised.
    """

    jpeg: bytes
    crops: tuple[()] = ()


def reduced(image: bytes, max_pixels: int) -> ReducedCrop:
    """An encoded crop of any size, made no larger than it needs to be. Raises ImageError."""
    pixels = decode(image, max_pixels)
    pixels.thumbnail((_MOST_PX, _MOST_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    pixels.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return ReducedCrop(buffer.getvalue())


class CorrectionFolder:
    """Stores reduced crops, and deletes them again."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._files = KeptFiles(folder, max_bytes)

    def keep(self, crop: ReducedCrop, label: str) -> str:
        """Keeps a crop and returns its id. Raises FolderFullError, and OSError where the disk does not take
        it."""
        correction_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(16)}"
        self._files.keep(f"{folder_name(label)}/{correction_id}.jpg", crop.jpeg)
        return correction_id

    def remove(self, correction_id: str, labels: Sequence[str]) -> bool:
        """Deletes a crop; False if none has that id."""
        for label in labels:
            path = self._files.folder / folder_name(label) / f"{correction_id}.jpg"
            if path.is_file():
                path.unlink(missing_ok=True)
                return True
        return False


def folder_name(label: str) -> str:
    """A label as a folder's name; characters that could lead elsewhere are escaped, as in addresses (%2F)."""
    return re.sub(r"[^\w +-]", lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), label)
