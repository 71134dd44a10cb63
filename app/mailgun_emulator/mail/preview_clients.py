"""Mail clients that previews are made for (facts/account.md, 11.5)."""

from collections.abc import Mapping
from typing import NamedTuple

APPLICATION, MOBILE, WEB = "Application", "Mobile", "Web"


class PreviewClient(NamedTuple):
    """`default` are those that are taken when none are named; `clips` more bytes of HTML than that, if it does."""

    id: str
    client: str
    os: str
    category: str
    browser: str = ""
    default: bool = True
    dark: bool = False
    clips: int = 0

    @property
    def display_name(self) -> str:
        return f"{self.client}{' (dark mode)' if self.dark else ''}{f' in {self.browser}' if self.browser else ''}"

    @property
    def rotates(self) -> bool:
        """Held upright or across."""
        return self.category == MOBILE


_GMAIL_CLIPS = 102 * 1024

_ALL = (
    PreviewClient("applemail16", "Apple Mail 16", "macOS 13", APPLICATION),
    PreviewClient("applemail16_dm", "Apple Mail 16", "macOS 13", APPLICATION, default=False, dark=True),
    PreviewClient("outlook13", "Outlook 2013", "Windows 10", APPLICATION, default=False),
    PreviewClient("outlook16", "Outlook 2016", "Windows 10", APPLICATION),
    PreviewClient("outlook19", "Outlook 2019", "Windows 10", APPLICATION),
    PreviewClient("outlook21", "Outlook 2021", "Windows 11", APPLICATION),
    PreviewClient("m365_w11", "Microsoft 365", "Windows 11", APPLICATION),
    PreviewClient("m365_w11_dm", "Microsoft 365", "Windows 11", APPLICATION, default=False, dark=True),
    PreviewClient("m365_mac", "Microsoft 365 for Mac", "macOS 13", APPLICATION),
    PreviewClient("thunderbird", "Thunderbird 115", "Windows 11", APPLICATION),
    PreviewClient("iphone15_ios17", "iPhone 15", "iOS 17", MOBILE),
    PreviewClient("iphone15_ios17_dm", "iPhone 15", "iOS 17", MOBILE, default=False, dark=True),
    PreviewClient("iphone13_ios15", "iPhone 13", "iOS 15", MOBILE, default=False),
    PreviewClient("ipad_ios17", "iPad", "iPadOS 17", MOBILE),
    PreviewClient("gmail_android13", "Gmail app", "Android 13", MOBILE, clips=_GMAIL_CLIPS),
    PreviewClient(
        "gmail_android13_dm", "Gmail app", "Android 13", MOBILE, default=False, dark=True, clips=_GMAIL_CLIPS
    ),
    PreviewClient("gmail_ios17", "Gmail app", "iOS 17", MOBILE, clips=_GMAIL_CLIPS),
    PreviewClient("outlook_android", "Outlook app", "Android 13", MOBILE),
    PreviewClient("outlook_ios", "Outlook app", "iOS 17", MOBILE, default=False),
    PreviewClient("samsung_s23", "Samsung Mail", "Android 13", MOBILE, default=False),
    PreviewClient("gmailcom_chrome", "Gmail", "Windows 11", WEB, "Chrome", clips=_GMAIL_CLIPS),
    PreviewClient(
        "gmailcom_firefox", "Gmail", "Windows 11", WEB, "Firefox", default=False, clips=_GMAIL_CLIPS
    ),
    PreviewClient("outlookcom_chrome", "Outlook.com", "Windows 11", WEB, "Chrome"),
    PreviewClient("outlookcom_edge_dm", "Outlook.com", "Windows 11", WEB, "Edge", default=False, dark=True),
    PreviewClient("office365_chrome", "Office 365", "Windows 11", WEB, "Chrome"),
    PreviewClient("yahoo_chrome", "Yahoo! Mail", "Windows 11", WEB, "Chrome"),
    PreviewClient("aol_chrome", "AOL Mail", "Windows 11", WEB, "Chrome"),
    PreviewClient("icloud_safari", "iCloud Mail", "macOS 13", WEB, "Safari", default=False),
    PreviewClient("gmx_chrome", "GMX.de", "Windows 11", WEB, "Chrome", default=False),
)
CLIENTS: Mapping[str, PreviewClient] = {client.id: client for client in _ALL}
