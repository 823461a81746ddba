"""POSTER V2 against the numbers of its authors' implementation (tests/data/README.md)."""

from functools import cache

import numpy as np
import pytest
import torch
from emostream.models.factory import create_model
from emostream.models.poster_v2 import UNUSED_KEY_PREFIXES, PosterV2, relative_position_index

from tests.models.reference import Reference, reference

CLASSES = (7, 8)


def authors(classes: int) -> Reference:
    return reference(f"poster_v2_{classes}")


def drawn_model(classes: int) -> PosterV2:
    model = create_model("poster_v2", classes)
    assert isinstance(model, PosterV2)
    loaded = model.load_state_dict(authors(classes).state(left_out=UNUSED_KEY_PREFIXES), strict=False)
    assert all(key.endswith("relative_position_index") for key in loaded.missing_keys)
    assert not loaded.unexpected_keys
    return model.eval()


@pytest.mark.parametrize("classes", CLASSES)
def test_every_used_tensor_of_a_checkpoint_has_its_place_and_there_is_no_other(classes: int) -> None:
    wanted = authors(classes).shapes(left_out=UNUSED_KEY_PREFIXES)

    own = {key: tuple(value.shape) for key, value in create_model("poster_v2", classes).state_dict().items()}

    assert own == wanted


@pytest.mark.parametrize("classes", CLASSES)
def test_what_is_left_out_is_what_the_authors_never_use(classes: int) -> None:
    unused = authors(classes).facts["parameters_unused_in_forward"]
    left_out = {key for key in authors(classes).shapes() if key.startswith(UNUSED_KEY_PREFIXES)}

    assert set(unused) <= left_out
    assert all(
        key in unused
        # its output is computed and dropped
        or key.startswith("face_landback.output_layer.")
        # buffers of modules whose parameters are unused
        or key.endswith(("running_mean", "running_var", "num_batches_tracked"))
        for key in left_out
    )


@cache
@torch.no_grad()
def run(classes: int) -> tuple[torch.Tensor, dict[str, list[torch.Tensor]]]:
    """Logits in float32, and the outputs of the modules that the reference has taps on."""
    model = drawn_model(classes).float()
    seen: dict[str, list[torch.Tensor]] = {}

    def record(name: str, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        seen[name] = list(output) if isinstance(output, tuple) else [output]

    for name, module in model.named_modules():
        if name in authors(classes).facts["taps"]:
            module.register_forward_hook(lambda module, args, output, name=name: record(name, output))
    return model(authors(classes).input().float()), seen


@pytest.mark.parametrize("classes", CLASSES)
def test_logits_are_the_authors_own(classes: int) -> None:
    """In float32, within ten times what the authors' own code loses in float32."""
    logits, _ = run(classes)

    error = np.abs(logits.numpy() - authors(classes).logits).max()
    assert error <= 10 * authors(classes).float32_error


def test_inner_outputs_are_the_authors_own() -> None:
    """Where the logits differ, this says which module was the first to depart."""
    _, seen = run(7)

    compared = 0
    for name, tensors in seen.items():
        for tensor, tap in zip(tensors, authors(7).facts["taps"][name], strict=True):
            if list(tensor.shape) != tap["shape"]:
                continue  # laid out in windows by the authors
            assert tensor.mean().item() == pytest.approx(tap["mean"], rel=1e-3, abs=1e-4), name
            assert tensor.std().item() == pytest.approx(tap["std"], rel=1e-3), name
            assert tensor.flatten()[:4].tolist() == pytest.approx(tap["first"], rel=1e-3, abs=1e-3), name
            compared += 1
    assert compared >= 12


def test_the_network_has_at_most_45_million_parameters() -> None:
    parameters = sum(p.numel() for p in create_model("poster_v2", 7).parameters())

    assert 43_000_000 < parameters <= 45_000_000


def test_positions_are_indexed_as_in_swin() -> None:
    """Liu et al. (arXiv 2103.14030), written out for a window of 2."""
    assert relative_position_index(2).tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]


def test_the_landmark_stream_is_frozen_and_stays_so_in_training() -> None:
    model = create_model("poster_v2", 7)
    assert isinstance(model, PosterV2)

    model.train()

    assert model.training
    assert model.ir_back.training
    assert not any(module.training for module in model.face_landback.modules())
    assert not any(p.requires_grad for p in model.face_landback.parameters())
    assert all(p.requires_grad for p in model.ir_back.parameters())


def test_the_compact_scale_learns_with_all_of_its_parts() -> None:
    """For it there are no landmark weights to start from."""
    model = create_model("poster_v2_compact", 7)
    assert isinstance(model, PosterV2)

    model.train()

    assert all(p.requires_grad for p in model.parameters())
    assert all(module.training for module in model.face_landback.modules())


@torch.no_grad()
def test_the_compact_scale_takes_faces_of_48_pixels() -> None:
    logits = create_model("poster_v2_compact", 7).eval()(torch.zeros(3, 3, 48, 48))

    assert logits.shape == (3, 7)
    assert logits.isfinite().all()


@torch.no_grad()
def test_a_face_gets_the_same_logits_alone_and_in_company() -> None:
    torch.manual_seed(0)
    model = create_model("poster_v2_compact", 7).eval()
    faces = torch.randn(4, 3, 48, 48)

    together = model(faces)

    alone = torch.cat([model(face[None]) for face in faces])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_training_step_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    model = create_model("poster_v2_compact", 7).train()

    model(torch.randn(4, 3, 48, 48)).square().sum().backward()

    untouched = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert untouched == []
