import pytest

from mailgun_emulator.mail import hosts


@pytest.mark.parametrize(
    "name", ["example.com", "a-b.example.co.uk", "xn--bcher-kva.example", "1.example.com"]
)
def test_a_host_has_two_labels_or_more(name: str) -> None:
    assert hosts.is_host(name)


@pytest.mark.parametrize(
    "name",
    ["", "example", "Example.com", "a..b", "-a.example.com", "a b.example.com", "1.2.3.4", "a.example.com.",
     "a" * 64 + ".example.com", "a." * 126 + "example"],
)  # fmt: skip
def test_what_is_no_host_is_refused(name: str) -> None:
    assert not hosts.is_host(name)


def test_an_atom_has_no_dot_and_no_blank() -> None:
    assert all(map(hosts.is_atom, ["email", "k1", "a_b-c", "x" * 63]))
    assert not any(map(hosts.is_atom, ["", "a.b", "a b", "x" * 64, "é", "a@b"]))


def test_the_root_is_what_was_registered() -> None:
    names = ["example.com", "a.b.example.com", "a.example.co.uk", "a.example.de"]
    assert [hosts.root_of(name) for name in names] == [
        "example.com", "example.com", "example.co.uk", "example.de"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://example.com/hook?a=1", None),
        ("http://localhost:3000", None),
        ("HTTP://[::1]:80/", None),
        ("example.com", "invalid URL scheme"),
        ("ftp://example.com", "invalid URL scheme"),
        ("http://", "host not found"),
        ("http://:80/", "host not found"),
        ("http://a b.com/", "host not found"),
        ("http://a.com/x\ny", "host not found"),
        ("http://a.com:0/", "host not found"),
        ("http://a.com:99999/", "host not found"),
        ("http://[::/", "host not found"),
    ],
)
def test_a_url_that_nothing_can_be_posted_to_has_a_fault(url: str, fault: str | None) -> None:
    assert hosts.fault_of_url(url) == fault


RULES = (
    "localhost=host.docker.internal",
    "app.example.com:443=http://localhost:3000",
    "api.example.com=10.0.0.1:81",
    "[::1]=b",
    "secure=https://b",
    "localhost=never",
)


@pytest.mark.parametrize(
    ("url", "rewritten"),
    [
        ("http://localhost/a?b=c", "http://host.docker.internal/a?b=c"),
        ("http://LOCALHOST:3000/a", "http://host.docker.internal:3000/a"),
        ("https://app.example.com/hook", "http://localhost:3000/hook"),
        ("http://app.example.com/hook", "http://app.example.com/hook"),
        ("http://app.example.com:443/hook", "http://localhost:3000/hook"),
        ("https://api.example.com:8443/", "https://10.0.0.1:81/"),
        ("http://me:secret@[::1]:9/", "http://me:secret@b:9/"),
        ("http://secure:8080/x", "https://b/x"),
        ("http://other.example.com/", "http://other.example.com/"),
        ("http://localhost.example.com/", "http://localhost.example.com/"),
        ("http://[::/", "http://[::/"),
    ],
)
def test_hosts_of_urls_are_rewritten_by_the_first_rule_that_names_them(url: str, rewritten: str) -> None:
    assert hosts.rewritten(url, RULES) == rewritten
    assert hosts.rewritten(url, ()) == url
