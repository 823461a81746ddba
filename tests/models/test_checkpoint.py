import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from emostream.exceptions import CheckpointError
from emostream.models.checkpoint import load_checkpoint, load_part
from safetensors.torch import save_file
from torch import Tensor, nn

State = dict[str, Tensor]


class Tiny(nn.Module):
    """A network of two layers and one buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)


class Recorder:
    """What training scripts like to pickle beside the weights."""

    def __init__(self, accuracy: float) -> None:
        self.accuracy = accuracy


class Harmful:
    """Calls a function with an argument when it is unpickled."""

    def __init__(self, function: Callable[[str], object], argument: str) -> None:
        self.function, self.argument = function, argument

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return self.function, (self.argument,)


@pytest.fixture
def state() -> State:
    torch.manual_seed(1)
    model = Tiny()
    nn.init.normal_(model.norm.weight)
    return {key: value.clone() for key, value in model.state_dict().items()}


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def assert_holds(model: nn.Module, state: State) -> None:
    own = model.state_dict()
    assert own.keys() == state.keys()
    for key, value in own.items():
        assert torch.equal(value, state[key]), key


def refusal(path: Path, model: nn.Module | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model or Tiny(), path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


# Files that load


def test_a_bare_state_dict_loads(state: State, tmp_path: Path) -> None:
    model = Tiny()

    load_checkpoint(model, saved(state, tmp_path / "a.pth"))

    assert_holds(model, state)


def test_safetensors_load(state: State, tmp_path: Path) -> None:
    model = Tiny()
    save_file(state, tmp_path / "a.safetensors")

    load_checkpoint(model, str(tmp_path / "a.safetensors"))

    assert_holds(model, state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_a_state_dict_under_a_usual_wrapper_loads(wrapper: str, state: State, tmp_path: Path) -> None:
    model = Tiny()
    content = {"epoch": 3, "best_acc": 92.2, "optimizer": {"state": {}}, wrapper: OrderedDict(state)}

    load_checkpoint(model, saved(content, tmp_path / "a.pth"))

    assert_holds(model, state)


@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_the_prefix_of_parallel_training_is_taken_off(
    wrapper: str | None, state: State, tmp_path: Path
) -> None:
    model = Tiny()
    prefixed = {f"module.{key}": value for key, value in state.items()}

    load_checkpoint(model, saved({wrapper: prefixed} if wrapper else prefixed, tmp_path / "a.pth"))

    assert_holds(model, state)


def test_tensors_that_poster_v2_never_uses_are_accepted_and_dropped(state: State, tmp_path: Path) -> None:
    model = Tiny()
    unused = {
        "VIT.CON1.weight": torch.zeros(1),
        "VIT.blocks.1.conv.bias": torch.zeros(1),
        "face_landback.output_layer.conv_6_dw.conv.weight": torch.zeros(1),
    }

    load_checkpoint(model, saved(state | unused, tmp_path / "a.pth"))

    assert_holds(model, state)


def test_half_precision_is_widened_to_the_networks_own(state: State, tmp_path: Path) -> None:
    model = Tiny()
    halved = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}

    load_checkpoint(model, saved(halved, tmp_path / "a.pth"))

    assert model.first.weight.dtype is torch.float32
    assert torch.allclose(model.first.weight, state["first.weight"], atol=1e-3)


def test_a_progress_recorder_beside_the_weights_is_no_hindrance(state: State, tmp_path: Path) -> None:
    model = Tiny()
    content = {"state_dict": state, "recorder": Recorder(92.2)}

    load_checkpoint(model, saved(content, tmp_path / "a.pth"))

    assert_holds(model, state)


def test_a_file_from_before_pytorch_1_6_loads(state: State, tmp_path: Path) -> None:
    model = Tiny()
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)

    load_checkpoint(model, tmp_path / "a.pth")

    assert_holds(model, state)


def test_a_progress_recorder_in_a_file_from_before_pytorch_1_6_is_no_hindrance_either(
    state: State, tmp_path: Path
) -> None:
    model = Tiny()
    content = {"state_dict": state, "recorder": Recorder(92.2)}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=False)

    load_checkpoint(model, tmp_path / "a.pth")

    assert_holds(model, state)


# Files that belong to another network


def test_missing_unexpected_and_misshapen_tensors_are_all_named(state: State, tmp_path: Path) -> None:
    del state["first.bias"]
    state["second.weight"] = torch.zeros(1)
    state["norm.weight"] = torch.zeros(4)

    message = refusal(saved(state, tmp_path / "a.pth"))

    assert message == (
        f"{tmp_path / 'a.pth'} does not fit this network; missing: first.bias; unexpected: second.weight; "
        "misshapen: norm.weight (4,) instead of (3,)"
    )


def test_a_file_that_does_not_fit_changes_nothing(state: State, tmp_path: Path) -> None:
    model = Tiny()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    del state["norm.bias"]

    refusal(saved(state, tmp_path / "a.pth"), model)

    assert_holds(model, before)


def test_of_many_keys_the_first_five_are_named_and_the_others_counted(state: State, tmp_path: Path) -> None:
    state |= {f"extra.{number}": torch.zeros(1) for number in range(9)}

    message = refusal(saved(state, tmp_path / "a.pth"))

    assert message.endswith("unexpected: extra.0, extra.1, extra.2, extra.3, extra.4 and 4 more")


# Files that are no weights


def test_weights_of_a_run_that_has_failed_are_refused(state: State, tmp_path: Path) -> None:
    model = Tiny()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state["first.bias"][1] = torch.nan
    state["norm.running_var"][0] = torch.inf

    message = refusal(saved(state, tmp_path / "a.pth"), model)

    assert message.endswith("holds numbers that are not finite: first.bias, norm.running_var")
    assert_holds(model, before)


@pytest.mark.parametrize("kind", ["sparse", "meta"])
def test_tensors_that_are_no_numbers_in_memory_are_refused_by_name(
    kind: str, state: State, tmp_path: Path
) -> None:
    weight = state["first.weight"]
    state["first.weight"] = weight.to_sparse() if kind == "sparse" else weight.to("meta")

    message = refusal(saved(state, tmp_path / "a.pth"))

    assert message.endswith("holds tensors that are sparse or without numbers: first.weight")


def test_an_empty_file_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "a.pth").touch()

    assert refusal(tmp_path / "a.pth").endswith("is empty")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_folder_is_no_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()

    refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(name: str, kept: float, state: State, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])

    refusal(path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><title>Quota exceeded</title>",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        bytes(100),
        b"\x80\x02}q\x00.",
    ],
    ids=["a web page", "a image", "zeros", "an empty pickle"],
)
def test_a_file_of_something_else_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    refusal(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        torch.zeros(3),
        {"accuracy": 0.9},
        {"state_dict": {"first.weight": "text"}},
        None,
    ],
    ids=["a list", "a tensor", "numbers", "texts", "nothing"],
)
def test_a_file_without_a_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    refusal(saved(content, tmp_path / "a.pth"))


@pytest.mark.parametrize("words", [b"hello", b"some words"])
def test_words_are_refused_whatever_they_mean_to_an_unpickler(words: bytes, tmp_path: Path) -> None:
    """An h asks for what is remembered under the number of the next letter: nothing."""
    (tmp_path / "a.pth").write_bytes(words)

    refusal(tmp_path / "a.pth")


def test_tensors_under_keys_that_are_no_names_are_no_state_dict(tmp_path: Path) -> None:
    refusal(saved({1: torch.zeros(1)}, tmp_path / "a.pth"))


# Nothing in a file is executed


def functions() -> dict[str, Callable[[str], object]]:
    import os
    import subprocess

    return {"os.system": os.system, "subprocess.Popen": subprocess.Popen, "builtins.exec": exec}


def argument(name: str, marker: Path) -> str:
    """What makes the function of that name write a file."""
    if name == "builtins.exec":
        return f"open({str(marker)!r}, 'w').close()"
    return f"touch {marker}" if name == "os.system" else "/usr/bin/env"


@pytest.mark.parametrize("name", functions())
@pytest.mark.parametrize("form", ["torch.save", "before 1.6", "plain pickle"])
def test_a_harmful_file_executes_nothing(
    name: str, form: str, state: State, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    marker = tmp_path / "was here"
    path = tmp_path / "harmful.pth"
    content = {"state_dict": state, "recorder": Harmful(functions()[name], argument(name, marker))}
    if form == "torch.save":
        torch.save(content, path)
    elif form == "before 1.6":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps({"recorder": content["recorder"]}, protocol=2))

    try:
        load_checkpoint(Tiny(), path)
    except CheckpointError as error:
        assert str(path) in str(error)  # noqa: PT017 - loading the weights beside it would do as well

    assert not marker.exists()
    assert capfd.readouterr().out == ""  # where env would have printed its environment


def test_the_harmful_files_would_do_harm_to_a_careless_reader(tmp_path: Path) -> None:
    """What makes the test above worth something."""
    marker = tmp_path / "was-here"
    data = pickle.dumps(Harmful(exec, argument("builtins.exec", marker)))

    pickle.loads(data)

    assert marker.exists()


def part_file(folder: Path, **changed: Tensor | None) -> Path:
    """A file of the layer ``first`` on its own, with a head that nobody needs."""
    state = {"weight": torch.full((3, 2), 7.0), "bias": torch.ones(3), "head.weight": torch.ones(1)} | changed
    path = folder / "part.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items() if v is not None}}, path)
    return path


def test_a_part_is_loaded_from_its_own_file_and_the_rest_stays(tmp_path: Path) -> None:
    model = Tiny()
    before = model.norm.weight.clone()

    load_part(model, "first", part_file(tmp_path))

    assert torch.equal(model.first.weight, torch.full((3, 2), 7.0))
    assert torch.equal(model.norm.weight, before)


@pytest.mark.parametrize("weight", [None, torch.ones(2, 2)], ids=["missing", "misshapen"])
def test_a_part_that_does_not_fit_is_an_error_that_names_the_tensor(
    tmp_path: Path, weight: Tensor | None
) -> None:
    with pytest.raises(CheckpointError, match="does not fit first; missing or misshapen: weight"):
        load_part(Tiny(), "first", part_file(tmp_path, weight=weight))


def test_a_part_of_a_run_that_has_failed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds numbers that are not finite: weight$"):
        load_part(Tiny(), "first", part_file(tmp_path, weight=torch.full((3, 2), torch.nan)))


def test_a_part_that_there_is_not_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="its parts are: first, norm"):
        load_part(Tiny(), "second", part_file(tmp_path))
