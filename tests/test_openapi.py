import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

from mailgun_emulator.fixtures import schema
from mailgun_emulator.openapi import coverage, emulator_page
from mailgun_emulator.openapi.document import as_text, document

FOLDER = Path(__file__).parents[1] / "openapi"
REFERENCE = Path(__file__).parents[2] / "shared" / "spec" / "operations.tsv"
STALE = "Run `make openapi`."


@cache
def made() -> dict[str, Any]:
    return document()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_committed_document_is_current() -> None:
    assert (FOLDER / "mailgun-emulator.json").read_text() == as_text(made()), STALE


def test_the_page_of_what_is_covered_is_true() -> None:
    page = (FOLDER / "coverage.md").read_text()
    reference = coverage.reference_in(page)
    assert len(reference) == 225
    if REFERENCE.exists():
        assert reference == coverage.reference_of(REFERENCE.read_text()), STALE
    assert page == coverage.page(reference), STALE


def test_the_page_of_what_the_emulator_adds_is_true() -> None:
    assert (FOLDER / "emulator.md").read_text() == emulator_page.page(made()), STALE


def test_the_schema_of_fixture_files_is_current() -> None:
    assert (FOLDER / "fixture.schema.json").read_text() == schema.as_text(), STALE


def test_all_that_the_emulator_adds_is_described() -> None:
    page = emulator_page.page(made())
    assert [line for line in page.splitlines() if line.endswith("|  |")] == []


def test_the_command_prints_the_document() -> None:
    command = [sys.executable, "-m", "mailgun_emulator", "openapi"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == as_text(made())


def test_every_operation_has_a_name_of_its_own_a_section_and_a_description() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", name) for name in names)
    sections = {tag["name"] for tag in made()["tags"]}
    for method, path, operation in operations():
        assert len(operation["tags"]) == 1, (method, path)
        assert set(operation["tags"]) <= sections
        assert operation.get("description"), (method, path)


def test_every_answer_is_described() -> None:
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                continue
            for kind, body in answer.get("content", {}).items():
                assert body.get("schema") or not kind.endswith("json"), (method, path, status)


def test_names_of_schemas_are_plain() -> None:
    assert [name for name in made()["components"]["schemas"] if "__" in name or "-" in name] == []


def test_a_form_is_described_as_clients_send_it() -> None:
    body = made()["paths"]["/v3/{domain}/messages"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
    schema = made()["components"]["schemas"]["MessageForm"]["properties"]
    assert schema["o:tag"]["type"] == "array"
    assert schema["attachment"]["items"] == {"type": "string", "format": "binary"}
    query = made()["paths"]["/v1/keys"]["get"]["parameters"]
    assert {parameter["name"]: parameter["in"] for parameter in query} == {
        "domain_name": "query",
        "kind": "query",
    }


def test_every_operation_of_mailgun_asks_for_a_key_as_it_says(server_url: str) -> None:
    refusals = made()["components"]["responses"]
    with httpx2.Client(verify=False, base_url=server_url) as client:
        for method, path, operation in operations():
            if path.startswith("/_emulator"):
                assert "security" not in operation
                continue
            if path == "/v4/inbox/sharing/public/{share_id}":
                assert operation["security"] == []
                continue
            assert operation["security"] == [{"basic": []}]
            answer = client.request(method, re.sub(r"\{\w+\}", "x", path))
            said = refusals[operation["responses"]["401"]["$ref"].rpartition("/")[2]]["content"]
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"].partition(";")[0] in said, (method, path)
