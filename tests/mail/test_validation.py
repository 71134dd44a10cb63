import io
import subprocess
import sys
import zipfile

import orjson
import pytest

from mailgun_emulator.mail import validation, validation_domains, validation_lists
from mailgun_emulator.mail.validation import Fate


def judged(address: str, fate: Fate = Fate.DELIVERED) -> str:
    """Result, risk and reasons."""
    read = validation.read(address)
    verdict = validation.MALFORMED if read is None else validation.judge(read, fate)
    return " ".join([verdict.result, verdict.risk, *verdict.reasons])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("bob@example.net", "deliverable low"),
        ("bob@shop.test", "deliverable low"),
        ('"b o b"@example.net', "deliverable low"),
        ('"b@b"@example.net', "deliverable low"),
        ("bøb@exämple.net", "deliverable low"),
        ("bob@mg.example", "deliverable low"),
        ("bob@simulator.test", "deliverable low"),
        ("Sales@example.net", "deliverable medium mailbox_is_role_address"),
        ("support+de@example.net", "deliverable medium mailbox_is_role_address"),
        ("bob@mailinator.com", "do_not_send high mailbox_is_disposable_address"),
        ("bob@eu.mailinator.com", "do_not_send high mailbox_is_disposable_address"),
        ("admin@mailinator.com", "do_not_send high mailbox_is_disposable_address mailbox_is_role_address"),
        ("bob@nowhere.invalid", "undeliverable high no_mx"),
        ("bob@localhost", "undeliverable high no_mx"),
        ("Bob@Shop.Local", "undeliverable high no_mx"),
        ("b..b@nowhere.invalid", "undeliverable high failed custom grammar check"),
        ("bob@intranet", "undeliverable high failed custom grammar check"),
        ("bob@192.0.2.1", "undeliverable high failed custom grammar check"),
        ("bob@[192.0.2.1]", "undeliverable high failed custom grammar check"),
        ("bob@my_shop.net", "undeliverable high failed custom grammar check"),
        ("bob@xn--a.com", "undeliverable high failed custom grammar check"),
        ("bob(home)@example.net", "undeliverable high failed custom grammar check"),
        (f"{'b' * 65}@example.net", "undeliverable high failed custom grammar check"),
        (f"bob@{'e' * 64}.net", "undeliverable high failed custom grammar check"),
        ("bob", "undeliverable high failed custom grammar check"),
        ("bob@@example.net", "undeliverable high failed custom grammar check"),
        ("bob@example..net", "undeliverable high failed custom grammar check"),
        ("Bob <bob@example.net>", "undeliverable high failed custom grammar check"),
        ("a@b@c.d e", "undeliverable high failed custom grammar check"),
    ],
)
def test_an_address_is_judged_by_its_grammar_and_its_domain(address: str, said: str) -> None:
    assert judged(address) == said


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        (Fate.COMPLAINT, "do_not_send high"),
        (Fate.NOBODY, "undeliverable high mailbox_does_not_exist"),
        (Fate.REFUSED, "undeliverable high"),
        (Fate.DEFERRED, "unknown unknown"),
        (Fate.NO_MX, "undeliverable high no_mx"),
        (Fate.CATCH_ALL, "catch_all medium catch_all"),
        (Fate.DISPOSABLE, "do_not_send high mailbox_is_disposable_address"),
        (Fate.UNKNOWN, "unknown unknown no_data"),
    ],
)
def test_an_address_is_judged_by_what_mail_to_it_meets(fate: Fate, said: str) -> None:
    assert judged("bob@example.net", fate) == said


def test_a_disposable_address_where_nobody_is_is_both() -> None:
    said = "undeliverable high mailbox_does_not_exist mailbox_is_disposable_address"
    assert judged("bob@mailinator.com", Fate.NOBODY) == said


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("yaho.com", "yahoo.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmail.co", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("gmail.com", None),
        ("mail.com", None),
        ("email.com", None),
        ("ymail.com", None),
        ("hotmail.de", None),
        ("example.com", None),
        ("mg.example.com", None),
    ],
)
def test_a_mistyped_provider_is_recognised(domain: str, meant: str | None) -> None:
    assert validation_domains.meant(domain) == meant


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("bob+shop@example.net", "bob@example.net"),
        ("b.o.b@gmail.com", "bob@gmail.com"),
        ("B.o.b+x+y@Gmail.com", "Bob@gmail.com"),
        ("b.o.b@example.net", None),
        ("+bob@example.net", None),
        ('"b+o b"@example.net', None),
    ],
)
def test_an_alias_has_a_root(address: str, root: str | None) -> None:
    read = validation.read(address)
    assert read is not None
    assert read.root == root


