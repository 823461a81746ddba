"""OpenVINO as an engine."""

import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from emostream.choices import Precision
from emostream.inference import precision
from emostream.inference.ensemble import LoadedEnsemble
from emostream.inference.openvino_engine import OpenVinoEngine, passes
from emostream.inference.precision import MAX_PRECISION_ERROR
from emostream.models.normalisation import Normalisation, NormalisationSpec

from tests.inference.networks import crops, exact, random_ensemble


def engine_for(
    ensemble: LoadedEnsemble, cache_dir: Path, precision: Precision = "f32", max_batch: int = 8
) -> OpenVinoEngine:
    return OpenVinoEngine(ensemble, max_batch=max_batch, threads=0, precision=precision, cache_dir=cache_dir)


@pytest.mark.parametrize("faces", [1, 3, 8, 11])
def test_probabilities_in_float32_are_pytorchs(cache_dir: Path, faces: int) -> None:
    ensemble = random_ensemble("se_resnet", "poster_v2_compact")
    pixels = crops(ensemble, faces)

    probabilities = engine_for(ensemble, cache_dir).infer(pixels)

    assert probabilities.shape == (2, faces, 3)
    np.testing.assert_allclose(probabilities, exact(ensemble, pixels), atol=1e-4)


def test_members_of_different_input_sizes_run_in_one_graph(cache_dir: Path) -> None:
    ensemble = random_ensemble("se_resnet", "dan")
    pixels = crops(ensemble, 2)

    probabilities = engine_for(ensemble, cache_dir).infer(pixels)

    np.testing.assert_allclose(probabilities, exact(ensemble, pixels), atol=1e-3)


