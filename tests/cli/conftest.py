"""The command line as it is called from a shell, against the tests' server."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from tests.conftest import Account

COMMAND = [sys.executable, "-m", "mailgun_emulator"]
Called = subprocess.CompletedProcess[str]
Call = Callable[..., Called]


def environment(**more: str) -> dict[str, str]:
    """Nothing of the surroundings says which server and account are meant, or what they are told."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAILGUN_", "NO_COLOR"))}
    return {**own, "PYTHONWARNINGS": "error", "TZ": "UTC", "COLUMNS": "200", **more}


@pytest.fixture
def variables(server_url: str, account: Account) -> dict[str, str]:
    return environment(MAILGUN_EMULATOR_URL=server_url, MAILGUN_API_KEY=account.api_key)


@pytest.fixture
def call(variables: dict[str, str], tmp_path: Path) -> Call:
    """Run a command for the test's account, to the exit code it is to have; its output is no terminal."""

    def run(*arguments: str, given: str = "", exits: int = 0, **more: str) -> Called:
        called = subprocess.run(
            [*COMMAND, *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
            cwd=tmp_path,
            env={**variables, **more},
        )
        assert called.returncode == exits, (called.stdout, called.stderr)
        assert "Traceback" not in called.stderr
        return called

    return run


def told(called: Called) -> object:
    """The JSON it printed."""
    return orjson.loads(called.stdout)
