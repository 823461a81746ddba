import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from emostream.emotions import colour_of
from emostream.writers.timeline import MAX_POINTS, clock, thinned, timeline_svg

LABELS = ("anger", "happiness")


def rows(count: int) -> np.ndarray:
    share = np.linspace(0, 1, count, dtype=np.float32)
    return np.stack([share, 1 - share], axis=1)


def test_the_drawing_is_one_svg_element_in_the_emotions_colours_and_the_pages_ink() -> None:
    drawing = timeline_svg([0.0, 0.5, 1.0], rows(3), LABELS, (0.0, 2.0))

    root = ET.fromstring(drawing)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)  # the page says how wide it is
    assert all(colour_of(label) in drawing for label in LABELS)
    assert "currentColor" in drawing
    assert "http://www.w3.org/1999/xlink" not in re.sub(r'xmlns:\w+="[^"]*"', "", drawing)
    assert "2026" not in drawing  # no date: the same data, the same drawing


def test_pauses_stay_empty() -> None:
    def areas(times_s: list[float]) -> int:
        return timeline_svg(times_s, rows(len(times_s)), LABELS, (0.0, 9.0)).count(
            "FillBetweenPolyCollection"
        )

    assert areas([0.0, 0.1, 8.0, 8.1]) == 2 * areas([0.0, 0.1, 0.2, 0.3])


def test_a_face_of_one_frame_can_be_drawn() -> None:
    assert timeline_svg([1.0], rows(1), LABELS, (0.0, 2.0)).startswith("<svg")


def test_long_recordings_are_averaged_to_what_a_screen_shows() -> None:
    times = np.arange(10_000) / 30

    few_times, few_rows = thinned(times, rows(10_000), (0.0, 334.0))

    assert len(few_times) == len(few_rows) == MAX_POINTS
    assert few_rows.sum(1) == pytest.approx(np.ones(MAX_POINTS), abs=1e-5)
    assert np.all(np.diff(few_times) > 0)
    assert few_rows[MAX_POINTS // 2, 0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.52, "0:07.5"), (200, "3:20"), (3723, "1:02:03"), (59.98, "1:00")]
)
def test_times_read_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
