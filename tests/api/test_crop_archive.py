import re
from pathlib import Path

import pytest
from emostream.api.crop_archive import INTERVAL_S, CropArchive

from tests.support import jpeg

MUCH = 2**30


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_crop_is_kept_as_it_came_with_its_prediction_in_the_name(tmp_path: Path) -> None:
    await CropArchive(tmp_path / "new", MUCH).offer(jpeg(), "happiness", 0.934)

    (kept,) = (tmp_path / "new").iterdir()
    assert kept.read_bytes() == jpeg()
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-happiness-0\.93\.jpg", kept.name)


async def test_at_most_one_is_kept_every_ten_seconds(tmp_path: Path) -> None:
    clock = Clock()
    archive = CropArchive(tmp_path, MUCH, clock)
    kept = []
    for seconds in (0, 1, 9.9, INTERVAL_S, 10.1, 19, 21):
        clock.now = 100 + seconds
        await archive.offer(jpeg(), "fear", 1.0)
        kept.append(len(files_in(tmp_path)))

    assert INTERVAL_S == 10
    assert kept == [1, 1, 1, 2, 2, 2, 3]


async def test_without_a_folder_nothing_is_ever_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    await CropArchive(None, MUCH).offer(jpeg(), "fear", 1.0)

    assert files_in(tmp_path) == []


@pytest.mark.parametrize("label", ["../../etc/passwd", "a/b", "a\\b", "nul\0", "."])
async def test_a_label_does_not_lead_out_of_the_folder(tmp_path: Path, label: str) -> None:
    await CropArchive(tmp_path / "in", MUCH).offer(jpeg(), label, 1.0)

    assert files_in(tmp_path) == ["in"]
    assert len(files_in(tmp_path / "in")) == 1


async def test_a_folder_that_cannot_be_written_to_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")

    await CropArchive(tmp_path / "file", MUCH).offer(jpeg(), "fear", 1.0)

    assert "a crop could not be kept" in caplog.text


async def test_a_full_folder_is_told_once_and_takes_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    archive = CropArchive(tmp_path, len(jpeg()), clock)
    kept = []
    for _ in range(3):
        kept.append(await archive.offer(jpeg(), "fear", 1.0))
        clock.now += INTERVAL_S

    assert kept == [True, False, False]
    assert len(files_in(tmp_path)) == 1
    assert caplog.text.count("no more crops are kept") == 1
