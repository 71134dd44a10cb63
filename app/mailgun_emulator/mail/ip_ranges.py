"""The addresses that mail is sent from: of the ranges for documentation and benchmarks (RFC 5737, RFC 2544).

Nobody has them.
"""

import zlib
from functools import lru_cache
from ipaddress import IPv4Address

SHARED = "198.51.100"
_FIRST = int(IPv4Address("203.0.113.0"))
_THEN = int(IPv4Address("198.18.0.0"))
_HOSTS = 254


@lru_cache(maxsize=1024)
def shared_ip(account_id: str) -> str:
    """The one an account shares with others follows from its id, so that nothing need be stored."""
    return f"{SHARED}.{zlib.crc32(account_id.encode()) % _HOSTS + 1}"


def dedicated_ip(number: int) -> str:
    """From 0 on; those of 203.0.113.0/24 come before those of 198.18.0.0/15."""
    if number < _HOSTS:
        return str(IPv4Address(_FIRST + 1 + number))
    return str(IPv4Address(_THEN + 1 + number - _HOSTS))


def reverse_name(ip: str) -> str:
    """What a look-up of the address tells."""
    return f"ip{ip.replace('.', '-').replace(':', '-')}.mailgun.net"
