"""Where mail is taken by SMTP, from the start of the emulator to its end."""

import smtplib
import socket
import subprocess
import sys

import pytest
from tests import plain
from tests.conftest import serving
from tests.sink import HOST, free_port, smtp_port


def test_the_start_imports_nothing_that_speaks_smtp() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "mailgun_emulator", "serve"]
    with subprocess.Popen(
        [*command, "--port", "0", "--smtp-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        port = smtp_port(url)
        process.terminate()
        _, imported = process.communicate()
    assert port > 0
    assert "mailgun_emulator.smtp.listener" in imported
    assert "aiosmtpd" not in imported
    assert "smtplib" not in imported


def started(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mailgun_emulator", "serve", "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_a_port_that_is_taken_is_refused_if_it_was_asked_for() -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        refused = started("--smtp-port", str(port))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"can't listen on {HOST}:{port} for SMTP: Address already in use" in refused.stderr
    assert "--smtp-port" in refused.stderr


def test_a_host_that_is_none_is_told_as_one() -> None:
    refused = started("--smtp-port", "0", "--host", "nowhere.invalid")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "can't listen on nowhere.invalid:0" in refused.stderr
    assert "Unknown error" not in refused.stderr


def test_a_port_that_nobody_asked_for_may_be_another() -> None:
    """Whoever has the usual one, a second server finds its own."""
    command = [sys.executable, "-m", "mailgun_emulator", "serve", "--port", "0"]
    ports = []
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            ports.append(smtp_port(process.stdout.readline().split()[-1]))
    finally:
        for process in processes:
            process.terminate()
            process.communicate()
    assert len(set(ports)) == 2


def test_the_start_tells_where_it_is() -> None:
    with serving() as server:
        assert server.process.stdout is not None
        told = [server.process.stdout.readline() for _ in range(5)][-1]
        where = f"{HOST}:{smtp_port(server.url)}"
        assert told == f"SMTP:         {where}, login: postmaster@mg.example.com, any password\n"


def test_it_can_be_off() -> None:
    with serving("--smtp-port", "off") as server:
        assert plain.get(f"{server.url}/_emulator/health").json()["smtp_port"] is None


def test_stopping_cuts_off_who_is_connected() -> None:
    with serving() as server, smtplib.SMTP(HOST, smtp_port(server.url)) as client:
        client.ehlo()
        server.process.terminate()
        assert server.process.wait(10) == 0
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()
