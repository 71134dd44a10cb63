"""A server of its own for each worker, reached through a real port."""

import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    command = [sys.executable, "-m", "mailgun_emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()
        process.stdout.read()


@pytest.fixture
def client(server_url: str) -> Iterator[httpx2.Client]:
    """Speaks for an account of its own."""
    account = httpx2.post(f"{server_url}/_emulator/accounts").json()
    with httpx2.Client(base_url=server_url, auth=("api", account["api_key"])) as client:
        yield client
