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