def test_bfloat16_is_not_used_where_it_changes_the_predictions(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No processor computes in it without any difference, so none is allowed here."""
    monkeypatch.setattr(precision, "MAX_PRECISION_ERROR", 0.0)

    assert engine_for(random_ensemble("se_resnet"), cache_dir, "auto").precision == "f32"


def test_what_auto_chooses_stays_close_to_float32(cache_dir: Path) -> None:
    ensemble = random_ensemble("se_resnet", "poster_v2_compact")
    pixels = crops(ensemble, 4)

    probabilities = engine_for(ensemble, cache_dir, "auto").infer(pixels)

    np.testing.assert_allclose(probabilities, exact(ensemble, pixels), atol=MAX_PRECISION_ERROR)


def test_bfloat16_does_not_reach_the_normalisation(cache_dir: Path) -> None:
    """There it knows pixels near 200 to one grey level, and all the contrast of this image is twelve."""
    ensemble = random_ensemble("se_resnet")
    (member,) = ensemble.module
    member.normalise = Normalisation(NormalisationSpec(grayscale=True, per_image=True))
    member.network.head.weight.data *= 20  # as sure as a trained network
    pixels = [200 + crop % 12 for crop in crops(ensemble, 4)]

    probabilities = engine_for(replace(ensemble, fingerprint="sure"), cache_dir, "bf16").infer(pixels)

    np.testing.assert_allclose(probabilities, exact(ensemble, pixels), atol=0.005)


@pytest.mark.parametrize(
    ("architectures", "sizes"),
    [
        (("se_resnet",), (1, 2, 4, 7)),
        (("poster_v2_compact",), (1, 2, 4, 7)),
        # of the compact one's kind, and many times as slow
        pytest.param(("poster_v2",), (1,), marks=pytest.mark.slow),
        pytest.param(("poster_v2_compact", "poster_v2_compact"), (1, 2, 4, 7), marks=pytest.mark.slow),
    ],
)
def test_in_bfloat16_a_face_has_the_same_probabilities_in_whatever_batch(
    cache_dir: Path, architectures: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    """A product that is rounded otherwise for one face than for many shows in one face of twenty or so."""
    ensemble = random_ensemble(*architectures)
    pixels = crops(ensemble, 32)
    engine = engine_for(ensemble, cache_dir, "bf16", max_batch=32)

    together = engine.infer(pixels)

    for size in sizes:
        parts = [engine.infer([crop[i : i + size] for crop in pixels]) for i in range(0, 32, size)]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), together, atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere OpenVINO pins no threads")
def test_an_engine_of_some_threads_leaves_it_to_the_system_on_which_cores_they_run(cache_dir: Path) -> None:
    """Two of one thread each, in two processes, would share the first core and leave the others idle."""
    ensemble = random_ensemble("se_resnet")
    engine = OpenVinoEngine(ensemble, max_batch=8, threads=1, precision="f32", cache_dir=cache_dir)
    pixels = crops(ensemble, 8)
    passes_of_it = threading.Thread(target=lambda: [engine.infer(pixels) for _ in range(30)])
    found: set[frozenset[int]] = set()

    passes_of_it.start()
    while passes_of_it.is_alive():  # threads are pinned for the length of a pass
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):
                found.add(frozenset(os.sched_getaffinity(int(thread))))

    assert found == {frozenset(os.sched_getaffinity(0))}


@pytest.mark.parametrize(
    ("faces", "taken"),
    [
        (1, [1]),
        (2, [2]),
        (3, [4]),  # one place stays empty
        (5, [4, 1]),
        (6, [4, 2]),
        (7, [8]),
        (8, [8]),
        (15, [8, 8]),
        (21, [8, 8, 4, 1]),
        (11, [8, 4]),
    ],
)
def test_faces_are_taken_in_the_passes_that_cost_least(faces: int, taken: list[int]) -> None:
    assert passes(faces, (1, 2, 4, 8)) == taken


@pytest.mark.parametrize("faces", range(1, 40))
def test_passes_have_room_for_every_face(faces: int) -> None:
    for sizes in ((1,), (1, 2), (1, 2, 4, 8)):
        *full, last = passes(faces, sizes)

        assert sum(full) < faces <= sum(full) + last


def halves(*architectures: str, cache_dir: Path, faces: int) -> list[tuple[slice, slice]]:
    """The members and faces of the parts in which a pass is computed, right probabilities provided."""
    ensemble = random_ensemble(*architectures)
    engine = OpenVinoEngine(ensemble, max_batch=faces, threads=2, precision="f32", cache_dir=cache_dir)
    pixels = crops(ensemble, faces)
    np.testing.assert_allclose(engine.infer(pixels), exact(ensemble, pixels), atol=1e-4)
    return [(part.members, part.faces) for part in engine._passes[faces]]


@pytest.mark.parametrize("faces", [1, 2])
@pytest.mark.parametrize(
    "architectures",
    [
        ("se_resnet", "se_resnet"),
        pytest.param(("se_resnet", "mobilenet", "mobilenet", "se_resnet"), marks=pytest.mark.slow),
    ],
)
def test_few_faces_are_shared_out_by_members_that_are_alike(
    cache_dir: Path, architectures: tuple[str, ...], faces: int
) -> None:
    half = len(architectures) // 2
    assert halves(*architectures, cache_dir=cache_dir, faces=faces) == [
        (slice(0, half), slice(0, faces)),
        (slice(half, 2 * half), slice(0, faces)),
    ]


@pytest.mark.parametrize("architectures", [("se_resnet", "se_resnet"), ("se_resnet", "dan"), ("se_resnet",)])
def test_more_faces_are_shared_out_by_themselves(cache_dir: Path, architectures: tuple[str, ...]) -> None:
    everyone = slice(0, len(architectures))
    assert halves(*architectures, cache_dir=cache_dir, faces=4) == [
        (everyone, slice(0, 2)),
        (everyone, slice(2, 4)),
    ]


@pytest.mark.parametrize("architectures", [("se_resnet", "dan"), ("se_resnet",) * 3, ("se_resnet",)])
def test_one_face_of_members_that_cannot_be_halved_is_not_shared_out(
    cache_dir: Path, architectures: tuple[str, ...]
) -> None:
    whole = [(slice(0, len(architectures)), slice(0, 1))]

    assert halves(*architectures, cache_dir=cache_dir, faces=1) == whole


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_probabilities(cache_dir: Path, threads: int) -> None:
    ensemble = random_ensemble("se_resnet")
    pixels = crops(ensemble, 11)

    engine = OpenVinoEngine(ensemble, max_batch=8, threads=threads, precision="f32", cache_dir=cache_dir)

    np.testing.assert_allclose(engine.infer(pixels), exact(ensemble, pixels), atol=1e-4)


def test_any_largest_batch_will_do(cache_dir: Path) -> None:
    ensemble = random_ensemble("se_resnet")
    pixels = crops(ensemble, 5)

    engine = engine_for(ensemble, cache_dir, "auto", max_batch=3)

    np.testing.assert_allclose(engine.infer(pixels), exact(ensemble, pixels), atol=MAX_PRECISION_ERROR)


def test_probabilities_stay_when_the_next_is_computed(cache_dir: Path) -> None:
    ensemble = random_ensemble("se_resnet")
    engine = engine_for(ensemble, cache_dir)
    first = engine.infer(crops(ensemble, 2))
    kept = first.copy()

    engine.infer([255 - crop for crop in crops(ensemble, 2)])

    np.testing.assert_array_equal(first, kept)
