"""Small videos with a real face in them, and with sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image

from tests.portraits import portrait

SAMPLE_RATE = 48_000
_HEAD = portrait().crop((120, 10, 335, 260))


def frame(index: int, size_wh: tuple[int, int] = (480, 360), has_face: bool = True) -> npt.NDArray[np.uint8]:
    """A face of 106 px that wanders to the right over grey."""
    image = Image.new("RGB", size_wh, (110, 120, 130))
    if has_face:
        image.paste(_HEAD, (40 + 3 * index % max(1, size_wh[0] - 280), 60))
    return np.asarray(image)


def make_video(
    path: Path,
    frames: int = 20,
    *,
    size_wh: tuple[int, int] = (480, 360),
    times_s: list[float] | None = None,
    sound: str | None = "aac",
    codec: str = "libx264",
    face_until: int | None = None,
    sound_delay_s: float = 0.0,
) -> Path:
    """20 frames a second unless ``times_s`` says otherwise, with a tone of the codec ``sound``."""
    times = times_s or [index / 20 for index in range(frames)]
    with av.open(str(path), "w") as out:
        images = out.add_stream(codec, rate=20)
        images.width, images.height = size_wh
        images.pix_fmt = "yuv444p" if size_wh[0] % 2 or size_wh[1] % 2 else "yuv420p"
        images.codec_context.time_base = Fraction(1, 1000)
        track = out.add_stream(sound, rate=SAMPLE_RATE, layout="mono") if sound else None
        for index, time_s in enumerate(times):
            pixels = frame(index, size_wh, face_until is None or index < face_until)
            image = VideoFrame.from_ndarray(pixels, format="rgb24")
            image.pts, image.time_base = round(time_s * 1000), Fraction(1, 1000)
            out.mux(images.encode(image))
        out.mux(images.encode(None))
        if track is not None:
            samples = round((times[-1] + 0.05) * SAMPLE_RATE)
            tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(samples) / SAMPLE_RATE)
            context = track.codec_context
            is_float = context.format.name.startswith("flt")
            data = tone.astype(np.float32) if is_float else (tone * 32767).astype(np.int16)
            step = context.frame_size or 1024
            for start in range(0, samples, step):
                part = AudioFrame.from_ndarray(data[None, start : start + step], context.format.name, "mono")
                part.sample_rate = SAMPLE_RATE
                part.pts = start + round(sound_delay_s * SAMPLE_RATE)
                part.time_base = Fraction(1, SAMPLE_RATE)
                out.mux(track.encode(part))
            out.mux(track.encode(None))
    return path
