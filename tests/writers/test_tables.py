import csv
import io
import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from emostream.exceptions import WriteError
from emostream.faces import Face, Faces
from emostream.writers import Run, check_table, open_writer

LABELS = ("glad", "sad")
RUN = Run("pilot", "m", 0.5, 100, 1000.0)
FACE = Face((5, 6, 70, 80), {"glad": 0.75, "sad": 0.25}, 0.9, 1)
FACES = Faces((FACE,), (640, 480), LABELS, frame_index=3, time_s=0.12)


@pytest.mark.parametrize("name", ["faces.jsonl", "faces.csv", "faces.parquet"])
def test_every_format_gives_back_what_was_written(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    with open_writer(out, LABELS, RUN) as writer:
        writer.write(FACES)
        writer.write(replace(FACES, faces=(replace(FACE, score=None),), frame_index=4, source="ü, v.jpg"))

    if out.suffix == ".jsonl":
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert rows[:1] == [row | RUN.values(FACES) for row in FACES.to_dicts()]
    elif out.suffix == ".csv":
        rows = list(csv.DictReader(out.read_text().splitlines()))
        assert [row["p_glad"] for row in rows] == ["0.75", "0.75"]
        assert (rows[0]["box_x"], rows[1]["score"]) == ("5", "")
    else:
        rows = pq.read_table(out).to_pylist()
        assert (rows[0]["box_width"], rows[0]["p_sad"], rows[1]["score"]) == (70, 0.25, None)
    assert [int(row["frame"]) for row in rows] == [3, 4]
    assert rows[1]["source"] == "ü, v.jpg"
    assert [path.name for path in tmp_path.iterdir()] == [name]


#: Names of files, and what a spreadsheet or terminal is to see of them.
HOSTILE = {
    "=cmd|' /C calc'!A1.jpg": "'=cmd|' /C calc'!A1.jpg",
    " +1.jpg": "' +1.jpg",
    "\t@SUM(A1).jpg": "\\t@SUM(A1).jpg",
    "\uff1d1.jpg": "'\uff1d1.jpg",
    "\x1b[2J\x9b31m.jpg": "\\x1b[2J\\x9b31m.jpg",
    "\u202egpj.exe": "\\u202egpj.exe",
    "two\nlines.jpg": "two\\nlines.jpg",
    "caf\udce9.jpg": "caf\\xe9.jpg",
    "日本語 👩\u200d💻.jpg": "日本語 👩\u200d💻.jpg",
}


@pytest.mark.parametrize("source", HOSTILE)
def test_a_files_name_is_no_formula_and_no_control_sequence(tmp_path: Path, source: str) -> None:
    for out in (tmp_path / "faces.csv", tmp_path / "faces.jsonl"):
        with open_writer(out, LABELS, RUN) as writer:
            writer.write(replace(FACES, source=source))

    (row,) = csv.DictReader(io.StringIO((tmp_path / "faces.csv").read_text(encoding="utf-8")))
    assert row["source"] == HOSTILE[source]
    (line,) = (tmp_path / "faces.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["source"] == source
    assert line.replace("\u200d", "").isprintable()


@pytest.mark.parametrize(("name", "header"), [("faces.jsonl", 0), ("faces.csv", 1)])
def test_a_frames_lines_can_be_read_as_soon_as_it_is_written(tmp_path: Path, name: str, header: int) -> None:
    out = tmp_path / name

    def lines() -> int:
        text = out.read_text()
        assert text == "" or text.endswith("\n")
        return len(text.splitlines()) - header

    with open_writer(out, LABELS, RUN) as writer:
        assert lines() == 0
        writer.write(replace(FACES, faces=(FACE, replace(FACE, face_id=2))))
        assert lines() == 2
        writer.write(replace(FACES, faces=()))
        assert lines() == 2
        writer.write(FACES)
        assert lines() == 3


def test_an_interrupted_run_leaves_a_whole_parquet_file(tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"

    with suppress(KeyboardInterrupt), open_writer(out, LABELS, RUN) as writer:
        for index in range(9000):  # more than one row group
            writer.write(replace(FACES, frame_index=index))
        assert not out.exists()
        raise KeyboardInterrupt

    assert pq.ParquetFile(out).num_row_groups == 2
    assert pq.read_table(out).num_rows == 9000


def test_a_file_of_that_name_is_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        with open_writer(tmp_path / "faces.jsonl", LABELS, RUN) as writer:
            writer.write(FACES)

    assert len((tmp_path / "faces.jsonl").read_text().splitlines()) == 1


def test_without_a_file_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with open_writer(None, LABELS, RUN) as writer:
        writer.write(FACES)
    with open_writer(None, LABELS, RUN, format="csv") as writer:
        writer.write(FACES)

    first, second, _ = capsys.readouterr().out.splitlines()
    assert json.loads(first) == FACES.to_dicts()[0] | RUN.values(FACES)
    assert second.startswith("frame,time_s,source,")


def test_what_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"faces\.txt: the name must end in \.jsonl"):
        open_writer(tmp_path / "faces.txt", LABELS, RUN)
    for format in ("parquet", "elan"):
        with pytest.raises(WriteError, match="name a file"):
            open_writer(None, LABELS, RUN, format=format)
    for name in ("faces.csv", "faces.parquet", "faces.eaf"):
        with pytest.raises(WriteError, match=f"{name} cannot be written"):
            open_writer(tmp_path / "nowhere" / name, LABELS, RUN)


def test_faces_of_several_files_are_told_apart_in_laboratories_files(tmp_path: Path) -> None:
    out = tmp_path / "faces.eaf"

    with open_writer(out, LABELS, RUN) as writer:
        writer.write(replace(FACES, source="a.mp4"))
        writer.write(replace(FACES, source="b.mp4"))

    tiers = ElementTree.parse(out).getroot().findall("TIER")
    assert [tier.get("TIER_ID") for tier in tiers] == ["a.mp4 Face 1", "b.mp4 Face 1"]


def test_a_long_table_has_a_row_for_each_label(tmp_path: Path) -> None:
    out = tmp_path / "faces.long.csv"

    with open_writer(out, LABELS, RUN) as writer:
        writer.write(FACES)

    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["label"], row["probability"], row["emotion"]) for row in rows] == [
        ("glad", "0.75", "glad"),
        ("sad", "0.25", "glad"),
    ]


def test_names_are_written_whatever_the_terminals_letters_and_the_names_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(b"Zo\xc3\xab caf\xe9.jpg")
    faces = replace(FACES, source=name)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)

    open_writer(None, LABELS, RUN).write(faces)
    with open_writer(tmp_path / "a.parquet", LABELS, RUN) as writer:
        writer.write(faces)

    line = terminal.buffer.getvalue().splitlines()[0]  # type: ignore[attr-defined]
    assert json.loads(line)["source"] == name
    assert pq.read_table(tmp_path / "a.parquet")["source"][0].as_py() == "Zoë caf\\xe9.jpg"
    for ending in (".csv", ".long.csv", "_events.tsv", ".eaf", ".boris.csv"):
        with open_writer(tmp_path / f"a{ending}", LABELS, RUN) as writer:
            writer.write(faces)
        (tmp_path / f"a{ending}").read_text("utf-8")


@pytest.mark.parametrize("name", ["faces.xls", "no/faces.csv", "."])
def test_an_output_that_cannot_be_is_told_before_any_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(WriteError):
        check_table(tmp_path / name)
    check_table(tmp_path / "faces.csv")
    check_table(None)
