import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mailgun_emulator.core.settings import Settings, option, variable
from mailgun_emulator.pipeline import outcomes
from tests import plain
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


SAID = [
    '"Queued. Thank you."',
    '"delivered"',
    '"api_key"',
    "It works.",
    '"frozen"',
    '"hits":0',
    "did you mean `o:tag`?",
    '"Snapshot restored"',
    '"messages":1',
    '"probability":0.1',
    '"Route has been created"',
]


def test_the_commands_do_what_is_said_of_them(own_server_url: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README)
    commands = [block for block in blocks("sh") if "curl" in block]
    for command, expected in zip(commands, SAID, strict=True):
        pasted = command.replace(URL, own_server_url)
        told = subprocess.run(pasted, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
        assert expected in told.stdout
        assert plain.post(f"{own_server_url}/_emulator/drain").status_code == 200
        assert plain.delete(f"{own_server_url}/_emulator/faults").status_code == 200
    assert '"forward"' in told.stdout
    assert "domains:" in (tmp_path / "all.yaml").read_text()


def test_the_program_does_what_is_said_of_it(own_server_url: str) -> None:
    (commands,) = [block for block in blocks("sh") if "mailgun-emulator send" in block]
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": search, "MAILGUN_EMULATOR_URL": own_server_url}
    pasted = ["sh", "-e", "-c", commands]
    told = subprocess.run(pasted, env=environment, capture_output=True, text=True, check=True)
    assert "123456" in told.stdout


def test_the_examples_of_the_fixture_pass(tmp_path: Path) -> None:
    examples = [block for block in blocks("python") if "def test_" in block]
    assert len(examples) > 1
    (tmp_path / "test_examples.py").write_text("\n".join(examples))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_examples.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50)
    assert f"{sum(each.count('def test_') for each in examples)} passed" in ran.stdout, ran.stdout


def test_an_assertion_fails_as_it_shows(tmp_path: Path) -> None:
    (shown,) = blocks("text")
    program = next(block for block in blocks("python") if "def sign_up" in block)
    failing = (
        "def test_it(mailgun):\n"
        "    mailgun.clock.freeze('2026-03-01T12:00:00Z')\n"
        "    sign_up(mailgun.url, mailgun.api_key, mailgun.domain, 'ann@example.com')\n"
        "    mailgun.assert_sent(to='bob@example.com')\n"
    )
    (tmp_path / "test_failing.py").write_text(program.partition("def test_")[0] + failing)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_failing.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50)
    told = re.sub(r"^E {0,7}", "", ran.stdout, flags=re.MULTILINE)
    assert shown.rpartition("  ")[0] in told, told


def test_the_services_are_configured_with_settings_that_exist() -> None:
    compose, workflow = map(yaml.safe_load, blocks("yaml"))
    service = workflow["jobs"]["test"]["services"]["mailgun"]
    known = {variable(name) for name in Settings.model_fields}
    assert set(service["env"]) <= known
    assert compose["services"]["mailgun"]["ports"] == ["8025:8025", "1025:1025"]
    named = re.findall(r"MAILGUN_EMULATOR_\w+", README)
    assert set(named) - {"MAILGUN_EMULATOR_URL"} <= known


def test_the_table_of_recipients_is_true() -> None:
    assert outcomes.documented() in README


PROGRAMS = [block for block in blocks("python") if "def test_" not in block]


@pytest.mark.parametrize("example", PROGRAMS, ids=["client", "emulator"])
def test_the_python_examples_run(example: str, server_url: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(example.replace(URL, server_url))
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
