"""What is tracked in a message: what it says itself or, if it is silent, its domain (facts/sending.md, 5.2)."""

from typing import Any

from mailgun_emulator.state.sending import SendingDomain

HTML_ONLY = "htmlonly"
TOP, BOTTOM = "top", "bottom"
_NO = "no"
_CHOICES = {True: "yes", False: _NO}
_CLICKS = {"true": "yes", "false": _NO, HTML_ONLY: HTML_ONLY}


def tracked_by(domain: SendingDomain, options: dict[str, Any]) -> dict[str, Any]:
    """What is tracked in a message, to be kept with it; empty if nothing is.

    What the message says goes before what the domain says, and of that the specific before the general
    (facts/sending.md, 5.2).
    """
    general = options.get("tracking")
    clicks = options.get("tracking-clicks") or general or _CLICKS[domain.click_active]
    opens = options.get("tracking-opens") or general or _CHOICES[bool(domain.open_active)]
    tracked: dict[str, Any] = {}
    if clicks != _NO:
        tracked["clicks"] = clicks
    if opens != _NO:
        place = options.get("tracking-pixel-location-top") or _CHOICES[bool(domain.open_at_top)]
        tracked["opens"] = BOTTOM if place == _NO else TOP
    if domain.unsubscribe_active:
        tracked["unsubscribes"] = [domain.html_footer, domain.text_footer]
    return {"tracked": tracked} if tracked else tracked
