"""Seed addresses: mailboxes at the great providers that inbox placement tests send to (facts/account.md, 11.4)."""

from collections.abc import Callable
from typing import NamedTuple

DOMAIN = "ibp.mailgun.net"
"""Of target addresses; Mailgun's own is not told anywhere."""


class Provider(NamedTuple):
    """Mail whose score reaches `threshold` goes to the spam folder there."""

    domain: str
    display_name: str
    region: str
    threshold: float


PROVIDERS = (
    Provider("gmail.com", "Gmail", "Global", 3.0),
    Provider("o365.mailgun.email", "Microsoft 365", "Global", 4.0),
    Provider("outlook.com", "Outlook", "Global", 3.5),
    Provider("hotmail.com", "Hotmail", "Global", 3.5),
    Provider("yahoo.com", "Yahoo", "Global", 3.5),
    Provider("aol.com", "AOL", "Global", 3.5),
    Provider("icloud.com", "iCloud", "Global", 4.5),
    Provider("comcast.net", "Comcast", "North America", 5.0),
    Provider("gmx.de", "GMX", "Europe", 4.5),
    Provider("orange.fr", "Orange", "Europe", 5.0),
    Provider("seznam.cz", "Seznam", "Europe", 5.0),
    Provider("mail.ru", "Mail.ru", "Europe", 4.5),
)
BY_DOMAIN = {provider.domain: provider for provider in PROVIDERS}
SINCE = 1_577_836_800.0
"""When Mailgun came to have mailboxes there: 2020."""

_FIRST = ("Ada", "Ben", "Cleo", "Dora", "Elif", "Finn", "Gina", "Hugo", "Iris", "Jonas", "Kim", "Lena")
_LAST = ("Abbott", "Baker", "Conti", "Dubois", "Eriksen", "Fischer", "Gray", "Horvat", "Ito", "Jansen")


class Seed(NamedTuple):
    email: str
    first_name: str
    last_name: str

    @property
    def provider(self) -> str:
        return self.email.rpartition("@")[2]

    @property
    def lag(self) -> int:
        """Seconds from when it was delivered until it is found in its folder; the same for an address each time."""
        return 10 + sum(self.email.encode()) * 7 % 200


MOST_LAG = 210


def grow(providers: list[str], each: int, digits: Callable[[int], str]) -> list[Seed]:
    """So many at each provider; `digits` gives hex digits by their number."""
    return [_seed(provider, digits(6)) for provider in providers for _ in range(each)]


def _seed(provider: str, chance: str) -> Seed:
    first, last = _FIRST[int(chance[0], 16) % len(_FIRST)], _LAST[int(chance[1], 16) % len(_LAST)]
    return Seed(f"{first}.{last}.{chance[2:]}@{provider}".lower(), first, last)
