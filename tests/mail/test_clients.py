"""User agents are told apart in Mailgun's words."""

import pytest

from mailgun_emulator.mail import clients

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/120.0.0.0 Safari/537.36"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.1 Safari/605.1.15"
IPHONE = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {WEBKIT} Version/17.0 Mobile/15E148 Safari/604.1"
)
IPAD = IPHONE.replace("iPhone; CPU iPhone", "iPad; CPU")
ANDROID = f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {WEBKIT} Chrome/116.0.0.0 Mobile Safari/537.36"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (WINDOWS, ("Chrome", "Windows", "browser", "desktop", "")),
        (MAC, ("Safari", "OS X", "browser", "desktop", "")),
        (IPHONE, ("Mobile Safari", "iOS", "mobile browser", "mobile", "")),
        (IPAD, ("Mobile Safari", "iOS", "mobile browser", "tablet", "")),
        (ANDROID, ("Chrome Mobile", "Android", "mobile browser", "mobile", "")),
        (THUNDERBIRD, ("Thunderbird", "Linux", "email client", "desktop", "")),
        (GMAIL, ("GmailImageProxy", "Windows", "robot", "desktop", "gmail")),
        ("Mozilla/5.0", ("unknown", "unknown", "unknown", "unknown", "apple")),
        (GOOGLEBOT, ("Googlebot", "unknown", "robot", "unknown", "generic")),
        ("python-requests/2.31", ("Python Requests", "unknown", "library", "unknown", "")),
        ("curl/8.5.0", ("curl", "unknown", "library", "unknown", "")),
        ("", ("unknown", "unknown", "unknown", "unknown", "")),
        ("\x00é" * 200, ("unknown", "unknown", "unknown", "unknown", "")),
    ],
)
def test_a_user_agent_is_read(user_agent: str, told: tuple[str, ...]) -> None:
    found = clients.read(user_agent)
    assert (found.name, found.os, found.type, found.device, found.bot) == told
    assert found.told()["user-agent"] == user_agent
