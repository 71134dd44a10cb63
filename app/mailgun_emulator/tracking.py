"""Where the links in messages lead: opens, clicks, and the page to unsubscribe on (facts/sending.md, 5.2 and 5.3).

And those in Mailgun's own letters, which say yes to what they ask.
"""

from base64 import b64decode
from collections.abc import AsyncIterator
from html import escape
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from mailgun_emulator.pipeline import track, tracking_urls
from mailgun_emulator.pipeline.track import Client
from mailgun_emulator.pipeline.tracking_urls import InvalidLink, Purpose, Visit
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.forms import header_values, read_fields

router = APIRouter(include_in_schema=False)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PRINTABLE = "".join(map(chr, range(33, 127)))
LONGEST_USER_AGENT = 1000
COUNTED = "GET"
"""Who asks only for the head looks whether the link is good, and has opened nothing."""
GUARDED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 15vh 1rem 1rem; background: #f4f5f7; color: #1d2433; font: 1rem/1.5 system-ui, sans-serif }}
main {{ max-width: 28rem; margin: auto; padding: 2rem; background: #fff; border-radius: .5rem;
 box-shadow: 0 1px 4px #0002; overflow-wrap: anywhere }}
h1 {{ margin: 0 0 .75rem; font-size: 1.4rem }}
p {{ margin: 0 0 1.25rem }} p:last-child {{ margin: 0 }}
button {{ padding: .6rem 1.4rem; border: 0; border-radius: .3rem; background: #b3261e; color: #fff; font: inherit;
 cursor: pointer }}
button:hover, button:focus-visible {{ background: #8c1d18 }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""


async def begin(request: Request) -> AsyncIterator[Tx]:
    """Who follows a link has no key; the link says whose it is."""
    emulator = request.app.state.emulator
    await emulator.ready()
    await read_fields(request)
    async with emulator.database.begin() as tx:
        yield tx


VisitTx = Annotated[Tx, Depends(begin, scope="function")]


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
async def follow_link(request: Request, tx: VisitTx, token: str) -> Response:
    """Count a click and lead on to where the link of the message led."""
    visit = find(tx, Purpose.CLICK, token)
    if visit is None:
        return invalid()
    if request.method == COUNTED:
        track.visited(tx, visit, client_of(request))
    return Response(status_code=302, headers={"Location": quote(visit.url, safe=PRINTABLE)})


@router.api_route("/o/{token}", methods=["GET", "HEAD"])
async def show_pixel(request: Request, tx: VisitTx, token: str) -> Response:
    """Count an open; the picture is one transparent pixel."""
    visit = find(tx, Purpose.OPEN, token)
    if visit is None:
        return invalid()
    if request.method == COUNTED:
        track.visited(tx, visit, client_of(request))
    return Response(PIXEL, media_type="image/gif")


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def ask(tx: VisitTx, token: str) -> Response:
    """Ask whether to unsubscribe; programs that look at every link unsubscribe nobody so."""
    visit = find(tx, Purpose.UNSUBSCRIBE, token)
    return invalid() if visit is None else page("Unsubscribe", f"{question(visit)}\n{FORM}")


@router.post("/u/{token}")
async def unsubscribe(request: Request, tx: VisitTx, token: str) -> Response:
    """Unsubscribe, by the page's button or by the one click of a mail program (RFC 8058)."""
    visit = find(tx, Purpose.UNSUBSCRIBE, token)
    if visit is None:
        return invalid()
    track.unsubscribed(tx, visit, client_of(request))
    return page("You are unsubscribed", f"<p>{who(visit)} gets no more {what(visit)}.</p>")


@router.get("/confirm/{token}")
async def confirm(tx: VisitTx, token: str) -> Response:
    """Do what a letter asks for; whoever follows its link agrees."""
    from mailgun_emulator.pipeline import confirming  # seldom needed

    try:
        title, text = confirming.confirm(tx, token)
    except confirming.InvalidConfirmation as refusal:
        return page("This link doesn’t work", f"<p>{escape(str(refusal))}</p>", 404)
    return page(title, f"<p>{escape(text)}</p>")


FORM = '<form method="post"><button type="submit">Unsubscribe</button></form>'


def find(tx: Tx, purpose: Purpose, token: str) -> Visit | None:
    try:
        return tracking_urls.follow(tx, purpose, token)
    except InvalidLink:
        return None


def client_of(request: Request) -> Client:
    """Behind a proxy, the one that the proxy names."""
    headers = header_values(request.scope)
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").partition(",")[0].strip()
    direct = request.client.host if request.client else "127.0.0.1"
    user_agent = headers.get(b"user-agent", b"").decode("latin-1")[:LONGEST_USER_AGENT]
    return Client(forwarded if is_ip(forwarded) else direct, user_agent)


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def question(visit: Visit) -> str:
    return f"<p>Shall {who(visit)} get no more {what(visit)}?</p>"


def who(visit: Visit) -> str:
    return f"<strong>{escape(visit.recipient)}</strong>"


def what(visit: Visit) -> str:
    """The mail that is refused."""
    if visit.mailing_list:
        return f"mail of the list <strong>{escape(visit.mailing_list)}</strong>"
    sender = f"from <strong>{escape(visit.about.domain_name)}</strong>"
    if visit.tags:
        named = ", ".join(f"<strong>{escape(tag)}</strong>" for tag in visit.tags)
        return f"mail {sender} about {named}"
    return f"mail {sender}"


def page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(PAGE.format(title=title, content=content), status, GUARDED)


def invalid() -> Response:
    return page("This link doesn’t work", f"<p>{InvalidLink.message}</p>", 404)
