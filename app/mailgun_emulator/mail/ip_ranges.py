"""The addresses that mail is sent from: of the ranges for documentation and benchmarks (RFC 5737, RFC 2544).

Nobody has them.
"""

import zlib
from functools import lru_cache

HOSTS = 254
"""Of a range of which only the last of the four numbers varies."""


@lru_cache(maxsize=1024)
def shared_ip(account_id: str) -> str:
    """The one an account shares with others follows from its id, so that nothing need be stored."""
    return f"198.51.100.{zlib.crc32(account_id.encode()) % HOSTS + 1}"


def dedicated_ip(number: int) -> str:
    """From 0 on; those of 203.0.113.0/24 come before those of 198.18.0.0/15."""
    if number < HOSTS:
        return f"203.0.113.{number + 1}"
    host = number - HOSTS + 1
    return f"198.{18 + (host >> 16)}.{host >> 8 & 255}.{host & 255}"


def reverse_name(ip: str) -> str:
    """What a look-up of the address tells."""
    return f"ip{ip.replace('.', '-').replace(':', '-')}.mailgun.net"
