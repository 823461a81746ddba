from pathlib import Path

import numpy as np
import pytest
from emostream.analysis.pipeline import SeenFace, SeenShot
from emostream.sources import Frame
from emostream.sources.inputs import Clip, Shot
from emostream.writers.summary import THUMBNAIL_PX, Summary

LABELS = ("calm", "glad")
GLAD, CALM = (0.2, 0.8), (0.9, 0.1)


def seen(time_s: float, *faces: tuple[int, tuple[float, float]], index: int = 0, side: int = 20) -> SeenShot:
    clip = Clip(index, Path(f"{index}.mp4"), is_still=False)
    picture = np.full((48, 64, 3), round(time_s * 10), np.uint8)
    return SeenShot(
        Shot(clip, Frame(round(time_s * 10), time_s, picture, None)),
        tuple(SeenFace(number, (5, 5, side, side), 0.9, np.array(row, np.float32)) for number, row in faces),
    )


def summary_of(*shots: SeenShot) -> Summary:
    summary = Summary(LABELS)
    for shot in shots:
        summary.add(shot)
    return summary


def test_shares_count_the_frames_in_which_a_label_was_the_likeliest() -> None:
    (clip,) = summary_of(seen(0.0, (1, GLAD)), seen(0.1, (1, GLAD)), seen(0.2, (1, GLAD), (2, CALM))).clips

    assert clip.faces[1].shares.tolist() == [0, 1]
    assert clip.shares(2).tolist() == pytest.approx([0.25, 0.75])


def test_a_clip_knows_its_frames_and_its_length() -> None:
    (clip,) = summary_of(*(seen(index / 10, (1, GLAD)) for index in range(10)), seen(1.0)).clips

    assert (clip.frames, clip.frames_with_faces) == (11, 10)
    assert clip.duration_s == pytest.approx(1.1)


def test_the_time_that_a_face_was_seen_leaves_its_pauses_out() -> None:
    times = [0.0, 0.1, 0.2, 5.0, 5.1]
    (clip,) = summary_of(*(seen(time_s, (1, GLAD)) for time_s in times)).clips

    assert clip.faces[1].seen_s(0.1) == pytest.approx(0.4)


def test_clips_are_counted_apart_and_their_longest_faces_come_first() -> None:
    summary = summary_of(seen(0.0, (1, GLAD), (2, CALM)), seen(0.1, (2, CALM)), seen(0.0, (1, CALM), index=1))

    assert [len(clip.faces) for clip in summary.clips] == [2, 1]
    assert [face.face_id for face in summary.clips[0].longest_first] == [2, 1]


def test_the_small_picture_is_of_the_moment_when_the_face_was_largest() -> None:
    (clip,) = summary_of(
        seen(0.0, (1, GLAD)), seen(10.0, (1, GLAD), side=30), seen(20.0, (1, GLAD), side=25)
    ).clips
    thumbnail = clip.faces[1].thumbnail_rgb

    assert thumbnail is not None
    assert thumbnail.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    assert thumbnail.mean() == pytest.approx(100)


def test_without_faces_shares_are_zero() -> None:
    (clip,) = summary_of(seen(0.0)).clips

    assert clip.shares(2).tolist() == [0, 0]
