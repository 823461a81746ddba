"""Several networks as one."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.choices import Policy
from emostream.exceptions import CheckpointError, ModelError
from emostream.inference.ensemble import Ensemble, LoadedEnsemble, Member, load_ensemble, sharpen
from emostream.models.catalogue import EnsembleEntry
from emostream.models.weights import WeightsStore

from tests.inference.networks import SIDE, constant_ensemble, crops, exact, model_entry, random_ensemble
from tests.portraits import portrait

SAD, GLAD = {"sad": 0.8, "glad": 0.2}, {"glad": 0.6, "sad": 0.4}


def answer(ensemble: LoadedEnsemble, faces: int = 1) -> np.ndarray:
    members = exact(ensemble, crops(ensemble, faces))
    return ensemble.combine(members, np.random.default_rng(0))


def test_members_with_another_order_of_labels_are_aligned_by_name() -> None:
    np.testing.assert_allclose(answer(constant_ensemble({"one": SAD, "two": GLAD})), [[0.6, 0.4]], atol=1e-6)


def test_weights_say_how_much_each_member_counts() -> None:
    ensemble = constant_ensemble({"one": SAD, "two": GLAD}, Policy.WEIGHTED, weights=(0.75, 0.25))

    np.testing.assert_allclose(answer(ensemble), [[0.7, 0.3]], atol=1e-6)


def test_with_the_policy_random_each_face_is_answered_by_one_member() -> None:
    answers = answer(constant_ensemble({"one": SAD, "two": GLAD}, Policy.RANDOM), faces=200)

    from_one = np.isclose(answers[:, 0], 0.8)
    from_two = np.isclose(answers[:, 0], 0.4)
    assert (from_one | from_two).all()
    assert 60 < from_one.sum() < 140


def test_a_mapping_adds_labels_up_and_leaves_others_out() -> None:
    """The rest is scaled up so that it still sums to 1."""
    model = model_entry("eight", ("sad", "glad", "happy", "contempt"))
    entry = EnsembleEntry(
        "mapped", ("glad", "sad"), (model,), mapping={"eight": {"happy": "glad", "contempt": ""}}
    )
    member = Member(model, entry.columns(model))
    member.network = torch.nn.Sequential(_Logits((0.3, 0.1, 0.2, 0.4)))

    with torch.inference_mode():
        probabilities = member(torch.zeros(1, 3, SIDE, SIDE))

    torch.testing.assert_close(probabilities, torch.tensor([[0.5, 0.5]]))


class _Logits(torch.nn.Module):
    def __init__(self, probabilities: tuple[float, ...]) -> None:
        super().__init__()
        self.logits = torch.tensor([probabilities]).log()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_members_may_take_images_of_different_sizes() -> None:
    ensemble = random_ensemble("se_resnet", "dan")

    assert ensemble.module.input_sizes == (48, 224)
    assert exact(ensemble, crops(ensemble, 2)).shape == (2, 2, 3)


def test_probabilities_sum_to_one_for_every_member_and_face() -> None:
    ensemble = random_ensemble("se_resnet", "poster_v2_compact")

    np.testing.assert_allclose(exact(ensemble, crops(ensemble, 3)).sum(2), np.ones((2, 3)), atol=1e-5)


@pytest.mark.parametrize("name", ["default", "from-scratch", "from-faces"])
def test_a_shipped_ensemble_sees_a_smile(name: str, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    loaded = load_ensemble(store.catalogue().find(name), store)
    face = np.array(portrait().crop((163, 54, 291, 182)).resize((48, 48)))

    with torch.no_grad():
        answers = loaded.module(torch.from_numpy(face)[None]).numpy()
    probabilities = loaded.combine(answers, np.random.default_rng(0))[0]

    assert probabilities[loaded.entry.labels.index("happiness")] > 0.9


def test_the_fingerprint_changes_with_the_weights_and_with_nothing_else(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    shipped = store.catalogue().model("compact-mobilenet-a")

    def load(file: Path) -> str:
        model = shipped.model_copy(update={"shipped": None, "path": file})
        return load_ensemble(EnsembleEntry("one", model.labels, (model,)), store).fingerprint

    file = tmp_path / "weights.safetensors"
    shutil.copyfile(store.path(shipped), file)
    before = load(file)
    assert load(file) == before

    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert load(file) != before


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    model = model_entry("dan", ("sad", "glad"), "dan").model_copy(
        update={"path": store.path(store.catalogue().model("compact-mobilenet-a"))}
    )

    with pytest.raises(CheckpointError):
        load_ensemble(EnsembleEntry("dan", model.labels, (model,)), store)


def test_a_member_that_lacks_a_label_is_refused_by_name() -> None:
    model = model_entry("narrow", ("sad", "glad"))
    entry = EnsembleEntry("wide", ("sad", "glad", "angry"), (model,))

    with pytest.raises(ModelError, match="narrow does not know angry"):
        entry.columns(model)


def test_pixels_come_out_as_planes_of_floats() -> None:
    ensemble = Ensemble([Member(model_entry("one", ("a", "b")), ((0,), (1,)))])
    crop = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    crop[0, 2, 5, 1] = 255

    planes = ensemble.pixels([crop])[SIDE]

    assert planes.shape == (1, 3, SIDE, SIDE)
    assert planes[0, 1, 2, 5] == 255.0
    assert planes.sum() == 255.0


def test_a_members_temperature_divides_its_logits() -> None:
    model = model_entry("one", ("a", "b"))
    member = Member(model, ((0,), (1,)), temperature=2.0)
    member.network = torch.nn.Sequential(_Logits((0.8, 0.2)))

    with torch.inference_mode():
        probabilities = member(torch.zeros(1, 3, SIDE, SIDE))

    torch.testing.assert_close(probabilities, (torch.tensor([[0.8, 0.2]]).log() / 2).softmax(1))


def test_a_mirrored_member_answers_the_mean_of_both_ways_round() -> None:
    member = random_ensemble("se_resnet").module.members[0]
    x = torch.randint(0, 256, (3, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).float()

    with torch.inference_mode():
        ways = torch.stack([member(x), member(x.flip(3))])
        member.mirrored = True
        answered = member(x)

    assert (ways[0] - ways[1]).abs().max() > 1e-3
    torch.testing.assert_close(answered, ways.mean(0))


def test_a_mirrored_ensemble_is_converted_anew(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    entry = store.find("from-scratch-a")

    fingerprints = {load_ensemble(replace(entry, mirrored=way), store).fingerprint for way in (False, True)}

    assert len(fingerprints) == 2


def test_an_ensembles_temperature_sharpens_its_answer() -> None:
    plain = constant_ensemble({"one": SAD, "two": GLAD}, Policy.MEAN)
    sharp = replace(plain, entry=replace(plain.entry, temperature=0.5))

    mean = answer(plain)
    squares = mean**2
    np.testing.assert_allclose(answer(sharp), squares / squares.sum(1, keepdims=True), atol=1e-6)


def test_sharpening_keeps_certainty_and_sums() -> None:
    probabilities = np.array([[1, 0, 0], [0.5, 0.25, 0.25]], np.float32)

    sharpened = sharpen(probabilities, 0.05)

    np.testing.assert_allclose(sharpened, [[1, 0, 0], [1, 0, 0]], atol=1e-4)
    assert sharpen(probabilities, 1.0) is probabilities
