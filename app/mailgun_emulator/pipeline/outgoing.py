"""What is posted to the world outside: webhooks, forwarded mail, archived copies."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail import hosts

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, FormData, StreamReader

    from mailgun_emulator.state.database import Database
    from mailgun_emulator.state.jobs import DueJob

USER_AGENT = "mailgun/treq-16.12.0"
TIMEOUT_SECONDS = 10
MOST_BODY_BYTES = 16_384
"""So much of an answer is read and kept."""
RETRY_AFTER = (300, 600, 900, 3600, 7200, 14400)
"""Seconds from one failed post to the next (facts/sending.md, 4.5)."""
KEPT_SECONDS = 1
"""So long a connection waits for the next post. Receivers keep theirs for two seconds or more."""
TAKEN, UNWANTED, UNREACHABLE = 200, 406, 0
WITHOUT_BODY = (204, 304)


class Answer(NamedTuple):
    """`status` is `UNREACHABLE` when nobody answered in time; `error` says why. `seconds` is how long it took."""

    status: int
    headers: dict[str, str]
    body: str
    error: str
    seconds: float

    @property
    def is_final(self) -> bool:
        """Taken or not wanted: not posted again."""
        return self.status in (TAKEN, UNWANTED)


class Outgoing:
    """One for each emulator; connections stay open from one post to the next, cookies are not kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: ClientSession | None = None

    async def post(self, url: str, *, data: "bytes | FormData", headers: dict[str, str]) -> Answer:
        """Never raises: who can't be reached has not answered."""
        return await self._ask("POST", url, data=data, headers=headers)

    async def get(self, url: str) -> Answer:
        """As `post`: to see whether anybody is there."""
        return await self._ask("GET", url, data=None, headers={})

    async def _ask(
        self, method: str, url: str, *, data: "bytes | FormData | None", headers: dict[str, str]
    ) -> Answer:
        from aiohttp import ClientError

        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            url = hosts.rewritten(url, self._settings.webhook_rewrite)
            asked = self._open().request(method, url, data=data, headers=headers, allow_redirects=False)
            async with asked as answer:
                told = {str(name): value for name, value in answer.headers.items()}
                text = (await _beginning(answer.content)).decode("utf-8", "replace")
                return Answer(answer.status, told, text, "", loop.time() - begun)
        except TimeoutError:
            error = f"No answer within {TIMEOUT_SECONDS} seconds"
        except (ClientError, OSError, ValueError) as problem:
            error = str(problem) or type(problem).__name__
        return Answer(UNREACHABLE, {}, "", error, loop.time() - begun)

    async def post_for(
        self, database: "Database", job: "DueJob", url: str, *, data: bytes, headers: dict[str, str]
    ) -> Answer:
        """As `post`, unless a fault of the account's stands in for the receiver."""
        if job.account_id in database.faults:
            from mailgun_emulator.pipeline import faults  # few accounts have any

            return await faults.post(self, database, job, url, data, headers)
        return await self.post(url, data=data, headers=headers)

    def _open(self) -> "ClientSession":
        """Certificates are not checked: on one's own machine they are rarely signed by anybody."""
        if self._session is None:
            from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

            self._session = ClientSession(
                response_class=_response_class(),
                connector=TCPConnector(limit=0, ssl=False, keepalive_timeout=KEPT_SECONDS),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=TIMEOUT_SECONDS),
                headers={"User-Agent": USER_AGENT},
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _response_class() -> "type[ClientResponse]":
    from aiohttp import ClientResponse
    from aiohttp.connector import Connection

    class Response(ClientResponse):
        async def start(self, connection: Connection) -> ClientResponse:
            """Some send a body where there can't be one: the next answer would begin with it."""
            transport = connection.transport
            await super().start(connection)
            if self.status in WITHOUT_BODY and transport is not None:
                transport.close()
            return self

    return Response


async def _beginning(content: "StreamReader") -> bytes:
    """All of it if it is not too long, however many pieces it comes in.

    Of one that breaks off or can't be unpacked, what came: the status is said by then, and it alone counts.
    """
    from aiohttp import ClientError

    body = b""
    with suppress(ClientError, OSError):
        while len(body) < MOST_BODY_BYTES and not content.at_eof():
            body += await content.read(MOST_BODY_BYTES - len(body))
    return body


def retry_after(job: "DueJob") -> int | None:
    """Seconds until the job's post is tried again; none when it was the last time."""
    return RETRY_AFTER[job.attempt - 1] if job.attempt <= len(RETRY_AFTER) else None
