import subprocess
import sys
from pathlib import Path

import httpx2

COMMAND = [sys.executable, "-m", "mailgun_emulator"]


def test_health_tells_version_and_database(server_url: str) -> None:
    answer = httpx2.get(f"{server_url}/_emulator/health")
    assert answer.status_code == 200
    assert answer.json()["database"] is True


def test_ready_finds_the_running_server(server_url: str) -> None:
    assert subprocess.run([*COMMAND, "ready", "--url", server_url], check=False).returncode == 0


def test_the_root_greets_and_an_unknown_path_is_404(server_url: str) -> None:
    assert httpx2.get(server_url).text == "Mailgun Magnificent API"
    unknown = httpx2.get(f"{server_url}/v3/nothing/here/at/all")
    assert (unknown.status_code, unknown.text) == (404, "404 page not found\n")


def test_a_busy_port_is_one_clear_line(server_url: str) -> None:
    port = server_url.rpartition(":")[2]
    run = subprocess.run([*COMMAND, "serve", "--port", port], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--port" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    file.write_bytes(b"not a database at all, but long enough to be looked at")
    run = subprocess.run(
        [*COMMAND, "serve", "--port", "0", "--database", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "--database" in run.stderr
    assert file.read_bytes().startswith(b"not a database")
