from pathlib import Path
from typing import Any

import pytest
from emostream.choices import Policy
from emostream.exceptions import ModelError, UnknownModelError
from emostream.models.catalogue import Catalogue, parse_model, read_catalogue
from emostream.models.factory import input_size

from tests.support import LABELS

OWN = """
[models.mine]
architecture = "se_resnet"
labels = ["happy", "sad"]
path = "/somewhere/mine.pth"

[models.theirs]
architecture = "se_resnet"
labels = ["sad", "happy", "bored"]
path = "/somewhere/theirs.pth"

[ensembles.ours]
members = ["mine", "theirs"]
policy = "weighted"
weights = [1, 3]
labels = ["happy", "sad"]
mapping = { theirs = { bored = "" } }
"""


def catalogue(tmp_path: Path, content: str = OWN) -> Catalogue:
    file = tmp_path / "catalogue.toml"
    file.write_text(content)
    return read_catalogue(file)


def table(**fields: Any) -> dict[str, Any]:
    return {"architecture": "se_resnet", "labels": ["a", "b"], "path": "/somewhere"} | fields


# The built-in models


def test_the_default_is_an_ensemble_of_two_networks_that_come_with_the_package() -> None:
    entry = read_catalogue().find("default")

    assert entry.labels == LABELS
    assert [member.name for member in entry.members] == ["from-scratch-b", "compact-mobilenet-a"]
    assert all(member.shipped for member in entry.members)
    assert entry.policy is Policy.MEAN
    assert not entry.mirrored


def test_every_built_in_model_states_its_input_size() -> None:
    entries = read_catalogue().models.values()

    assert all(entry.input_size == input_size(entry.architecture) for entry in entries)
    assert read_catalogue().model("poster-v2-raf-db").input_size == 224


def test_two_networks_that_started_from_features_of_faces_are_there_too() -> None:
    entry = read_catalogue().find("from-faces")

    assert [member.name for member in entry.members] == ["compact-mobilenet-a", "compact-mobilenet-b"]
    assert all(member.shipped and member.architecture == "mobilenet" for member in entry.members)
    assert entry.labels == LABELS


def test_every_built_in_model_and_ensemble_can_be_used_by_name() -> None:
    known = read_catalogue()

    for name in (*known.models, *known.ensemble_names):
        assert len(known.find(name).labels) in (7, 8)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("poster-v2-affectnet-7", "neutral happiness sadness surprise fear disgust anger"),
        ("poster-v2-raf-db", "surprise fear disgust happiness sadness anger neutral"),
        ("poster-v2-occlusion-a", "anger disgust fear happiness sadness surprise neutral"),
        ("poster-v2-occlusion-b", "anger disgust fear happiness sadness surprise neutral"),
        ("dan-affectnet-8", "neutral happiness sadness surprise fear disgust anger contempt"),
    ],
)
def test_published_weights_have_their_authors_order_of_labels(name: str, labels: str) -> None:
    assert read_catalogue().model(name).labels == tuple(labels.split())


def test_published_weights_have_a_source_and_their_paper() -> None:
    for entry in read_catalogue().models.values():
        assert entry.shipped or (entry.drive and "arXiv" in entry.citation), entry.name


# Finding


def test_a_model_is_an_ensemble_of_one() -> None:
    entry = read_catalogue().find("compact-mobilenet-a")

    assert entry.name == "compact-mobilenet-a"
    assert [member.architecture for member in entry.members] == ["mobilenet"]


def test_several_models_may_be_named_with_commas_between() -> None:
    entry = read_catalogue().find("poster-v2-affectnet-7, compact-mobilenet-a")

    assert [member.name for member in entry.members] == ["poster-v2-affectnet-7", "compact-mobilenet-a"]
    assert entry.labels == entry.members[0].labels


@pytest.mark.parametrize("name", ["nonsense", "from-scratch-a,nonsense"])
def test_an_unknown_name_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        read_catalogue().find(name)

    assert {"default", "compact-mobilenet-a"} <= set(caught.value.known)


