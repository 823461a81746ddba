from pathlib import Path

from emostream.plotting import finish, name_point, new_figure, save
from PIL import Image


def test_a_plot_names_its_axes_and_is_written_as_png(tmp_path: Path) -> None:
    figure = new_figure(4, 3)
    axes = figure.add_subplot()
    axes.plot([1, 2], [3, 4])

    name_point(axes, "3.0", (1, 3), (0, 12))
    finish(axes, "faces", "faces a second")
    save(figure, tmp_path / "plot.png")

    assert (axes.get_xlabel(), axes.get_ylabel()) == ("faces", "faces a second")
    assert [text.get_text() for text in axes.texts] == ["3.0"]
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.format == "PNG"
        assert picture.size == (600, 450)
