"""Names of hosts and their labels (RFC 1035, RFC 2822), and hosts in URLs."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

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


def fault_of_url(url: str) -> str | None:
    """Why nothing can be posted there, in Mailgun's words (facts/sending.md, 4.2); no host is looked up."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return "invalid URL scheme"
        if not parts.hostname or parts.port == 0 or re.search(r"[\s\x00-\x1f\x7f]", url):
            return "host not found"
    except ValueError:
        return "host not found"
    return None


def rewritten(url: str, rules: Sequence[str]) -> str:
    """The URL as the first rule has it that names its host: `FROM=TO`, as `core.settings` checks them.

    `FROM` is a host, for all its ports, or `host:port`. `TO` is `host`, which keeps the port, or `host:port`; with
    `http://` or `https://` before it the scheme changes as well, and the port is that of the scheme if none is named.
    """
    if not rules:
        return url
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    for rule in rules:
        source, _, target = rule.partition("=")
        asked = urlsplit(f"//{source}")
        if asked.hostname == parts.hostname and asked.port in (None, port):
            return _at(parts, target)
    return url


def _at(parts: SplitResult, target: str) -> str:
    scheme, _, netloc = target.rpartition("://")
    if not scheme and urlsplit(f"//{netloc}").port is None and parts.port:
        netloc = f"{netloc}:{parts.port}"
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(scheme=scheme or parts.scheme, netloc=f"{user}{at}{netloc}").geturl()
