"""Corrected crops in a folder for each label, as ``emostream train finetune --from`` reads them."""

import io
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from ..imaging.decoding import decode
from ..kept_files import KeptFiles

#: Training needs no larger crop.
_MOST_PX = 512
_QUALITY = 95


class CorrectionFolder:
    """Stores only the pixels of crops, without a camera's metadata."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._files = KeptFiles(folder, max_bytes)

    def keep(self, image: bytes, label: str, max_pixels: int) -> str:
        """Keeps an encoded crop and returns its id.

        Raises ImageError, FolderFullError, and OSError where the disk does not take it.
        """
        pixels = decode(image, max_pixels)
        pixels.thumbnail((_MOST_PX, _MOST_PX), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        pixels.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        correction_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(16)}"
        self._files.keep(f"{folder_name(label)}/{correction_id}.jpg", buffer.getvalue())
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
