"""The commands that change how an account stands, and what all commands have in common."""

import os
import pty
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.cli.conftest import COMMAND, Call, environment
from tests.conftest import Account, Client
from typer.testing import CliRunner

from mailgun_emulator.cli import MODULES, main
from mailgun_emulator.cli.addresses import USUAL_URL
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.testing import Emulator
from mailgun_emulator.testing.http_client import base_url


def test_the_clock_is_told_and_set(call: Call, client: Client) -> None:
    call("clock", "freeze", "2026-01-01T00:00:00Z")
    moved = orjson.loads(call("clock", "advance", "8h").stdout)
    assert (moved["iso"], moved["frozen"]) == ("2026-01-01T08:00:00.000Z", True)
    assert client.get("/_emulator/clock").json()["now"] == moved["now"]
    assert call("clock", "--no-json").stdout.startswith("2026-01-01T08:00:00.000Z, stopped, ")
    assert orjson.loads(call("clock", "resume").stdout)["frozen"] is False
    assert orjson.loads(call("clock", "reset").stdout)["offset"] == 0
    assert "advance is no duration" in call("clock", "advance", "far", exits=1).stderr


def test_outcomes_are_added_listed_and_deleted(call: Call, client: Client) -> None:
    added = orjson.loads(
        call(
            "outcomes", "add", "--recipient", "*@x.com", "--code", "421", "--attempts", "2",
            "--then", "opened:5m", "--then", "clicked", "--times", "3",
        ).stdout
    )  # fmt: skip
    assert client.get("/_emulator/outcomes").json()["items"] == [added]
    assert added["match"] == {"recipient": "*@x.com"}
    assert added["then"] == [{"event": "opened", "after": 300.0}, {"event": "clicked", "after": 0.0}]
    assert orjson.loads(call("outcomes").stdout) == orjson.loads(call("outcomes", "list").stdout)
    assert f"{added['id']} recipient=*@x.com → 421, " in call("outcomes", "--no-json").stdout
    call("outcomes", "delete", added["id"])
    call("outcomes", "delete", added["id"], exits=1)
    assert "code is 2xx" in call("outcomes", "add", "--code", "300", exits=1).stderr
    call("outcomes", "add", "--code", "550")
    call("outcomes", "clear")
    assert call("outcomes", "--no-json").stdout == "No rules.\n"


def test_faults_are_added_listed_and_deleted(call: Call, client: Client, account: Account) -> None:
    added = orjson.loads(
        call("faults", "add", "--status", "429", "--retry-after", "30", "--times", "1").stdout
    )
    fields = {"from": "a@x.com", "to": "b@x.com", "text": "x"}
    limited = client.post(f"/v3/{account.domain}/messages", data=fields)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "30")
    assert f"{added['id']} all → " in call("faults", "--no-json").stdout
    call("faults", "delete", added["id"])
    call("faults", "delete", added["id"], exits=1)
    call("faults", "add", "--quota", "2/hour", "--domain", account.domain)
    (quota,) = client.get("/_emulator/faults").json()["items"]
    assert quota["do"]["quota"]["messages"] == 2
    assert "--quota can't be" in call("faults", "add", "--quota", "many", exits=2).stderr
    call("faults", "clear")
    assert orjson.loads(call("faults", "list").stdout)["items"] == []


def send(client: Client, account: Account) -> None:
    fields = {"from": f"a@{account.domain}", "to": "ann@example.com", "text": "x"}
    assert client.post(f"/v3/{account.domain}/messages", data=fields).status_code == 200
    client.drain()


def total(client: Client) -> int:
    return int(client.get("/_emulator/messages").json()["total"])


def test_snapshots_are_taken_and_restored(
    call: Call, client: Client, account: Account, tmp_path: Path
) -> None:
    send(client, account)
    name = f"cli-{account.id}"
    taken = orjson.loads(call("snapshot", "take", name).stdout)
    assert (taken["name"], taken["account"]) == (name, account.id)
    call("snapshot", "download", name, "kept.db")
    send(client, account)
    call("snapshot", "restore", name)
    assert total(client) == 1
    assert name in call("snapshot", "--no-json").stdout
    call("snapshot", "delete", name)
    call("snapshot", "restore", name, exits=1)
    send(client, account)
    call("snapshot", "upload", name, "kept.db")
    call("snapshot", "restore", name)
    assert total(client) == 1
    call("snapshot", "delete", name)
    assert "absent.db" in call("snapshot", "upload", name, "absent.db", exits=2).stderr


