"""Loads weights from files into networks and checks every key and shape."""

import pickletools
from collections.abc import Collection, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from ..exceptions import CheckpointError
from .factory import ARCHITECTURES, create_model
from .pickled_sizes import OLD_PICKLES, check_sizes
from .poster_v2 import UNUSED_KEY_PREFIXES
from .weight_file import is_safetensors

#: Keys under which training scripts store the state dict, in order of preference.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_NAMED_IN_ERRORS = 5


def load_checkpoint(model: nn.Module, path: Path | str) -> None:
    """Loads a state dict from a safetensors file or one of ``torch.save`` into ``model``.

    The state dict may be under one of the usual wrappers and may have ``module.`` prefixes. Tensors that
    POSTER V2's forward pass never uses are dropped. Nothing in the file is executed. Raises CheckpointError
    that names the first missing, unexpected and misshapen keys, or those with infinities or NaN, which a
    failed training run leaves.
    """
    path = Path(path)
    wanted = model.state_dict()
    given = {key: value for key, value in _read(path).items() if not key.startswith(UNUSED_KEY_PREFIXES)}
    missing = [key for key in wanted if key not in given]
    unexpected = [key for key in given if key not in wanted]
    misshapen = [
        f"{key} {tuple(given[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in given and given[key].shape != wanted[key].shape
    ]
    problems = [
        f"{kind}: {_first(keys)}"
        for kind, keys in (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen))
        if keys
    ]
    if problems:
        outputs = _other_outputs(wanted, given) if misshapen and not missing and not unexpected else None
        if outputs is not None:
            has, labels = outputs
            raise CheckpointError(f"{path} has {has} outputs, and {labels} labels are given for them")
        if missing and (fitting := _architecture_of(given)) is not None:
            problems.append(f"its tensors are those of the architecture {fitting}")
        raise CheckpointError(f"{path} does not fit this network; {'; '.join(problems)}")
    _check_finite(given, path)
    model.load_state_dict(given)


def _architecture_of(given: Mapping[str, Tensor]) -> str | None:
    """The architecture whose tensors have exactly these names, if there is one."""
    for name in ARCHITECTURES:
        with torch.device("meta"):  # builds the names without memory for the tensors
            if create_model(name, 2).state_dict().keys() == given.keys():
                return name
    return None


def _other_outputs(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """The file's number of outputs and the wanted one, if they are the only difference."""
    counts = set()
    for key, tensor in wanted.items():
        if given[key].shape != tensor.shape:
            if given[key].shape[1:] != tensor.shape[1:]:
                return None
            counts.add((given[key].shape[0], tensor.shape[0]))
    return counts.pop() if len(counts) == 1 else None


def load_part(model: nn.Module, part: str, path: Path) -> None:
    """Loads one part of a network, such as ``ir_back`` of POSTER V2, from a file of that part alone.

    The file may be of a whole network with another head; its other tensors are ignored. Raises
    CheckpointError if there is no such part, or if the file lacks one of its tensors, has it in another shape
    or with infinities or NaN.
    """
    if part not in dict(model.named_children()):
        known = ", ".join(name for name, _ in model.named_children())
        raise CheckpointError(f"the network has no part {part!r}; its parts are: {known}")
    module = model.get_submodule(part)
    wanted = module.state_dict()
    given = _read(path)
    # A count of batches that no computation uses; files from before PyTorch 0.4.1 lack it.
    needed = [key for key in wanted if not key.endswith("num_batches_tracked")]
    unfit = [key for key in needed if key not in given or given[key].shape != wanted[key].shape]
    if unfit:
        raise CheckpointError(f"{path} does not fit {part}; missing or misshapen: {_first(unfit)}")
    used = {key: given[key] for key in wanted if key in given}
    _check_finite(used, path)
    module.load_state_dict(wanted | used)


def _check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    broken = [key for key, tensor in tensors.items() if not tensor.float().isfinite().all()]
    if broken:
        raise CheckpointError(f"{path} holds numbers that are not finite: {_first(broken)}")


def _first(keys: list[str]) -> str:
    """The first few keys, and the number of the others."""
    more = f" and {len(keys) - _NAMED_IN_ERRORS} more" if len(keys) > _NAMED_IN_ERRORS else ""
    return ", ".join(keys[:_NAMED_IN_ERRORS]) + more


def _read(path: Path) -> dict[str, Tensor]:
    if path.is_file() and not path.stat().st_size:
        raise CheckpointError(f"{path} is empty")
    try:
        content: Any = load_file(path) if is_safetensors(path) else _unpickle(path)
    except CheckpointError as error:
        raise CheckpointError(f"{path} is refused: {error}") from error
    # The unpickler raises the last two for a text file.
    except (UnpicklingError, KeyError, IndexError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint, or holds objects that are refused rather than run"
        ) from error
    except (OSError, SafetensorError, RuntimeError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{path} cannot be read as weights: {reason}") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
            break
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise CheckpointError(f"{path} holds no state dict")
    unusual = [key for key, value in content.items() if not _is_plain(value)]
    if unusual:
        raise CheckpointError(f"{path} holds tensors that are sparse or without numbers: {_first(unusual)}")
    return {key.removeprefix("module."): value for key, value in content.items()}


def _is_plain(tensor: Tensor) -> bool:
    """Whether it is a dense tensor with data."""
    return tensor.layout == torch.strided and not tensor.is_meta


class _Inert:
    """Replaces an object of a class that is not loaded: accepts any arguments and does nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def _unpickle(path: Path) -> Any:
    """Loads a file of ``torch.save`` by PyTorch's restricted unpickler, which builds tensors and containers.

    Training checkpoints hold other objects, too, such as their authors' progress recorder. Each name that the
    unpickler would refuse is mapped to its own class that does nothing. Such files then load, and nothing of
    theirs is imported or called. Names of dangerous modules, such as ``os``, are still refused.
    """
    check_sizes(path)
    try:
        names: Collection[str] = get_unsafe_globals_in_checkpoint(path)
    except ValueError:
        names = _names_in_old_file(path)
    with safe_globals([(type(name, (_Inert,), {}), name) for name in names]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _names_in_old_file(path: Path) -> set[str]:
    """``get_unsafe_globals_in_checkpoint`` for files from before PyTorch 1.6, a sequence of pickles.

    The result includes names that PyTorch knows. That does no harm, since its own meaning takes precedence.
    """
    names = set()
    with path.open("rb") as file:
        try:
            for _ in range(OLD_PICKLES):
                for opcode, argument, _ in pickletools.genops(file):
                    if opcode.name == "GLOBAL":
                        names.add(str(argument).replace(" ", "."))
        except (ValueError, MemoryError):
            pass  # no pickle, or a truncated one: loading reports it
    return names
