"""The verifier's training: what it writes is what it trained, and what it starts from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.detection.verifier import ANSWERS, INPUT_PX, FaceVerifier
from safetensors.torch import save_file

from scripts.face_verifier_examples import Examples, far_from
from scripts.train_face_verifier import IN_BATCH, Network, groups, train

pytestmark = pytest.mark.slow

CROPS = np.random.default_rng(0).integers(0, 256, (40, INPUT_PX, INPUT_PX), np.uint8)


def outputs(network: Network) -> np.ndarray:
    with torch.no_grad():
        return network.eval()(torch.from_numpy(CROPS).float()[:, None]).softmax(1).numpy()


def test_written_weights_answer_as_the_network_that_was_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Network()
    network(torch.from_numpy(CROPS).float()[:, None])  # gives the norms statistics
    save_file(network.folded(), tmp_path / "verifier.safetensors")

    verifier = FaceVerifier(tmp_path / "verifier.safetensors")

    answers = np.stack([verifier.answers(np.repeat(crop[..., None], 3, axis=2)) for crop in CROPS])
    assert answers == pytest.approx(outputs(network), abs=0.01)


def test_a_network_starts_where_another_one_ended() -> None:
    torch.manual_seed(0)
    ended, started = Network(), Network()
    images = torch.from_numpy(CROPS).float()[:, None]
    ended(images)

    started.start_from({name: value.float() for name, value in ended.folded().items()}, images)

    assert outputs(started) == pytest.approx(outputs(ended), abs=0.01)


def test_a_network_of_two_answers_keeps_its_probability_of_a_face() -> None:
    torch.manual_seed(0)
    two, five = Network(), Network()
    two.head = torch.nn.Linear(two.head.in_features, 2)
    images = torch.from_numpy(CROPS).float()[:, None]
    two(images)

    five.start_from({name: value.float() for name, value in two.folded().items()}, images)

    assert outputs(five)[:, 0] == pytest.approx(outputs(two)[:, 0], abs=0.01)


def test_what_is_held_out_is_not_learned_from(tmp_path: Path) -> None:
    answers = np.arange(40) % len(ANSWERS)
    sources = np.where(np.arange(40) // len(ANSWERS) % 2, "proposal", "texture")
    held_out = np.arange(40) % 3 == 0
    examples = Examples(CROPS, answers, sources, held_out)
    cleared = Examples(np.where(held_out[:, None, None], 0, CROPS), answers, sources, held_out)

    places = np.concatenate(list(groups(examples).values()))
    one, other = (
        train(each, 2, None, tmp_path / f"{number}.pt") for number, each in enumerate((examples, cleared))
    )

    assert sorted(places) == sorted(np.flatnonzero(~held_out))
    assert set(groups(examples)) == set(IN_BATCH)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_an_image_is_near_itself_and_its_mirror_image_alone() -> None:
    one, other = CROPS[:1], CROPS[1:2]

    assert far_from(np.concatenate([one, one[:, :, ::-1], other]), one).tolist() == [False, False, True]