def test_an_address_is_read_in_its_plainest_form() -> None:
    assert validation.read('"bob"@EXÄMPLE.net') == ("bob", "xn--exmple-cua.net")
    assert validation.read("bob@nowhere.invalid") == ("bob", "nowhere.invalid")


def test_no_dns_is_needed() -> None:
    code = (
        "import sys; from mailgun_emulator.mail import validation; assert validation.read('bob@example.net');"
        "print([name for name in sys.modules if name.startswith(('dns', 'email_validator.deliv'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == "[]\n"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 0, 0, 0), None),
        ((4, 0, 0, 0), (False, "disengaged", False)),
        ((4, 1, 0, 0), (True, "engaged", False)),
        ((4, 3, 9, 0), (True, "highly_engaged", False)),
        ((4, 0, 9, 0), (True, "bot", True)),
        ((4, 3, 0, 1), (True, "complainer", False)),
    ],
)
def test_engagement_is_what_somebody_does_with_mail(
    numbers: tuple[int, int, int, int], said: tuple[bool, str, bool] | None
) -> None:
    delivered, engaged, by_bots, complained = numbers
    found = validation.engagement(
        delivered=delivered, engaged=engaged, by_bots=by_bots, complained=complained
    )
    assert found == said


def test_a_list_is_split_outside_quotes() -> None:
    items = ['"Doe; J" <j@x.com>', "b@x.com", "c"]
    assert validation.split(', "Doe; J" <j@x.com>,b@x.com ;; c,') == items


def test_a_file_has_each_address_once() -> None:
    data = b"\xef\xbb\xbfName, Email\nBob,bob@x.com\n\nEve\nBOB,Bob@X.com\nAnn, ann@x.com \n"
    assert validation_lists.read(data) == (3, 2, ('["bob@x.com","ann@x.com"]',), None)
    assert validation_lists.of(("a@x.com", "b@x.com", "A@x.com")).parts == ('["a@x.com","b@x.com"]',)
    assert validation_lists.read(b"email_address\n") == (0, 0, (), None)


def test_what_has_no_addresses_is_refused() -> None:
    refusals = {
        b"": "file has to have a column 'email' or 'email_address'",
        b"address\nbob@x.com": "file has to have a column 'email' or 'email_address'",
        b"email\n\xff": "file can't be read, it has to be CSV or gzip in UTF-8",
        b"\x1f\x8bemail\n": "file can't be read, it has to be CSV or gzip in UTF-8",
    }
    assert {data: str(validation_lists.read(data).refusal) for data in refusals} == refusals


def test_results_are_packed_as_csv_and_json() -> None:
    told = {
        "address": "a,b@x.com",
        "engagement": {"engaging": True, "is_bot": False, "behavior": "engaged"},
        "is_disposable_address": False,
        "is_role_address": True,
        "reason": ["no_mx", "mailbox_is_role_address"],
        "result": "undeliverable",
        "risk": "high",
    }
    parts = [orjson.dumps([told, told]).decode(), orjson.dumps([told]).decode()]
    assert orjson.loads(validation_lists.as_json(parts)) == [told] * 3
    header, *rows = validation_lists.as_csv(parts).decode().splitlines()
    assert header == (
        "address,did_you_mean,is_disposable_address,is_role_address,reason,result,risk,root_address,last_seen,"
        "engaging,is_bot,behavior"
    )
    row = '"a,b@x.com",,false,true,"no_mx,mailbox_is_role_address",undeliverable,high,,,true,false,engaged'
    assert rows == [row] * 3
    packed = validation_lists.packed("x.csv", b"content")
    assert packed == validation_lists.packed("x.csv", b"content")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"x.csv": b"content"}
