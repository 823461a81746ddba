"""What the bench of the engine counts and divides; never how fast anything is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from emostream.benchmark import random_weights
from emostream.benchmark.engine import count_gflop, measure_engine
from emostream.exceptions import UnknownModelError
from emostream.inference.engine import Engine, create_engine
from emostream.settings import Settings
from torch import nn

from tests.inference.networks import constant_ensemble, random_ensemble


def test_poster_v2_costs_what_its_paper_counts_less_what_nobody_reads() -> None:
    """8.4 G multiply-adds, each of them two operations. In its last block the 147 tokens beside the class
    token, of 768 numbers, need no query (768 multiply-adds a number), projection (768) and MLP (8 × 768),
    and none of the 148 a key and a value (768 each)."""
    spared = (147 * 10 + 148 * 2) * 768 * 768 / 1e9

    assert count_gflop(random_ensemble("poster_v2").module) == pytest.approx(2 * (8.4 - spared), rel=0.03)


def test_the_operations_of_a_network_are_counted_for_one_face() -> None:
    ensemble = constant_ensemble({"one": {"a": 0.5, "b": 0.5}})
    ensemble.module.members[0].network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(8 * 48 * 48, 2)
    )

    multiply_adds = 48 * 48 * 8 * 3 * 3 * 3 + 8 * 48 * 48 * 2
    assert count_gflop(ensemble.module) == pytest.approx(2 * multiply_adds / 1e9)


@pytest.mark.slow
def test_a_row_follows_from_its_times_and_rates(cache_dir: Path) -> None:
    settings = Settings(device="cpu", cache_dir=cache_dir)

    report = measure_engine("se_resnet", [1, 4], seconds=0.05, reference=True, settings=settings)

    for row in report.rows:
        work = report.gflop_per_face * row.batch
        assert row.p50_ms <= row.p95_ms
        assert row.faces_per_second == pytest.approx(row.batch / row.p50_ms * 1000, rel=0.01)
        assert row.gflops_per_second == pytest.approx(work / row.p50_ms * 1000, rel=0.01)
        floor_ms = work / row.matmul_gflops_per_second * 1000
        assert row.times_floor == pytest.approx(row.p50_ms / floor_ms, rel=0.01)
    assert report.eager_ms is not None
    assert report.times_eager is not None
    assert report.processor.endswith("threads")


@pytest.mark.parametrize(("reference", "sizes"), [(True, {1, 8}), (False, {8})])
@pytest.mark.slow
def test_the_reference_is_for_one_face_whatever_the_batches_are(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch, reference: bool, sizes: set[int]
) -> None:
    asked: set[int] = set()

    def listened_to(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        infer = engine.infer

        def noted(crops: Sequence[Any]) -> Any:
            asked.add(len(crops[0]))
            return infer(crops)

        monkeypatch.setattr(engine, "infer", noted)
        return engine

    monkeypatch.setattr("emostream.benchmark.engine.create_engine", listened_to)
    settings = Settings(device="cpu", cache_dir=cache_dir)

    report = measure_engine("se_resnet", [8], seconds=0.05, reference=reference, settings=settings)

    assert asked == sizes
    assert (report.eager_ms is not None, report.times_eager is not None) == (reference, reference)


def test_a_model_that_is_neither_known_nor_an_architecture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        measure_engine(
            "nonesuch", [1], seconds=0.05, reference=False, settings=Settings(weights_dir=tmp_path)
        )


def test_random_networks_of_other_labels_are_other_networks_to_a_cache() -> None:
    seven, three = (random_weights.random_ensemble(["se_resnet"], "abcdefg"[:labels]) for labels in (7, 3))

    assert seven.fingerprint != three.fingerprint
