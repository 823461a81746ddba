from emostream.writers import FaceRecord
from emostream.writers.record import columns

RECORD = FaceRecord(3, 0.12, None, 1, (5, 6, 70, 80), 0.9, "glad", 0.75, {"sad": 0.25, "glad": 0.75})


def test_json_keeps_what_belongs_together() -> None:
    assert RECORD.nested() == {
        "frame": 3,
        "time_s": 0.12,
        "source": None,
        "face_id": 1,
        "box": [5, 6, 70, 80],
        "score": 0.9,
        "emotion": "glad",
        "confidence": 0.75,
        "predictions": {"sad": 0.25, "glad": 0.75},
    }


def test_tables_have_a_column_for_each_number() -> None:
    row = RECORD.flat(["glad", "sad"])

    assert tuple(row) == columns(["glad", "sad"])
    assert [row[name] for name in ("box_x", "box_y", "box_width", "box_height")] == [5, 6, 70, 80]
    assert (row["p_glad"], row["p_sad"]) == (0.75, 0.25)
