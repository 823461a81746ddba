"""What the browser's webcam shows: short films of a real face, which ffmpeg makes from a still."""

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from skimage import data

#: Of the film. The picture is drawn twice as large, so that the slow movement has no visible steps.
WIDTH, HEIGHT = 640, 480

_FRAMES_PER_SECOND = 30
_SECONDS = 4


def one_face() -> Image.Image:
    """An astronaut, smiling: a photograph by NASA, in the public domain."""
    return _astronaut().crop((40, 0, 424, 288)).resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.LANCZOS)


def two_faces() -> Image.Image:
    """The same face twice: large on the left, and small and mirrored on the right."""
    astronaut = _astronaut()
    half = (WIDTH, 2 * HEIGHT)
    picture = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT))
    picture.paste(astronaut.crop((110, 20, 340, 365)).resize(half, Image.Resampling.LANCZOS), (0, 0))
    small = ImageOps.mirror(astronaut.crop((80, 0, 400, 480)))
    picture.paste(small.resize(half, Image.Resampling.LANCZOS), (WIDTH, 0))
    return picture


def _astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


def film(picture: Image.Image, path: Path) -> Path:
    """A film (MJPEG) of a picture in which the camera moves a little; its end joins its beginning."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.fail("no ffmpeg found; `make test-tools` installs it, or says what to install", pytrace=False)
    still = path.with_suffix(".png")
    picture.save(still)
    frames = _FRAMES_PER_SECOND * _SECONDS
    turn = f"2*PI*on/{frames}"
    movement = (
        f"zoompan=z='1.08+0.05*cos({turn})'"
        f":x='(iw-iw/zoom)/2*(1+0.8*sin({turn}))':y='(ih-ih/zoom)/2*(1+0.5*cos({turn}))'"
        f":d={frames}:s={WIDTH}x{HEIGHT}:fps={_FRAMES_PER_SECOND}"
    )
    command = [ffmpeg, "-loglevel", "error", "-y", "-i", str(still), "-vf", movement]
    command += ["-frames:v", str(frames), "-pix_fmt", "yuvj420p", "-q:v", "3", str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path
