from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.exceptions import EmostreamError, UnknownModelError
from emostream.inference.ensemble import load_ensemble
from emostream.models.weights import WeightsStore
from emostream.training.datasets import LABELS, FaceDataset
from emostream.training.teacher import TaughtOnce, Teacher, distillation_loss

TEACHER = "compact-mobilenet-a"


def faces(count: int = 3, side: int = 48) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0)) * 255


def test_it_answers_as_it_serves_in_the_students_order(tmp_path: Path) -> None:
    order = LABELS[::-1]
    store = WeightsStore(tmp_path)
    served = load_ensemble(store.find(TEACHER), store).module
    crops = faces().round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    with torch.no_grad():
        expected = served(crops)[0].flip(1)

    torch.testing.assert_close(Teacher(TEACHER, order, tmp_path)(faces()), expected)


def test_it_takes_images_of_any_size_and_colour(tmp_path: Path) -> None:
    teacher = Teacher("default", LABELS, tmp_path)

    answers = teacher(faces(side=36).expand(-1, 3, -1, -1))

    assert answers.shape == (3, len(LABELS))
    torch.testing.assert_close(answers.sum(1), torch.ones(3))


def test_it_never_learns_itself(tmp_path: Path) -> None:
    teacher = Teacher(TEACHER, LABELS, tmp_path).train()

    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_one_with_other_labels_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EmostreamError, match="the teacher compact-mobilenet-a knows anger"):
        Teacher(TEACHER, ("glad", "sad"), tmp_path)


def test_an_unknown_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        Teacher("nobody", LABELS, tmp_path)


def test_the_loss_is_least_where_the_student_says_what_the_teacher_says() -> None:
    answers = torch.tensor([[0.7, 0.2, 0.1]])
    same, other = answers.log(), answers.flip(1).log()

    assert distillation_loss(same, answers, 2.0) < distillation_loss(other, answers, 2.0)
    logits = same.clone().requires_grad_()
    distillation_loss(logits, answers, 2.0).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros(1, 3), atol=1e-6, rtol=0)


def data(count: int = 5) -> FaceDataset:
    pixels = faces(count).round().to(torch.uint8)[:, 0].numpy()
    return FaceDataset(pixels, np.eye(len(LABELS), dtype=np.float32)[np.zeros(count, int)], LABELS)


def test_what_it_says_once_is_what_it_says_of_the_images_as_they_are(tmp_path: Path) -> None:
    found = TaughtOnce(TEACHER, tmp_path, tmp_path / "taught.npz", mirrored=True)(data(), "cpu")

    expected = Teacher(TEACHER, LABELS, tmp_path, mirrored=True)(faces(5).round())
    np.testing.assert_allclose(found, expected.numpy(), atol=0.02)  # the engine's precision is bfloat16


def test_it_is_asked_once_and_again_for_other_images(tmp_path: Path) -> None:
    asked: list[int] = []
    teacher = TaughtOnce(TEACHER, tmp_path, tmp_path / "taught.npz")

    first = teacher(data(), "cpu", asked.append)
    again = TaughtOnce(TEACHER, tmp_path, tmp_path / "taught.npz")(data(), "cpu", asked.append)
    assert np.array_equal(first, again)
    assert asked == [5]

    assert teacher(data(4), "cpu", asked.append).shape == (4, len(LABELS))
    assert asked == [5, 4]


def test_one_that_is_asked_once_is_refused_with_other_labels_too(tmp_path: Path) -> None:
    strange = FaceDataset(data().images, data().targets[:, :2], ("glad", "sad"))

    with pytest.raises(EmostreamError, match="the teacher compact-mobilenet-a knows anger"):
        TaughtOnce(TEACHER, tmp_path, tmp_path / "taught.npz")(strange, "cpu")
