"""The OpenAPI document: FastAPI's, completed with what it can't see."""

import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi

from mailgun_emulator import __version__
from mailgun_emulator.api import SECTIONS
from mailgun_emulator.core.errors import InvalidPrivateKey, Unauthorized
from mailgun_emulator.openapi.operations import Operation, operations
from mailgun_emulator.web.deps import refusal_at
from mailgun_emulator.web.forms import Form

METHODS = ("get", "post", "put", "patch", "delete")
_CITATION = re.compile(r"\s*\(facts/[^()]*\)")
_ABOUT = (
    "Mailgun's HTTP API as the emulator answers it. Give the user `api` and an API key. "
    "With the header `X-Mailgun-On-Behalf-Of` an account's key speaks for the subaccount of that id. "
    "What begins with `/_emulator` is the emulator's own and asks for no key."
)
_SECURITY = "basic"
_MESSAGE = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
_REASON = {"type": "object", "properties": {"Reason": {"type": "string"}}, "required": ["Reason"]}
_RESPONSES = {
    "BadRequest": {
        "description": "A parameter is missing or wrong.",
        "content": {"application/json": {"schema": _MESSAGE}},
    },
    "Unauthorized": {
        "description": f"No key, or one that opens nothing: `{Unauthorized.message}`.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
    "InvalidPrivateKey": {
        "description": f"No key, or one that opens nothing: `{InvalidPrivateKey.message}`.",
        "content": {"application/json": {"schema": _MESSAGE}},
    },
    "NoPreviewKey": {
        "description": f"No key, or one that opens nothing: `{InvalidPrivateKey.message}`.",
        "content": {"application/json": {"schema": _REASON}},
    },
}


def document() -> dict[str, Any]:
    shown = [operation for operation in operations() if operation.route.include_in_schema]
    made = _as_fastapi_makes_it(shown)
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    paths: dict[str, dict[str, Any]] = {}
    for operation, name in zip(shown, names(shown), strict=True):
        entry = made["paths"][operation.route.path_format][operation.method]
        entry["operationId"] = name
        _complete(entry, operation, schemas)
        paths.setdefault(operation.path, {})[operation.method] = entry
    components = {
        "schemas": dict(sorted(schemas.items())),
        "responses": _RESPONSES,
        "securitySchemes": {_SECURITY: {"type": "http", "scheme": "basic"}},
    }
    whole: dict[str, Any] = _without_citations(
        {
            "openapi": made["openapi"],
            "info": made["info"],
            "servers": made["servers"],
            "tags": list(_tags(shown)),
            "paths": {path: _in_order(paths[path], METHODS) for path in sorted(paths)},
            "components": components,
        }
    )
    return whole


def _as_fastapi_makes_it(shown: list[Operation]) -> dict[str, Any]:
    routes = list({id(operation.route): operation.route for operation in shown}.values())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate Operation ID")  # they are named below
        return get_openapi(
            title="Mailgun emulator",
            version=__version__,
            description=_ABOUT,
            servers=[{"url": "http://127.0.0.1:8025"}],
            routes=routes,
        )


def names(shown: list[Operation]) -> list[str]:
    """The handler's name; with its section's where several have it, with its version where it is a twin.

    The newest version has the name alone.
    """
    sections: dict[str, set[str]] = {}
    for operation in shown:
        sections.setdefault(operation.route.name, set()).add(operation.section)
    taken: dict[str, int] = {}
    for index in sorted(range(len(shown)), key=lambda index: shown[index].path, reverse=True):
        operation = shown[index]
        name = operation.route.operation_id or operation.route.name
        if len(sections[operation.route.name]) > 1 and not operation.route.operation_id:
            name = f"{operation.section.rpartition('.')[2]}_{name}"
        version = operation.path.split("/")[1]
        candidates = (name, f"{name}_{version}", *(f"{name}_{version}_{n}" for n in range(2, 100)))
        taken[next(candidate for candidate in candidates if candidate not in taken)] = index
    return sorted(taken, key=lambda name: taken[name])


def _complete(entry: dict[str, Any], operation: Operation, schemas: dict[str, Any]) -> None:
    """Add what FastAPI can't know: parameters that `web.forms` reads, the key, how refusals look."""
    responses = entry["responses"]
    responses.pop("422", None)
    model = next(_forms(operation.route.dependant), None)
    if model is not None:
        _add_form(entry, model, operation, schemas)
        responses.setdefault("400", _shared("BadRequest"))
    if operation.section in SECTIONS and "security" not in entry:
        entry["security"] = [{_SECURITY: []}]
        responses["401"] = _shared(refusal_at(operation.path).__name__)
    entry["responses"] = dict(sorted(responses.items()))


def _shared(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}


def _forms(dependant: Dependant) -> Iterator[type[Form]]:
    model = getattr(dependant.call, "form_model", None)
    if model is not None:
        yield model
    for dependency in dependant.dependencies:
        yield from _forms(dependency)


def _add_form(
    entry: dict[str, Any], model: type[Form], operation: Operation, schemas: dict[str, Any]
) -> None:
    schema = _form_schema(model)
    required = schema.get("required", [])
    if operation.method in ("post", "put", "patch"):
        name = model.__name__
        if schemas.setdefault(name, schema) != schema:
            name = f"{model.__module__.rpartition('.')[2]}_{name}"
            schemas[name] = schema
        kinds = ["multipart/form-data"]
        if not _has_files(schema):
            kinds.append("application/x-www-form-urlencoded")
        body = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        entry["requestBody"] = {"required": bool(required), "content": dict.fromkeys(kinds, body)}
        return
    given = entry.setdefault("parameters", [])
    for name, described in schema["properties"].items():
        parameter = {"name": name, "in": "query", "required": name in required}
        if "description" in described:
            parameter["description"] = described.pop("description")
        given.append({**parameter, "schema": described})


def _has_files(schema: dict[str, Any]) -> bool:
    return any("binary" in json.dumps(described) for described in schema["properties"].values())


def _form_schema(model: type[Form]) -> dict[str, Any]:
    """Written out where it is used, without what is true of every form: null and absent are the same."""
    schema = model.model_json_schema(ref_template="{model}")
    plain: dict[str, Any] = _plain(schema, schema.pop("$defs", {}))
    plain["properties"] = {name: _as_file(each) for name, each in plain.get("properties", {}).items()}
    return plain


def _plain(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"]], **{key: schema[key] for key in schema if key != "$ref"}}
    chosen = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(chosen) == 1:
        others = {key: value for key, value in schema.items() if key != "anyOf"}
        return _plain({**chosen[0], **others}, definitions)
    if chosen:
        schema = {**schema, "anyOf": chosen}
    return {key: _plain(value, definitions) for key, value in schema.items() if not _says_nothing(key, value)}


def _says_nothing(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in (None, []))


def _as_file(schema: dict[str, Any]) -> dict[str, Any]:
    """A form's parameter without a type is a file: see `web.forms.Upload`."""
    if schema.get("items") == {}:
        return {**schema, "items": {"type": "string", "format": "binary"}}
    if not schema.keys() & {"type", "anyOf", "enum", "const"}:
        return {"type": "string", "format": "binary", **schema}
    return schema


def _without_citations(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_citations(each) for each in schema]
    if isinstance(schema, dict):
        return {key: _without_citations(value) for key, value in schema.items()}
    return _CITATION.sub("", schema) if isinstance(schema, str) else schema


def _tags(shown: Iterable[Operation]) -> Iterator[dict[str, str]]:
    """One a section, described by the first line of its module; those of `/_emulator` are all one."""
    described: dict[str, str] = {}
    for operation in shown:
        module = f"mailgun_emulator.{operation.section if operation.section in SECTIONS else 'control'}"
        about = (sys.modules[module].__doc__ or "").partition("\n")[0]
        for tag in operation.route.tags:
            described.setdefault(str(tag), about.removeprefix(f"{tag}: "))
    for name, description in described.items():
        yield {"name": name, "description": description}


def _in_order(entries: dict[str, Any], order: Iterable[str]) -> dict[str, Any]:
    return {name: entries[name] for name in order if name in entries}


def as_text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
