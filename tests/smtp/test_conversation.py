"""What is said between SMTP clients and the emulator, and what becomes of those who say it badly."""

import smtplib
import socket
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator

import pytest
from tests.conftest import Account, Client
from tests.sink import HOST, connected, smtp_port
from tests.smtp.test_submission import events, letter, stored


def encoded(*words: str) -> str:
    return b64encode("\0".join(words).encode()).decode()


def talk(url: str, *lines: str, last: bytes = b"") -> list[str]:
    """Say all of it at once and no more; the code of each answer up to the end."""
    with socket.create_connection((HOST, smtp_port(url)), timeout=20) as raw, raw.makefile("rb") as answers:
        raw.sendall("".join(f"{line}\r\n" for line in ("EHLO x", *lines)).encode() + last)
        raw.shutdown(socket.SHUT_WR)
        codes = [line[:3].decode() for line in answers if line[3:4] == b" "]
    assert codes[:2] == ["220", "250"]
    return codes[2:]


def test_mailgun_greets_and_tells_what_it_can(server_url: str) -> None:
    with smtplib.SMTP() as client:
        assert client.connect(HOST, smtp_port(server_url)) == (220, b"Mailgun Influx ready")
        client.ehlo()
        assert set(client.esmtp_features) == {
            "auth",
            "size",
            "8bitmime",
            "smtputf8",
            "pipelining",
            "starttls",
        }
        assert client.esmtp_features["size"] == "52428800"
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
        assert client.quit() == (221, b"See you later. Yours truly, Mailgun")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *(("NOOP", "250"), ("NOOP x", "250"), ("RSET", "250"), ("HELP", "250"), ("HELP MAIL", "250")),
        *(("VRFY bob@x.com", "252"), ("EXPN list", "502"), ("BDAT 3", "500"), ("", "500"), ("\0", "500")),
        *(
            ("GET / HTTP/1.1", "500"),
            ("x" * 3000, "500"),
            ("MAIL", "501"),
            ("MAIL FROM:<a@x.com> X=Y", "555"),
        ),
        *(("MAIL FROM:<a@x.com> SIZE=x", "501"), ("MAIL FROM:<a@x.com> SIZE=52428801", "552")),
        *(("MAIL FROM:<>", "250"), ("MAIL FROM:<a@x.com> BODY=8BITMIME SMTPUTF8 SIZE=9", "250")),
        *(("RCPT TO:<a@x.com>", "503"), ("DATA", "503"), ("STARTTLS now", "501"), ("QUIT", "221")),
        *(("AUTH", "501"), ("AUTH CRAM-MD5", "504"), ("AUTH PLAIN !", "501"), ("AUTH PLAIN bm8=", "501")),
        *(("AUTH LOGIN\r\n*", "334 501"), ("AUTH PLAIN\r\n*", "334 501")),
    ],
)
def test_each_command_has_its_answer(said: str, code: str, server_url: str) -> None:
    assert talk(server_url, said) == code.split()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "plain", "login"])
def test_both_ways_to_log_in_are_known_in_any_case(mechanism: str, account: Account, server_url: str) -> None:
    login = f"postmaster@{account.domain}"
    with connected(server_url) as client:
        if mechanism.upper() == "PLAIN":
            given = b64encode(f"\0{login}\0{account.api_key}".encode()).decode()
            assert client.docmd("AUTH", f"{mechanism} {given}") == (235, b"Authentication successful")
        else:
            assert client.docmd("AUTH", mechanism) == (334, b"VXNlcm5hbWU6")
            assert client.docmd(b64encode(login.encode()).decode()) == (334, b"UGFzc3dvcmQ6")
            code, _ = client.docmd(b64encode(account.api_key.encode()).decode())
            assert code == 235