def test_an_ensemble_among_models_is_answered_with_its_members() -> None:
    with pytest.raises(ModelError, match=r"^default is an ensemble .*: from-scratch-b, compact-mobilenet-a$"):
        read_catalogue().find("compact-mobilenet-a,default")


@pytest.mark.parametrize("name", ["", " , "])
def test_a_name_that_names_nothing_is_an_error(name: str) -> None:
    with pytest.raises(ModelError):
        read_catalogue().find(name)


def test_members_must_know_the_same_labels() -> None:
    with pytest.raises(ModelError, match="dan-affectnet-8 also knows contempt"):
        read_catalogue().find("compact-mobilenet-a,dan-affectnet-8")
    with pytest.raises(ModelError, match="compact-mobilenet-a does not know contempt"):
        read_catalogue().find("dan-affectnet-8,compact-mobilenet-a")


def test_a_policy_and_weights_may_be_given_with_the_name() -> None:
    names = "compact-mobilenet-a,compact-mobilenet-b"

    assert read_catalogue().find(names, Policy.RANDOM).policy is Policy.RANDOM
    weighted = read_catalogue().find(names, weights=(3, 1))
    assert (weighted.policy, weighted.weights) == (Policy.WEIGHTED, (0.75, 0.25))


@pytest.mark.parametrize("weights", [(), (1.0,), (1.0, 1.0, 1.0), (-1.0, 2.0), (0.0, 0.0)], ids=str)
def test_weights_must_be_one_a_member_and_not_all_0(weights: tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match="weight"):
        read_catalogue().find("default", Policy.WEIGHTED, weights)


# A user's own file


def test_a_users_file_adds_models_and_ensembles(tmp_path: Path) -> None:
    entry = catalogue(tmp_path).find("ours")

    assert entry.labels == ("happy", "sad")
    assert entry.weights == (0.25, 0.75)
    assert [entry.columns(member) for member in entry.members] == [((0,), (1,)), ((1,), (0,))]


def test_a_users_file_leaves_the_built_in_models_as_they_are(tmp_path: Path) -> None:
    assert catalogue(tmp_path).find("default") == read_catalogue().find("default")


def test_a_users_file_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path / "nothing.toml").find("default")


def test_a_users_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        catalogue(tmp_path, "[models")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"architecture": "resnet"}, "no architecture 'resnet'"),
        ({"input_size": 224}, "se_resnet takes images of 48 px, not of 224"),
        ({"labels": ["a"]}, "labels: "),
        ({"labels": ["a", "a"]}, "a label appears twice"),
        ({"path": None}, "exactly one of"),
        ({"drive": "id"}, "exactly one of"),
        ({"sha256": "abc"}, "sha256: "),
        ({"normalisation": {"mean": [0.5]}}, "normalisation.mean"),
        ({"normalisation": {"std": [0.5, 0, 0.5]}}, "normalisation.std.1: Input should be greater than 0"),
        ({"colour": "red"}, "colour: "),
    ],
    ids=[
        "architecture",
        "input size",
        "one label",
        "labels twice",
        "no source",
        "two sources",
        "hash",
        "mean",
        "a deviation of 0",
        "unknown",
    ],
)
def test_a_description_that_is_wrong_is_told_by_place_name_and_field(
    fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ModelError) as caught:
        parse_model("mine", table(**fields), place="the file")

    assert str(caught.value).startswith("the file: mine: ")
    assert problem in str(caught.value)
    assert "Value error" not in str(caught.value)  # the library's word


def test_images_are_normalised_as_for_imagenet_unless_told_otherwise() -> None:
    plain = parse_model("mine", table(), place="the file").normalisation_spec
    own = parse_model("mine", table(normalisation={"mean": [0.5] * 3, "std": [0.25] * 3}), place="the file")

    assert plain.mean == (0.485, 0.456, 0.406)
    assert own.normalisation_spec.std == (0.25, 0.25, 0.25)
    assert not own.normalisation_spec.grayscale
