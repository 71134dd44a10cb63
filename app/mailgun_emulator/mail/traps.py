"""Addresses that are spam traps here: nobody ever signed up with them.

Mailgun's list is secret. Ours are `spamtrap@` and `honeypot@` any domain, which are pristine, or of the kind that
follows a plus, as `spamtrap+recycled@`; and any address at a misspelled provider's domain, which is of kind `typo`.
"""

import re

KINDS = ("pristine", "recycled", "typo", "harvested")
"""In the order of the wire."""
MISSPELLED = frozenset(
    {
        "gmial.com", "gmai.com", "gamil.com", "gmal.com", "gmail.con", "gnail.com", "hotmial.com", "hotmal.com",
        "hotmail.con", "yaho.com", "yahooo.com", "yahoo.con", "outlok.com", "outloo.com", "iclod.com", "icloud.con",
        "aol.con", "aoll.com",
    }
)  # fmt: skip
_TRAP = re.compile(rf"(?:spamtrap|honeypot)(?:\+({'|'.join(KINDS)}))?(?:-.*)?", re.IGNORECASE | re.DOTALL)


def kind_of(address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    if domain.lower() in MISSPELLED:
        return "typo"
    found = _TRAP.fullmatch(local)
    return (found[1] or KINDS[0]).lower() if found else None


def condition(column: str) -> str:
    """In SQL: that an address, in lower case, is one, or at least looks like one."""
    misspelled = ", ".join(f"'{each}'" for each in sorted(MISSPELLED))
    return (
        f"({column} GLOB 'spamtrap*' OR {column} GLOB 'honeypot*'"
        f" OR substr({column}, instr({column}, '@') + 1) IN ({misspelled}))"
    )
