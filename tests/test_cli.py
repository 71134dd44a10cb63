import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from mailgun_emulator import __version__
from mailgun_emulator.core.settings import Settings, option
from tests import plain

COMMAND = [sys.executable, "-m", "mailgun_emulator"]


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, **environment},
    )


@contextmanager
def serving(*arguments: str) -> "Iterator[tuple[subprocess.Popen[str], str, list[str]]]":
    """The process, its base URL, and the lines it prints at the start."""
    command = [*COMMAND, "serve", "--port", "0", "--smtp-port", "off", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        yield process, lines[0].split()[-1], lines
        process.kill()


def assert_refused(refused: "subprocess.CompletedProcess[str]", *said: str) -> None:
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("mailgun-emulator: ")
    assert refused.stderr.count("\n") == 1
    for each in said:
        assert each in refused.stderr


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"mailgun-emulator {__version__}\n"


def test_every_setting_is_an_option() -> None:
    told = run("serve", "--help")
    assert told.returncode == 0
    offered = re.findall(r"^  (--[a-z-]+)", told.stdout, re.MULTILINE)
    assert offered == [option(name) for name in Settings.model_fields]


def test_an_unknown_option_is_refused() -> None:
    refused = run("serve", "--prot", "8025")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--prot" in refused.stderr


def test_without_a_command_it_helps() -> None:
    helped = run()
    assert helped.returncode == 2
    for command in ("serve", "ready", "openapi"):
        assert f"\n  {command} " in helped.stdout + helped.stderr


def test_the_start_tells_all_that_is_needed_and_its_command_sends() -> None:
    arguments = ("--api-key", "it's secret", "--signing-key", "s1", "--domain", "a.example.com,b.example.com")
    with serving(*arguments, "--strict") as (_, url, lines):
        told = "".join(lines)
        for each in ("it's secret", "s1", "a.example.com, b.example.com", "in memory"):
            assert each in told
        command = lines[5].partition("Try it:")[2]
        sent = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
        assert "Queued. Thank you." in sent.stdout
        assert plain.get(f"{url}/v1/keys", auth=("api", "another")).status_code == 401


def test_every_address_is_shown_as_one_that_clients_can_call() -> None:
    with serving("--host", "0.0.0.0") as (_, url, _lines):  # noqa: S104 - what is tested
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert plain.get(f"{url}/_emulator/health").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_whatever_is_connected(number: signal.Signals) -> None:
    with serving() as (process, url, _), httpx2.Client(verify=False, base_url=url) as idle:
        assert idle.get("/_emulator/health").status_code == 200
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as unfinished:
            unfinished.sendall(b"POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
            begun = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0
            assert time.monotonic() - begun < 2
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_what_a_file_keeps_is_there_at_the_next_start(tmp_path: Path) -> None:
    file = str(tmp_path / "mailgun.db")
    for keys in (2, 3):
        with serving("--database", file) as (process, url, lines):
            assert file in lines[4]
            made = plain.post(f"{url}/v1/keys", auth=("api", "key-emulator"), data={"role": "basic"})
            assert made.status_code == 200
            listed = plain.get(f"{url}/v1/keys", auth=("api", "key-emulator"))
            assert listed.json()["total_count"] == keys
            process.terminate()
            process.wait(10)


def test_the_start_tells_the_signing_key_that_the_file_keeps(tmp_path: Path) -> None:
    file = str(tmp_path / "mailgun.db")
    for arguments, key in (
        (["--signing-key", "first"], "first"),
        ([], "first"),
        (["--signing-key", "second"], "second"),
        ([], "second"),
    ):
        with serving("--database", file, *arguments) as (process, url, lines):
            assert lines[2].split()[-1] == key
            for _ in range(2):
                kept = plain.get(f"{url}/_emulator/accounts").json()["items"][0]["signing_key"]
                assert kept == key
                assert plain.post(f"{url}/_emulator/reset").status_code == 200
            process.terminate()
            process.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="files are locked on Linux alone")
def test_a_database_in_use_is_refused_and_can_be_read(tmp_path: Path) -> None:
    file = str(tmp_path / "mailgun.db")
    with serving("--database", file) as (_, url, _lines):
        refused = run("serve", "--port", "0", "--database", file)
        assert_refused(
            refused, f"The database {file!r} is in use by another emulator. Name another with --database."
        )
        assert plain.post(f"{url}/_emulator/accounts").status_code == 200
        with closing(sqlite3.connect(file)) as reader:
            assert reader.execute("SELECT count(*) FROM account").fetchone() == (2,)
    with serving("--database", file) as (_, url, _lines):
        assert len(plain.get(f"{url}/_emulator/accounts").json()["items"]) == 2


def test_an_option_comes_before_a_variable(server_url: str) -> None:
    port = server_url.rpartition(":")[2]
    refused = run(
        "serve", "--port", port, "--lenient", MAILGUN_EMULATOR_PORT="none", MAILGUN_EMULATOR_STRICT="perhaps"
    )
    assert_refused(refused, f"127.0.0.1:{port}")


def test_a_busy_port_is_refused(server_url: str) -> None:
    port = server_url.rpartition(":")[2]
    assert_refused(run("serve", "--port", port), f"127.0.0.1:{port}", "ddress already in use", "--port")


def test_an_address_of_another_machine_is_refused() -> None:
    assert_refused(run("serve", "--port", "0", "--host", "192.0.2.1"), "192.0.2.1", "--host")


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--port", "none"], {}, "--port"),
        (["--seed", "1.5"], {}, "--seed"),
        ([], {"MAILGUN_EMULATOR_LOG_LEVEL": "loud"}, "MAILGUN_EMULATOR_LOG_LEVEL"),
        ([], {"MAILGUN_EMULATOR_STRICT": "perhaps"}, "MAILGUN_EMULATOR_STRICT"),
    ],
)
def test_a_bad_setting_is_refused(arguments: list[str], environment: dict[str, str], said: str) -> None:
    assert_refused(run("serve", *arguments, **environment), said)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    file.write_bytes(b"not a database at all, but long enough to be looked at")
    assert_refused(run("serve", "--database", str(file)), str(file), "--database")
    assert file.read_bytes().startswith(b"not a database")


