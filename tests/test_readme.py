import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from mailgun_emulator.core.settings import Settings, option, variable

README = (Path(__file__).parents[1] / "README.md").read_text()
URL = "http://127.0.0.1:8025"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_commands_send_and_tell(server_url: str) -> None:
    sending, telling = (block.replace(URL, server_url) for block in blocks("sh") if "curl" in block)
    sent = subprocess.run(sending, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
    assert "Queued. Thank you." in sent.stdout
    assert httpx2.post(f"{server_url}/_emulator/drain").status_code == 200
    told = subprocess.run(telling, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
    assert '"delivered"' in told.stdout


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
    root = Path(__file__).parents[1]
    for target in re.findall(r"\]\(([^)#:]+)\)", (root / file).read_text()):
        assert (root / target).exists(), target
