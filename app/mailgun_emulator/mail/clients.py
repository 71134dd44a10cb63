"""What reads a message or follows its links, told from the user agent (facts/sending.md, 3.2)."""

from functools import lru_cache
from typing import NamedTuple

_OS_NAMES = {"Mac OS X": "OS X", "Other": "unknown"}
_MAIL_PROGRAMS = (
    "apple mail", "outlook", "thunderbird", "windows live mail", "lotus notes", "evolution", "airmail",
    "postbox", "spark", "sparrow", "kmail", "the bat", "eudora", "barca", "mailbird", "superhuman",
)  # fmt: skip
_LIBRARIES = (
    "requests", "aiohttp", "httpx", "urllib", "curl", "wget", "go-http-client", "okhttp", "java", "apache-httpclient",
    "axios", "node-fetch", "undici", "guzzle", "libwww", "mechanize", "rest-client", "faraday", "http.rb",
)  # fmt: skip
_APPLE_PROXY = "Mozilla/5.0"
"""All that Apple's mail privacy protection says of itself."""
_GMAIL_PROXY = "GoogleImageProxy"
_ROBOT_WORDS = ("bot", "crawler", "spider", "safelinks", "barracuda", "proofpoint", "mimecast", "imageproxy")
_TABLETS = ("ipad", "tablet", "kindle")
_PHONES = ("iphone", "ipod", "mobile", "android", "phone")


class ClientInfo(NamedTuple):
    """`type`, `device` and `bot` are Mailgun's own words."""

    name: str
    os: str
    type: str
    device: str
    user_agent: str
    bot: str

    def told(self) -> dict[str, str]:
        """As events have it."""
        return {
            "client-name": self.name,
            "client-os": self.os,
            "client-type": self.type,
            "device-type": self.device,
            "user-agent": self.user_agent,
            "bot": self.bot,
        }


@lru_cache(maxsize=512)
def read(user_agent: str) -> ClientInfo:
    """The parser is slow at the first call, when it reads its expressions."""
    import ua_parser

    lower = user_agent.lower()
    bot = _bot(user_agent, lower)
    if not user_agent.strip() or user_agent == _APPLE_PROXY:
        return ClientInfo("unknown", "unknown", "unknown", "unknown", user_agent, bot)
    found = ua_parser.parse(user_agent)
    name = found.user_agent.family if found.user_agent else "unknown"
    os = found.os.family if found.os else "unknown"
    spider = found.device is not None and found.device.family == "Spider"
    bot = bot or ("generic" if spider else "")
    device = _device(lower, os)
    return ClientInfo(name, _OS_NAMES.get(os, os), _type(name, lower, device, bot), device, user_agent, bot)


def _bot(user_agent: str, lower: str) -> str:
    if user_agent == _APPLE_PROXY:
        return "apple"
    if _GMAIL_PROXY in user_agent:
        return "gmail"
    return "generic" if any(word in lower for word in _ROBOT_WORDS) else ""


def _type(name: str, lower: str, device: str, bot: str) -> str:
    if bot:
        return "robot"
    if any(program in name.lower() for program in _MAIL_PROGRAMS):
        return "email client"
    if any(library in lower for library in _LIBRARIES):
        return "library"
    if name == "unknown":
        return "unknown"
    if "mozilla" in lower or "opera" in lower:
        return "mobile browser" if device in ("mobile", "tablet") else "browser"
    return "other"


def _device(lower: str, os: str) -> str:
    if any(word in lower for word in _TABLETS) or ("android" in lower and "mobile" not in lower):
        return "tablet"
    if any(word in lower for word in _PHONES):
        return "mobile"
    if os in ("Mac OS X", "Linux", "Ubuntu", "Fedora", "Chrome OS", "FreeBSD") or os.startswith("Windows"):
        return "desktop"
    return "unknown"