def test_a_login_may_come_with_the_command_or_behind_it(account: Account, server_url: str) -> None:
    login, password = f"postmaster@{account.domain}", account.api_key
    for said, codes in (
        (["AUTH PLAIN", encoded("", login, password)], ["334", "235"]),
        ([f"AUTH PLAIN {encoded('somebody', login, password)}"], ["235"]),
        ([f"AUTH LOGIN {encoded(login)}", encoded(password)], ["334", "235"]),
    ):
        assert talk(server_url, *said) == codes
        assert talk(server_url, *said, *said[:1])[-1] == "503"


def test_a_wrong_password_is_one_and_the_next_may_be_right(
    client: Client, account: Account, server_url: str
) -> None:
    made = {"login": "news", "password": "first-one"}
    assert client.post(f"/v3/domains/{account.domain}/credentials", data=made).status_code == 200
    login = f"news@{account.domain}"
    wrong, right = (f"AUTH PLAIN {encoded('', login, word)}" for word in ("wrong", "first-one"))
    assert talk(server_url, wrong, right) == ["535", "235"]
    assert talk(server_url, wrong, "MAIL FROM:<a@x.com>", "RCPT TO:<b@elsewhere.test>")[-1] == "550"


@pytest.mark.parametrize("name", ["", "no domain", "-x.com", "x..com", "[127.0.0.1]", "x" * 64])
def test_what_is_no_domain_is_not_made_one(name: str, account: Account, server_url: str) -> None:
    said = ["MAIL FROM:<a@x.com>", "RCPT TO:<b@x.com>", "DATA", "", "hello", "."]
    codes = talk(server_url, f"AUTH PLAIN {encoded('', f'a@{name}', 'any')}", *said)
    assert codes == ["235", "250", "250", "354", "550"]


def test_all_of_it_may_come_in_one_packet(client: Client, account: Account, server_url: str) -> None:
    given = b64encode(f"\0a@{account.domain}\0{account.api_key}".encode()).decode()
    content = letter(account, body="..one\r\n..\r\nlast").decode()
    one = f"MAIL FROM:<a@x.com> AUTH=<>\r\nRCPT TO:<b@x.com>\r\nDATA\r\n{content}.\r\n"
    with socket.create_connection((HOST, smtp_port(server_url))) as raw, raw.makefile("rb") as answers:
        raw.sendall(f"EHLO x\r\nAUTH PLAIN {given}\r\n{one}{one}RSET\r\nNOOP\r\nQUIT\r\n".encode())
        codes = [line[:3] for line in answers if line[3:4] == b" "]
    once = [b"250", b"250", b"354", b"250"]
    assert codes == [b"220", b"250", b"235", *once, *once, b"250", b"250", b"221"]
    accepted = events(client, account)
    assert len(accepted) == 2
    assert str(stored(client, accepted[1]).get_payload()).split() == [".one", ".", "last"]


def test_lines_may_be_long_and_only_crlf_ends_them(client: Client, account: Account, server_url: str) -> None:
    given = b64encode(f"\0a@{account.domain}\0{account.api_key}".encode()).decode()
    body = "x" * 600_000 + "\n.\nMAIL FROM:<evil@x.com>\n" + "y"
    content = letter(account, body=body).decode()
    with socket.create_connection((HOST, smtp_port(server_url))) as raw, raw.makefile("rb") as answers:
        commands = f"EHLO x\r\nAUTH PLAIN {given}\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<b@x.com>\r\nDATA\r\n"
        raw.sendall(f"{commands}{content}.\r\nQUIT\r\n".encode())
        assert [line[:3] for line in answers if line[3:4] == b" "][-2:] == [b"250", b"221"]
    (accepted,) = events(client, account)
    read = client.get(accepted["storage"]["url"]).json()["body-plain"]
    assert read.split() == ["x" * 600_000, ".", "MAIL", "FROM:<evil@x.com>", "y"]


