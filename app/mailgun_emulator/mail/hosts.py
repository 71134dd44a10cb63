"""Names of hosts and their labels (RFC 1035, RFC 2822)."""

import re

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{3,253}}$)(?:{_LABEL}\.)+(?!\d+$){_LABEL}").fullmatch
_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]{1,63}", re.ASCII).fullmatch
_SECOND_LEVEL = ("ac", "co", "com", "edu", "gov", "net", "or", "org")


def is_host(name: str) -> bool:
    """A host name in lower case, of two labels at least."""
    return _HOST(name) is not None


def is_atom(text: str) -> bool:
    """An atom (RFC 2822, 3.2.4) that fits a DNS label."""
    return _ATOM(text) is not None


def root_of(name: str) -> str:
    """The domain that was registered: `example.com`, `example.co.uk`."""
    labels = name.split(".")
    kept = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-kept:])
