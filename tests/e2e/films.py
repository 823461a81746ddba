"""What the browser's webcam shows: short films of a real face, which ffmpeg makes from stills."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from math import cos, pi, sin
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps
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


def turned_face(turn_deg: float) -> Image.Image:
    """One face, turned clockwise in the plane."""
    head = _head(3.0)
    turned = head.rotate(-turn_deg, Image.Resampling.BICUBIC, expand=True, fillcolor=_WALL)
    picture = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), _WALL)
    picture.paste(turned, (WIDTH - turned.width // 2, HEIGHT - turned.height // 2))
    return picture


def close_face() -> Image.Image:
    """One face that fills the image from chin to forehead."""
    face = _astronaut().crop((150, 64, 302, 178))
    return face.resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.LANCZOS)


def dark_face() -> Image.Image:
    """One face in an eighth of the light."""
    return one_face().point(lambda value: value // 8)


def nine_faces() -> Image.Image:
    """The same face in three rows of three."""
    picture = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), _WALL)
    head = _head(1.2)
    for place in range(9):
        x, y = 2 * WIDTH * (2 * (place % 3) + 1) // 6, 2 * HEIGHT * (2 * (place // 3) + 1) // 6
        picture.paste(head, (x - head.width // 2, y - head.height // 2))
    return picture


def _head(scale: float) -> Image.Image:
    head = _astronaut().crop((120, 10, 335, 260))
    return head.resize((round(head.width * scale), round(head.height * scale)), Image.Resampling.LANCZOS)


def _astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


#: An act's heads and their centres in px at a time in seconds since it began.
Heads = list[tuple[Image.Image, float, float]]
Act = Callable[[float], Heads]

_WALL = (96, 110, 120)

#: Between two acts the wall is empty for longer than anybody is remembered.
_EMPTY_SECONDS = 3.5


def acts() -> list[tuple[Act, float]]:
    """A fast face; two people who cross, one behind the other; and one who is replaced by the other. Each
    with its length in seconds."""
    one = _head(0.8)
    other = ImageOps.mirror(one.convert("L")).convert("RGB")

    def fast(t: float) -> Heads:
        return [(one, WIDTH / 2 + 200 * sin(3.5 * t), HEIGHT / 2)]

    def crossing(t: float) -> Heads:
        way = 110 + 420 * t / 4
        return [(other, WIDTH - way, HEIGHT / 2 - 25), (one, way, HEIGHT / 2 + 10)]

    def replaced(t: float) -> Heads:
        return [(one if t < 2 else other, WIDTH / 2 + 5 * sin(t), HEIGHT / 2)]

    return [(fast, 4), (crossing, 4), (replaced, 4)]


def film_of_acts(path: Path) -> Path:
    """A film (MJPEG) of all acts, with an empty wall after each."""
    return _film_of(_frames_of_acts(), path)


def film_of_a_call(path: Path) -> Path:
    """A film (MJPEG) of two people side by side, as in a video call; its end joins its beginning.

    They sway and come closer. The one on the right puts a mask on and takes it off.
    """
    return _film_of(_frames_of_a_call(), path)


def _film_of(frames: Iterable[Image.Image], path: Path) -> Path:
    size = f"{WIDTH}x{HEIGHT}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(_FRAMES_PER_SECOND), "-i", "-"]
    with subprocess.Popen([*_ffmpeg(), *source, *_mjpeg(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in frames:
            process.stdin.write(frame.tobytes())
        process.stdin.close()
        assert process.wait(timeout=120) == 0
    return path


def _frames_of_acts() -> Iterator[Image.Image]:
    for act, seconds in acts():
        for frame in range(round((seconds + _EMPTY_SECONDS) * _FRAMES_PER_SECOND)):
            picture = Image.new("RGB", (WIDTH, HEIGHT), _WALL)
            time_s = frame / _FRAMES_PER_SECOND
            for head, x, y in act(time_s) if time_s < seconds else []:
                picture.paste(head, (round(x - head.width / 2), round(y - head.height / 2)))
            yield picture


#: Of the call, and when the mask is on.
_CALL_SECONDS = 8
_MASK_SECONDS = (3.0, 6.0)

#: From ear to ear, over nose and chin, in the astronaut's photograph.
_MASK_XY = [(180, 122), (222, 112), (274, 124), (270, 160), (228, 186), (188, 160)]


def _frames_of_a_call() -> Iterator[Image.Image]:
    bare, masked = _astronaut(), _astronaut()
    draw = ImageDraw.Draw(masked)
    draw.polygon(_MASK_XY, fill=(150, 190, 205), outline=(110, 150, 165))
    for fold in (136, 148, 160):
        draw.line([(190, fold), (266, fold)], fill=(125, 165, 180))
    for frame in range(_CALL_SECONDS * _FRAMES_PER_SECOND):
        time_s = frame / _FRAMES_PER_SECOND
        turn = 2 * pi * time_s / _CALL_SECONDS
        person = masked if _MASK_SECONDS[0] <= time_s < _MASK_SECONDS[1] else bare
        picture = Image.new("RGB", (WIDTH, HEIGHT))
        picture.paste(_seat(bare, turn), (0, 0))
        picture.paste(ImageOps.mirror(_seat(person, turn + 2)), (WIDTH // 2, 0))
        picture.paste((24, 28, 32), (WIDTH // 2 - 3, 0, WIDTH // 2 + 3, HEIGHT))
        yield picture


def _seat(person: Image.Image, turn: float) -> Image.Image:
    """Half of a call's picture, at a part of the person's movement in radians."""
    width = 210 + 24 * cos(turn)
    height = width * HEIGHT / (WIDTH // 2)
    left, top = 225 + 14 * sin(turn) - width / 2, 130 + 8 * sin(2 * turn) - 0.42 * height
    box = (left, max(0.0, top), left + width, max(0.0, top) + height)
    return person.resize((WIDTH // 2, HEIGHT), Image.Resampling.BICUBIC, box=box)


def _ffmpeg() -> list[str]:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.fail("no ffmpeg found; `make test-tools` installs it, or says what to install", pytrace=False)
    return [ffmpeg, "-loglevel", "error", "-y"]


def _mjpeg(path: Path) -> list[str]:
    return ["-pix_fmt", "yuvj420p", "-q:v", "3", str(path)]


def film(picture: Image.Image, path: Path) -> Path:
    """A film (MJPEG) of a picture in which the camera moves a little; its end joins its beginning."""
    still = path.with_suffix(".png")
    picture.save(still)
    frames = _FRAMES_PER_SECOND * _SECONDS
    turn = f"2*PI*on/{frames}"
    movement = (
        f"zoompan=z='1.08+0.05*cos({turn})'"
        f":x='(iw-iw/zoom)/2*(1+0.8*sin({turn}))':y='(ih-ih/zoom)/2*(1+0.5*cos({turn}))'"
        f":d={frames}:s={WIDTH}x{HEIGHT}:fps={_FRAMES_PER_SECOND}"
    )
    command = [*_ffmpeg(), "-i", str(still), "-vf", movement, "-frames:v", str(frames), *_mjpeg(path)]
    subprocess.run(command, check=True, timeout=120)
    return path
