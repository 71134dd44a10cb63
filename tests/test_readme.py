import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from mailgun_emulator.core.settings import Settings, option, variable
from mailgun_emulator.pipeline import outcomes
from tests.conftest import serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
URL = "http://127.0.0.1:8025"


@pytest.fixture
def own_server_url() -> Iterator[str]:
    with serving() as server:
        yield server.url


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_commands_do_what_is_said_of_them(own_server_url: str) -> None:
    said = ['"Queued. Thank you."', '"delivered"', '"probability":0.1', '"Route has been created"']
    commands = [block for block in blocks("sh") if "curl" in block]
    for command, expected in zip(commands, said, strict=True):
        pasted = command.replace(URL, own_server_url)
        told = subprocess.run(pasted, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
        assert expected in told.stdout
        assert httpx2.post(f"{own_server_url}/_emulator/drain").status_code == 200
    assert '"forward"' in told.stdout


def test_the_table_of_recipients_is_true() -> None:
    assert outcomes.documented() in README


@pytest.mark.parametrize("example", blocks("python"), ids=["client", "tests"])
def test_the_python_examples_run(example: str, server_url: str, tmp_path: Path) -> None:
    command = f'"{sys.executable}", "-m", "mailgun_emulator"'
    program = tmp_path / "example.py"
    program.write_text(example.replace(URL, server_url).replace('"mailgun-emulator"', command))
    ran = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=50
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_table_of_settings_is_true() -> None:
    rows = re.findall(r"^\| `--.*\|$", README, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        shown = "" if default in (None, "") else f"`{str(default).lower()}`"
        expected.append(f"| `{option(name)}` | `{variable(name)}` | {shown} | {field.description} |")
    assert rows == expected


def test_every_request_it_names_is_served() -> None:
    named = re.findall(r"^\| `([A-Z]+) (/\S+)` \|", README.replace("{name}", "{id}"), re.MULTILINE)
    from mailgun_emulator.openapi.operations import operations

    served = {
        (operation.method.upper(), re.sub(r"\{\w+\}", "{id}", operation.path)) for operation in operations()
    }
    assert named
    assert set(named) <= served


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files_that_exist(file: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / file).read_text()):
        assert (ROOT / target).exists(), target
