"""Made recordings with a real face in them, and a web server that hands out files."""

import functools
import http.server
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.portraits import portrait

FRAME_RATE = 10

_PIXELS = {"mpeg4": "yuv420p", "png": "rgb24"}


def moving_portrait(frames: int, side: int = 256) -> list[npt.NDArray[np.uint8]]:
    """A face that moves to and fro, uint8 (side, side, 3) RGB; no two frames are alike."""
    pixels = np.asarray(portrait().crop((80, 0, 400, 320)).resize((side, side)))
    return [np.roll(pixels, (index % 2, 4 * (index % 7)), axis=(0, 1)) for index in range(frames)]


def write_video(
    path: Path,
    pictures: Sequence[npt.NDArray[np.uint8]],
    rate: int = FRAME_RATE,
    rotation: int = 0,
    codec: str = "mpeg4",
    matrix: tuple[int, int, int, int] | None = None,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """A video of pictures uint8 (H, W, 3) RGB, in the format that the name's ending says.

    ``rotation`` is by how many degrees, counter-clockwise, players should turn it; ``matrix`` says the same
    as a, b, c and d of a display matrix, which may be a mirror's. ``pixel_aspect`` is a pixel's width, in its
    height.
    """
    height, width, _ = pictures[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS[codec]
        stream.bit_rate = 4_000_000
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = stream.sample_aspect_ratio = pixel_aspect
        if matrix:
            a, b, c, d = (65536 * value for value in matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        if rotation:
            stream.set_display_rotation(rotation)
        for pixels in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files, and under /live the folder's JPEGs over and over, as network cameras send them.

    After ``live_pictures`` of them, if that is not None, the connection ends.
    """

    def __init__(self, *arguments: Any, live_pictures: int | None, **options: Any) -> None:
        self._live_pictures = live_pictures
        super().__init__(*arguments, **options)

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/live":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        pictures = [path.read_bytes() for path in sorted(Path(self.directory).glob("*.jpg"))]
        with suppress(ConnectionError):  # until nobody looks any more
            for picture in itertools.islice(itertools.cycle(pictures), self._live_pictures):
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(1 / FRAME_RATE)


@contextmanager
def web_server(folder: Path, live_pictures: int | None = None) -> Iterator[str]:
    """Hands out the files of a folder, and /live; the address without a slash at its end."""
    handler = functools.partial(_Files, directory=str(folder), live_pictures=live_pictures)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