def test_who_says_no_more_is_still_answered(client: Client, account: Account, server_url: str) -> None:
    given = f"AUTH PLAIN {encoded('', f'a@{account.domain}', account.api_key)}"
    envelope = ("MAIL FROM:<a@x.com>", "RCPT TO:<b@x.com>", "DATA")
    assert talk(server_url, given, *envelope, "", "whole", ".") == ["235", "250", "250", "354", "250"]
    assert talk(server_url, given, *envelope, "", "half") == ["235", "250", "250", "354"]
    assert talk(server_url, given, *envelope, last=b"\r\nhalf\r\n.") == ["235", "250", "250", "354"]
    assert talk(server_url, given, last=b"NOO") == ["235"]
    (accepted,) = events(client, account)
    assert str(stored(client, accepted).get_payload()).split() == ["whole"]


def test_a_message_that_was_broken_off_is_none(client: Client, account: Account, server_url: str) -> None:
    with connected(server_url, f"a@{account.domain}", account.api_key) as sender:
        sender.mail("a@x.com")
        sender.rcpt("b@x.com")
        assert sender.docmd("RSET")[0] == 250
        assert sender.docmd("DATA")[0] == 503
        sender.mail("a@x.com")
        sender.rcpt("c@x.com")
        sender.docmd("DATA")
        sender.send(letter(account))
        assert sender.sock is not None
        sender.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sender.sock.close()
        sender.close()
    assert events(client, account) == []


@pytest.fixture
def crowd(server_url: str) -> Iterator[list[socket.socket]]:
    """Many who connect at once; the system keeps those waiting whom nobody has greeted yet."""
    port = smtp_port(server_url)
    everyone = [socket.create_connection((HOST, port), timeout=20) for _ in range(400)]
    yield everyone
    for each in everyone:
        each.close()


def test_many_may_be_connected(
    client: Client, account: Account, server_url: str, crowd: list[socket.socket]
) -> None:
    assert all(each.recv(5) == b"220 M" for each in crowd)
    with connected(server_url, f"a@{account.domain}", account.api_key) as sender:
        sender.sendmail("a@x.com", "b@x.com", letter(account))
    assert len(events(client, account)) == 1


def test_who_is_slow_keeps_nobody_waiting(client: Client, account: Account, server_url: str) -> None:
    slow_login = f"slow@{account.domain}"
    with connected(server_url, slow_login, account.api_key) as slow:
        slow.mail("a@x.com")
        slow.rcpt("slow@x.com")
        slow.docmd("DATA")
        content = letter(account)
        for piece in (content[:10], content[10:-1]):
            slow.send(piece)
            with connected(server_url, slow_login, account.api_key) as quick:
                quick.sendmail("a@x.com", "quick@x.com", content)
        slow.send(content[-1:])
        assert slow.docmd(".") == (250, b"Great success")
    told = [each["recipient"] for each in events(client, account)]
    assert told == ["quick@x.com", "quick@x.com", "slow@x.com"]


def test_where_it_is_stored_is_told_as_the_api_is_reached(
    client: Client, account: Account, server_url: str
) -> None:
    with connected(server_url, f"a@{account.domain}", account.api_key) as sender:
        sender.sendmail("a@x.com", "b@x.com", letter(account))
    (accepted,) = events(client, account)
    assert accepted["storage"]["url"].startswith(f"{server_url}/v3/domains/{account.domain}/messages/")


@pytest.mark.parametrize(
    "said",
    [b"", b"EHLO x\r\n", b"EHLO x\r\nSTARTTLS\r\n", b"EHLO x\r\nAUTH LOGIN\r\n", b"\x16\x03\x01" * 99_999],
)
def test_who_hangs_up_or_talks_nonsense_is_not_worth_a_line(said: bytes) -> None:
    command = [sys.executable, "-m", "mailgun_emulator", "serve", "--port", "0", "--smtp-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = smtp_port(process.stdout.readline().split()[-1])
        for how in (struct.pack("ii", 0, 0), struct.pack("ii", 1, 0)):
            with socket.create_connection((HOST, port)) as raw:
                raw.sendall(said)
                assert raw.recv(5) == b"220 M"
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)
        with smtplib.SMTP(HOST, port) as client:
            assert client.noop()[0] == 250
        process.terminate()
        assert process.communicate()[1] == ""
