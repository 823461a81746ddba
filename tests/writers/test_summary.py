from pathlib import Path

import numpy as np
import pytest
from emostream.analysis.pipeline import AnalyzedFrame
from emostream.faces import Face, Faces, Reason
from emostream.sources import Frame
from emostream.sources.inputs import InputFile, InputFrame
from emostream.writers.summary import THUMBNAIL_PX, FaceSummary, Summary

LABELS = ("calm", "glad")
GLAD, CALM = (0.2, 0.8), (0.9, 0.1)


def test_a_face_says_how_often_it_was_uncertain_and_why() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    often, once = FaceSummary(1), FaceSummary(2)
    row = np.array([0.7, 0.3], np.float32)
    reasons: list[tuple[Reason, ...]] = [("dark",), ("dark", "small"), (), (), ()]
    for second, why in enumerate(reasons):
        often.add(Face.from_row(("a", "b"), row, (5, 5, 9, 9), reasons=why), float(second), image)
    once.add(Face.from_row(("a", "b"), row, (5, 5, 9, 9), reasons=("cut_off",)), 0.0, image)

    assert often.doubt == "uncertain in 40 % of its frames, mostly too dark"
    assert once.doubt == "unsure: cut off"
    assert FaceSummary(3).doubt == ""


def analyzed(
    time_s: float, *faces: tuple[int, tuple[float, float]], index: int = 0, side: int = 20
) -> AnalyzedFrame:
    file = InputFile(index, Path(f"{index}.mp4"), is_image=False)
    image_rgb = np.full((48, 64, 3), round(time_s * 10), np.uint8)
    found = [
        Face.from_row(LABELS, np.array(row, np.float32), (5, 5, side, side), 0.9, face_id)
        for face_id, row in faces
    ]
    return AnalyzedFrame(
        InputFrame(file, Frame(round(time_s * 10), time_s, image_rgb, None)),
        Faces(tuple(found), (64, 48), LABELS),
    )


def summary_of(*frames: AnalyzedFrame) -> Summary:
    summary = Summary(LABELS)
    for frame in frames:
        summary.add(frame)
    return summary


def test_shares_count_the_frames_in_which_a_label_was_the_likeliest() -> None:
    (file,) = summary_of(
        analyzed(0.0, (1, GLAD)), analyzed(0.1, (1, GLAD)), analyzed(0.2, (1, GLAD), (2, CALM))
    ).files

    assert file.faces[1].shares.tolist() == [0, 1]
    assert file.shares(2).tolist() == pytest.approx([0.25, 0.75])


def test_a_video_knows_its_frames_and_its_length() -> None:
    (file,) = summary_of(*(analyzed(index / 10, (1, GLAD)) for index in range(10)), analyzed(1.0)).files

    assert (file.frames, file.frames_with_faces) == (11, 10)
    assert file.duration_s == pytest.approx(1.1)


def test_the_time_that_a_face_was_seen_leaves_its_pauses_out() -> None:
    times = [0.0, 0.1, 0.2, 5.0, 5.1]
    (file,) = summary_of(*(analyzed(time_s, (1, GLAD)) for time_s in times)).files

    assert file.faces[1].seen_s(0.1) == pytest.approx(0.4)


def test_files_are_counted_apart_and_their_longest_faces_come_first() -> None:
    summary = summary_of(
        analyzed(0.0, (1, GLAD), (2, CALM)), analyzed(0.1, (2, CALM)), analyzed(0.0, (1, CALM), index=1)
    )

    assert [len(file.faces) for file in summary.files] == [2, 1]
    assert [face.face_id for face in summary.files[0].longest_first] == [2, 1]


def test_the_thumbnail_is_of_the_moment_when_the_face_was_largest() -> None:
    (file,) = summary_of(
        analyzed(0.0, (1, GLAD)), analyzed(10.0, (1, GLAD), side=30), analyzed(20.0, (1, GLAD), side=25)
    ).files
    thumbnail = file.faces[1].thumbnail_rgb

    assert thumbnail is not None
    assert thumbnail.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    assert thumbnail.mean() == pytest.approx(100)


def test_without_faces_shares_are_zero() -> None:
    (file,) = summary_of(analyzed(0.0)).files

    assert file.shares(2).tolist() == [0, 0]
