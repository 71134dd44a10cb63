from ipaddress import ip_address, ip_network

import pytest

from mailgun_emulator.mail.ip_ranges import dedicated_ip, reverse_name, shared_ip


@pytest.mark.parametrize(
    ("number", "ip"),
    [
        (0, "203.0.113.1"),
        (253, "203.0.113.254"),
        (254, "198.18.0.1"),
        (508, "198.18.0.255"),
        (509, "198.18.1.0"),
        (65789, "198.19.0.0"),
    ],
)
def test_dedicated_ips_are_of_two_ranges(number: int, ip: str) -> None:
    assert dedicated_ip(number) == ip


def test_no_two_numbers_have_an_ip_in_common() -> None:
    assert len({dedicated_ip(number) for number in range(70_000)}) == 70_000


def test_an_account_always_shares_the_same_ip() -> None:
    assert shared_ip("12ab") == shared_ip("12ab")
    assert all(ip_address(shared_ip(f"{number}")) in ip_network("198.51.100.0/24") for number in range(1000))


def test_names_are_those_of_mailguns_machines() -> None:
    assert reverse_name("1.2.3.4") == "ip1-2-3-4.mailgun.net"
