"""``emostream data`` by its real executable."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from emostream.cli.data import app
from emostream.exceptions import DatasetError
from typer.testing import CliRunner

from tests.support import PATIENCE_S, ROOT
from tests.training.preparing.sources import write_classes, write_table


def prepare(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emostream", "data", "prepare", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


def test_a_data_set_is_prepared_once_and_its_classes_are_counted(tmp_path: Path) -> None:
    source = write_classes(tmp_path / "faces", {"glad": 10, "sad": 10, "contempt": 1})
    out = tmp_path / "out"

    done = prepare(str(source), "--out", str(out), "--map", "glad=happiness", "--split", "0.5,0.5,0")

    assert done.returncode == 0, done.stderr
    assert "faces: class folders, 48 px, grey" in done.stdout
    assert ["happiness", "5", "5"] in [line.split() for line in done.stdout.splitlines()]
    assert f"written to {out}" in done.stderr
    assert (out / "rejects.csv").read_text().splitlines()[1].startswith("contempt/0.png,")

    again = prepare(
        str(source), "--out", str(out), "--map", "glad=happiness", "--split", "0.5,0.5,0", "--json"
    )
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr
    assert json.loads(again.stdout)["splits"]["train"]["images"] == 10


def test_an_error_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    source = write_classes(tmp_path / "faces", {"glad": 1})

    failed = prepare(str(source), "--out", str(tmp_path / "out"))

    assert failed.returncode == 1
    assert "the folder 'glad' has no known label: say --map glad=LABEL" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--split", "0.5,0.5", "--split 0.5,0.5: three shares"),
        ("--split", "half,0.2,0.3", "--split half,0.2,0.3: three shares"),
        ("--split", "0.5,0.2,0.2", "the shares must add up to 1"),
        ("--split", "0,0.5,0.5", "that of train must not be 0"),
        ("--map", "glad", "--map glad: folder and label"),
        ("--map", "=happiness", "--map =happiness: folder and label"),
    ],
)
def test_an_option_that_cannot_be_is_named(tmp_path: Path, option: str, value: str, words: str) -> None:
    result = CliRunner().invoke(
        app, ["prepare", str(tmp_path), "--out", str(tmp_path / "out"), option, value]
    )

    assert isinstance(result.exception, DatasetError)
    assert words in str(result.exception)


def test_images_in_two_splits_are_told(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", [(0, 9, "Training"), (0, 9, "PublicTest")])

    done = prepare(str(table), "--out", str(tmp_path / "out"))

    assert "1 images of valid are also in train" in done.stderr
