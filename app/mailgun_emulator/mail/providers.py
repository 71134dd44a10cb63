"""Mailbox providers that Mailgun tells apart (facts/sending.md, 7.2)."""

GROUPS = {
    "Gmail": ("gmail.com",),
    "Yahoo": (
        "yahoo.com", "ymail.com", "yahoo.co.uk", "yahoo.com.tw", "rocketmail.com", "sbcglobal.net", "att.net",
        "bellsouth.net", "aol.com", "verizon.net",
    ),
    "Outlook": ("hotmail.com", "outlook.com", "msn.com", "live.com", "hotmail.co.uk", "hotmail.fr"),
    "Apple": ("icloud.com", "me.com"),
    "Mail.ru": ("mail.ru",),
    "Comcast": ("comcast.net",),
    "Orange": ("orange.fr",),
    "Yandex": ("yandex.ru",),
    "Seznam": ("seznam.cz",),
    "Mailinator": ("mailinator.com",),
    "QQ": ("qq.com",),
}  # fmt: skip

KNOWN = (
    "gmail.com", "yahoo.com", "hotmail.com", "aol.com", "icloud.com", "mail.ru", "comcast.net", "outlook.com",
    "msn.com", "live.com", "orange.fr", "sbcglobal.net", "att.net", "ymail.com", "hotmail.co.uk", "verizon.net",
    "bellsouth.net", "me.com", "yandex.ru", "seznam.cz", "yahoo.co.uk", "hotmail.fr", "yahoo.com.tw",
    "rocketmail.com", "mailinator.com", "qq.com",
)  # fmt: skip
"""Those that statistics list, in Mailgun's order."""

_GROUP_OF = {domain: group for group, domains in GROUPS.items() for domain in domains}


def group(domain: str) -> str:
    """What an event calls the provider of that domain: `Gmail`, or `Other`."""
    return _GROUP_OF.get(domain.lower(), "Other")
