"""Real faces that a package ships, for measurements."""

import io

from PIL import Image
from skimage.data import astronaut

#: Eileen Collins' face in NASA's portrait (public domain): left, top, right, bottom in pixels.
_FACE = (160, 55, 288, 183)


def astronaut_jpeg(size: int = 224) -> bytes:
    """A smiling face as the dashboard would crop it, JPEG at quality 90."""
    buffer = io.BytesIO()
    Image.fromarray(astronaut()).crop(_FACE).resize((size, size)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
