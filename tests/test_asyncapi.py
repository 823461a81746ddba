"""docs/asyncapi.yaml against the message classes: neither may know more than the other."""

import inspect
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from emostream.api import legacy
from emostream.exceptions import ErrorCode
from emostream.protocol import wire
from pydantic import BaseModel, TypeAdapter

from tests.support import ROOT

#: Said about a schema, or for a reader, but no part of it.
NOTES = ("title", "description", "default", "examples")
#: Schemas of the document that are no class of the wire format.
OTHERS = {"binary", "legacyPicture", "legacyAnswer", "legacyError"}
CLIENT_CLASSES = {
    wire.SessionUpdate,
    wire.SessionConfigChange,
    wire.SessionClose,
    wire.FrameHeader,
    wire.FaceEntry,
}


@cache
def document() -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())
    assert isinstance(content, dict)
    return content


def resolved(reference: str) -> Any:
    found: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def message_classes() -> dict[str, type[BaseModel]]:
    """Every class of the wire format by its schema's name in the document."""
    return {
        name[0].lower() + name[1:]: found
        for name, found in inspect.getmembers(wire, inspect.isclass)
        if issubclass(found, BaseModel) and found.__module__ == wire.__name__ and not name.startswith("_")
    }


def documented(schema: Any) -> Any:
    """A schema of the document without notes, with references replaced by what they name."""
    if isinstance(schema, list):
        return [documented(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return documented(resolved(schema["$ref"]))
    return {
        key: {name: documented(field) for name, field in part.items()}
        if key == "properties"
        else documented(part)
        for key, part in schema.items()
        if key not in NOTES
    }


def implemented(schema: Any, definitions: dict[str, Any], always_all: bool) -> Any:
    """Pydantic's schema of a class in the same form.

    Two things differ in how they are said. A field that may be None and need not be given is never sent as
    null: it is left out. And the server (which is what ``always_all`` says) sends all other fields always,
    those with a default too.
    """
    if isinstance(schema, list):
        return [implemented(part, definitions, always_all) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return implemented(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions, always_all)
    plain = {key: part for key, part in schema.items() if key not in (*NOTES, "$defs", "properties")}
    found = {key: implemented(part, definitions, always_all) for key, part in plain.items()}
    if {"type": "integer"} in found.get("anyOf", ()) and {"type": "number"} in found["anyOf"]:
        found["anyOf"].remove({"type": "integer"})  # which is a number
        if len(found["anyOf"]) == 1:
            return found["anyOf"][0]
    if "properties" in schema:
        required = set(schema.get("required", ()))
        properties = {}
        for name, field in schema["properties"].items():
            properties[name] = implemented(field, definitions, always_all)
            if "default" in field and field["default"] is None:
                properties[name] = _without_null(properties[name])
            elif always_all:
                required.add(name)
        found["properties"] = properties
        found.pop("required", None)
        if required:
            found["required"] = sorted(required)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    parts = [part for part in schema["anyOf"] if part != {"type": "null"}]
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def with_sorted_required(schema: Any) -> Any:
    """The order of a list of names means nothing."""
    if isinstance(schema, list):
        return [with_sorted_required(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: sorted(part) if key == "required" else with_sorted_required(part) for key, part in schema.items()
    }


def schema_of(message: type[BaseModel], always_all: bool) -> Any:
    schema = message.model_json_schema(mode="validation")
    return with_sorted_required(implemented(schema, schema.get("$defs", {}), always_all))


# The document and the classes


def test_every_class_has_a_schema_and_every_schema_a_class() -> None:
    assert set(document()["components"]["schemas"]) == set(message_classes()) | OTHERS


@pytest.mark.parametrize("name", message_classes())
def test_a_schema_says_what_its_class_does(name: str) -> None:
    message = message_classes()[name]

    schema = with_sorted_required(documented({"$ref": f"#/components/schemas/{name}"}))

    assert schema == schema_of(message, always_all=message not in CLIENT_CLASSES)


def names_in(union: object) -> set[str]:
    """The types of a union's messages."""
    return {member.model_fields["type"].annotation.__args__[0] for member in typing.get_args(union)}


def messages_of(operation: str) -> dict[str, dict[str, Any]]:
    """An operation's messages by their name in the document."""
    found = {}
    for reference in document()["operations"][operation]["messages"]:
        component = resolved(reference["$ref"])["$ref"]
        found[component.rpartition("/")[2]] = resolved(component)
    return found


def test_the_server_sends_what_is_documented_and_nothing_else() -> None:
    assert {message["name"] for message in messages_of("sendMessages").values()} == names_in(
        wire.ServerMessage
    )


def test_the_server_takes_what_is_documented_and_nothing_else() -> None:
    names = {message["name"] for message in messages_of("receiveMessages").values()}

    assert names == names_in(wire.ClientMessage) | {"frame (envelope)", "frame (image)"}


@pytest.mark.parametrize("operation", ["sendMessages", "receiveMessages"])
def test_a_messages_name_is_the_type_in_its_schema(operation: str) -> None:
    for component, message in messages_of(operation).items():
        if not component.startswith("frame"):
            assert documented(message["payload"])["properties"]["type"]["const"] == message["name"]
            assert message["payload"]["$ref"] == f"#/components/schemas/{component}"


def test_error_codes_are_listed_in_the_order_of_the_code() -> None:
    code = resolved("#/components/schemas/error")["properties"]["code"]

    assert code["enum"] == list(typing.get_args(ErrorCode))


def test_every_close_code_is_explained() -> None:
    description = resolved("#/channels/stream")["description"]

    assert [code for code in wire.CloseCode if f"{code} (" not in description] == []


def test_the_envelopes_limit_is_the_codes() -> None:
    assert (
        f"at most {wire.MAX_HEADER_BYTES}." in resolved("#/components/messages/frameEnvelope")["description"]
    )


def test_the_modes_are_the_codes() -> None:
    from emostream.inference.fair_queue import LaneMode

    mode = resolved("#/channels/stream")["bindings"]["ws"]["query"]["properties"]["mode"]

    assert mode["enum"] == [member.value for member in LaneMode]


def test_the_older_format_is_documented_as_it_is_read() -> None:
    assert with_sorted_required(documented({"$ref": "#/components/schemas/legacyPicture"})) == schema_of(
        legacy._Message, always_all=False
    )


# Examples


def examples() -> Iterator[Any]:
    for component, message in document()["components"]["messages"].items():
        for number, example in enumerate(message.get("examples", ())):
            yield pytest.param(component, example["payload"], id=f"{component}-{number}")


@pytest.mark.parametrize(("component", "payload"), list(examples()))
def test_an_example_obeys_its_schema_and_its_class(component: str, payload: dict[str, Any]) -> None:
    schema = documented(resolved(f"#/components/messages/{component}")["payload"])
    jsonschema.validate(payload, schema)

    if component in message_classes():
        message = message_classes()[component].model_validate(payload)
        sent = message.model_dump(exclude_none=True)
        assert sent == {key: value for key, value in payload.items() if value is not None}


def test_all_text_messages_have_an_example() -> None:
    without = {
        component
        for component, message in document()["components"]["messages"].items()
        if "examples" not in message
    }

    assert without == {"frameEnvelope", "frameImage"}


def test_what_the_server_sends_obeys_its_schema() -> None:
    """Not the class's own schema, but the bytes on the wire."""
    text = wire.encode_message(
        wire.Result(
            frame_id=1,
            faces=[wire.FaceResult(face_id=1, emotion="fear", confidence=1.0, predictions={"fear": 1.0})],
            predictions={"fear": 1.0},
            emotion="fear",
            timing=wire.Timing(queue_ms=1, inference_ms=1, total_ms=1, batch_size=1),
        )
    )

    jsonschema.validate(
        TypeAdapter(dict[str, Any]).validate_json(text), documented({"$ref": "#/components/schemas/result"})
    )


# The document itself, as AsyncAPI 3.0 wants it; no package carries its JSON schema


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for item in part:
            yield from references(item)


def test_the_document_has_the_parts_of_asyncapi_3() -> None:
    assert document()["asyncapi"] == "3.0.0"
    assert set(document()) == {
        "asyncapi",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }
    assert {"title", "version"} <= set(document()["info"])
    assert isinstance(document()["info"]["version"], str)
    for server in document()["servers"].values():
        assert {"host", "protocol"} <= set(server)
        assert "://" not in server["host"]


def test_notes_are_texts() -> None:
    """YAML takes some words and all numbers for something else."""

    def notes(part: Any) -> Iterator[Any]:
        if isinstance(part, dict):
            yield from (part[key] for key in ("title", "summary", "description") if key in part)
            yield from (note for value in part.values() for note in notes(value))
        elif isinstance(part, list):
            yield from (note for value in part for note in notes(value))

    assert [note for note in notes(document()) if not isinstance(note, str)] == []


def test_every_reference_leads_somewhere() -> None:
    found = list(references(document()))

    assert len(found) > 40
    for reference in found:
        assert reference.startswith("#/")
        assert resolved(reference) is not None


def test_operations_use_messages_of_their_own_channel() -> None:
    """AsyncAPI 3.0: a reference into the channel, not into the components."""
    for operation in document()["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_every_component_is_used() -> None:
    used = set(references(document())) | {
        "#/components/schemas/frameHeader",  # inside a binary message, and so named in its description
    }

    for kind in ("messages", "schemas"):
        unused = [n for n in document()["components"][kind] if f"#/components/{kind}/{n}" not in used]
        assert unused == []


def test_channels_are_the_servers_websockets() -> None:
    from emostream.api import stream

    documented_paths = {channel["address"] for channel in document()["channels"].values()}

    assert documented_paths == {
        route.path for router in (stream.router, legacy.router) for route in router.routes
    }


@pytest.mark.parametrize("name", [n for n in document()["components"]["schemas"] if n != "binary"])
def test_every_schema_is_valid_json_schema(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(documented({"$ref": f"#/components/schemas/{name}"}))
