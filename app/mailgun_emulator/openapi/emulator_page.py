"""The page of `/_emulator`: what the emulator offers besides Mailgun's API, made from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

PREFIX = "/_emulator"
_REFERENCE = "#/components/schemas/"


def page(document: dict[str, Any]) -> str:
    """In Markdown, a heading for each operation."""
    lines = [
        "# What the emulator adds",
        "",
        "Besides Mailgun's API there is `/_emulator`. It asks for no key. Where an account is spoken of, `?account=ID`",
        "or an API key sent along names it; without either it is the default one, or all where that makes sense.",
        "JSON needs its content type; what is wrong is answered with 400 and told in `message`.",
        "This page is made from the routes by `make openapi`; a test holds it true.",
    ]
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        if path.startswith(PREFIX):
            for method, operation in methods.items():
                lines += ["", f"## `{method.upper()} {path}`", "", operation["description"]]
                rows = [*_parameters(operation), *_body(operation, schemas)]
                if rows:
                    lines += ["", "| Name | In | |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _parameters(operation: dict[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", ()):
        if each["in"] == "path" or each["name"] == "account":
            continue  # said by the heading, and for all
        about = each.get("description") or each["schema"].get("description", "")
        yield _row(each["name"], each["in"], about, required=each.get("required", False))


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    for content in list(operation.get("requestBody", {}).get("content", {}).values())[:1]:
        schema = _resolved(content.get("schema", {}), schemas)
        for name, field in schema.get("properties", {}).items():
            yield _row(
                name, "body", field.get("description", ""), required=name in schema.get("required", ())
            )


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The object that a body is, if it is one."""
    for each in (schema, *schema.get("anyOf", ())):
        if "$ref" in each:
            found: dict[str, Any] = schemas[each["$ref"].removeprefix(_REFERENCE)]
            return found
    return schema


def _row(name: str, where: str, about: str, *, required: bool) -> str:
    told = " ".join(about.split()).replace("|", "\\|")
    return f"| `{name}` | {where}{', required' if required else ''} | {told} |"