@pytest.mark.parametrize("file", ["kept.yaml", "kept.json"])
def test_what_is_exported_can_be_imported(
    call: Call, client: Client, account: Account, tmp_path: Path, file: str
) -> None:
    client.post(f"/v3/{account.domain}/bounces", data={"address": "gone@example.com"})
    assert call("export", file).stdout == ""
    kept = (tmp_path / file).read_bytes()
    assert kept.startswith(b"{") == file.endswith("json")
    assert call("export", "--format", file.rpartition(".")[2]).stdout.encode() == kept
    client.delete(f"/v3/{account.domain}/bounces")
    call("import", file)
    assert client.get(f"/v3/{account.domain}/bounces/gone@example.com").status_code == 200
    call("import", "-", given=kept.decode())
    broken = call("import", "-", given="accounts: [{nonsense: 1}]", exits=1)
    assert "nonsense" in broken.stderr
    assert "absent.yaml" in call("import", "absent.yaml", exits=2).stderr


def test_an_account_is_reset_by_its_key(call: Call, client: Client, account: Account) -> None:
    send(client, account)
    assert call("reset", "--no-json").stdout == "Account reset\n"
    assert total(client) == 0


def test_without_a_key_it_is_the_default_account_and_a_reset_is_of_all() -> None:
    with Emulator() as server:
        bare = environment(MAILGUN_EMULATOR_URL=server.url)

        def run(*arguments: str) -> Any:
            called = subprocess.run(
                [*COMMAND, *arguments], capture_output=True, text=True, check=True, env=bare, timeout=50
            )
            return orjson.loads(called.stdout)

        run("send", "--to", "ann@example.com", "--text", "x", "--wait")
        assert run("inbox")["total"] == 1
        assert run("reset") == {"message": "Everything reset"}
        assert run("inbox")["total"] == 0


def test_where_the_server_is_may_be_said_before_and_after_a_subcommand(call: Call, server_url: str) -> None:
    for arguments in (("clock", "--url", server_url, "resume"), ("clock", "resume", "--url", server_url)):
        call(*arguments, MAILGUN_EMULATOR_URL="http://127.0.0.1:1")


def test_it_is_said_when_nothing_answers(call: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        refused = call("inbox", "--url", url, exits=2)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert refused.stderr.startswith(f"mailgun-emulator: Nothing answers at {url}: ")
    assert "--url" in call("inbox", "--url", "nonsense", exits=2).stderr
    assert "No such command" in call("inbxo", exits=2).stderr


def test_the_usual_url_is_that_of_the_usual_settings() -> None:
    fields = Settings.model_fields
    assert base_url(fields["host"].default, fields["port"].default) == USUAL_URL


def test_a_terminal_is_written_to_for_people_and_in_colour(
    variables: dict[str, str], client: Client, account: Account
) -> None:
    send(client, account)

    def on_terminal(*arguments: str, **more: str) -> str:
        reading, writing = pty.openpty()
        try:
            command = [*COMMAND, "wait", "--event", "delivered", *arguments]
            subprocess.run(command, stdout=writing, check=True, env={**variables, **more}, timeout=50)
            return os.read(reading, 65536).decode()
        finally:
            os.close(reading)
            os.close(writing)

    assert "\x1b[32mdelivered\x1b[0m ann@example.com" in on_terminal()
    assert re.fullmatch(r"\S+ \S+ delivered ann@example.com\s+", on_terminal(NO_COLOR="1"))
    assert orjson.loads(on_terminal("--json"))["items"][0]["event"] == "delivered"


def test_every_command_explains_itself() -> None:
    """In this process: thirteen of them are slow to start."""
    for command in MODULES:
        helped = CliRunner().invoke(main, [command, "--help"], prog_name="mailgun-emulator")
        assert (helped.exit_code, helped.stdout.startswith(f"Usage: mailgun-emulator {command} ")) == (
            0,
            True,
        )