def test_a_database_of_another_schema_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "later.db"
    with serving("--database", str(file)) as (process, _, _lines):
        process.terminate()
        process.wait(10)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    assert_refused(run("serve", "--database", str(file)), "99", "--database")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_database_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    assert_refused(run("serve", "--database", str(tmp_path)), str(tmp_path), "--database")
    absent = str(tmp_path / "absent" / "mailgun.db")
    assert_refused(run("serve", "--database", absent), absent, "--database")


def test_ready_finds_the_running_server(server_url: str) -> None:
    assert run("ready", "--url", server_url).returncode == 0
    assert run("ready", MAILGUN_EMULATOR_PORT=server_url.rpartition(":")[2]).returncode == 0


def test_ready_waits_for_a_server_that_comes_later() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    waiting = subprocess.Popen([*COMMAND, "ready", "--wait", "20", "--url", f"http://127.0.0.1:{port}"])
    with subprocess.Popen([*COMMAND, "serve", "--port", port], stdout=subprocess.DEVNULL) as process:
        assert waiting.wait(25) == 0
        process.terminate()


def test_ready_says_when_nothing_answers() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        asked = run("ready", "--url", url)
    assert (asked.returncode, asked.stderr) == (1, f"mailgun-emulator: nothing answers at {url}\n")


def test_ready_refuses_what_is_no_url() -> None:
    assert_refused(run("ready", "--url", "127.0.0.1:8025"), "--url")


def test_it_may_hold_many_connections_whatever_the_shell_allows() -> None:
    resource = pytest.importorskip("resource")
    limit = resource.RLIMIT_NOFILE
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (256, hard))
    try:
        with serving() as (process, _, _):
            assert resource.prlimit(process.pid, limit)[0] == min(hard, 10_000)
    finally:
        resource.setrlimit(limit, (soft, hard))
