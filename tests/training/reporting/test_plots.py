import io

import numpy as np
import pytest
from emostream.training.reporting.plots import plots
from PIL import Image

from tests.training.evaluations import made_up_evaluation


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return plots(made_up_evaluation())


def test_every_plot_is_a_image_with_something_on_it(made: dict[str, bytes]) -> None:
    assert list(made) == ["confusion", "classes", "reliability", "conditions"]
    for png in made.values():
        with Image.open(io.BytesIO(png)) as image:
            assert image.format == "PNG"
            assert image.width == 990
            assert np.asarray(image.convert("L")).std() > 10


def test_without_conditions_there_is_no_plot_of_them() -> None:
    assert "conditions" not in plots(made_up_evaluation(conditions=0))
