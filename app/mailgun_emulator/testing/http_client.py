"""HTTP as tests and the command line speak it: kept connections, any number of threads, never through a proxy."""

import os
import select
import time
from base64 import b64encode
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import orjson

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

SECONDS = 30.0
"""So long an answer may take, if nothing else is said."""
KEPT_SECONDS = 3.0
"""So long a connection is used again after its last answer; the server gives it up after five."""
MOST_KEPT = 8
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - how it is shown, not listened on
HINT_HEADER = "x-mailgun-emulator-hint"

Plain = str | int | float | bool
Values = Mapping[str, Plain | Sequence[Plain] | None]


class EmulatorError(Exception):
    """The message says what was wrong and how to mend it.

    `status` is that of the answer, 0 if there was none, and `answer` what it said, decoded if it was JSON.
    """

    def __init__(self, status: int, message: str, answer: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.answer = answer


class NoEmulator(EmulatorError):
    """Nothing answers there, or something else does."""

    def __init__(self, message: str) -> None:
        super().__init__(0, message)


def is_told(failure: Any) -> bool:
    """Of a failure that pytest shows: its message says it all, so it is shown at the line of the test, not at ours."""
    return failure is not None and failure.errisinstance((AssertionError, EmulatorError))


__tracebackhide__ = is_told


class File(NamedTuple):
    """One to be uploaded."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


class Answer(NamedTuple):
    """The names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("content-type", "")

    def decoded(self) -> Any:
        """JSON as what it says, other text as `str`, all else as `bytes`."""
        if self.is_json:
            return orjson.loads(self.body)
        is_text = self.headers.get("content-type", "").startswith("text/")
        return self.body.decode("utf-8", "replace") if is_text else self.body


class ServerSent(NamedTuple):
    """One event of a stream."""

    kind: str
    id: str
    data: Any


class _Idle(NamedTuple):
    connection: "HTTPConnection"
    since: float


class HttpClient:
    """Of one emulator at `url`. Connections are kept from one request to the next, until `close`.

    With an `api_key` all requests speak for its account.
    """

    def __init__(self, url: str, api_key: str | None = None, timeout: float = SECONDS) -> None:
        """Raise `ValueError` for what is no URL of a server."""
        self._idle: list[_Idle] = []
        self.url = checked(url)
        parts = urlsplit(self.url)
        self._secure = parts.scheme == "https"
        self._place = parts.netloc
        self._prefix = parts.path
        self._timeout = timeout
        self._headers = {"Accept": "*/*", **({} if api_key is None else basic(api_key))}
        self._pid = os.getpid()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Values | None = None,
        fields: Sequence[tuple[str, str | File]] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """What is answered: decoded JSON, text, or bytes. Raise `EmulatorError` for a status of 400 or more.

        Of `json`, `fields` (a form, multipart if there are files) and `body` (with a `Content-Type` among the
        headers) one may be given. `timeout` in seconds.
        """
        answer = self.fetch(
            method, path, json=json, params=params, fields=fields, body=body, headers=headers, timeout=timeout
        )
        if answer.status >= 400:
            raise refusal(self.url, method, path, answer)
        return answer.decoded()

    def fetch(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Values | None = None,
        fields: Sequence[tuple[str, str | File]] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """As `request`, but whatever the status is. Raise `NoEmulator` if nothing answers."""
        kind, content = _content(json, fields, body)
        sent = {**self._headers, **kind, **(headers or {})}
        seconds = self._timeout if timeout is None else timeout
        return self._exchange(method, self._prefix + with_query(path, params), content, sent, seconds)

    def read(self, path: str, params: Values | None = None) -> bytes:
        """What is answered, as it is. Raise `EmulatorError` for a status of 400 or more."""
        answer = self.fetch("GET", path, params=params)
        if answer.status >= 400:
            raise refusal(self.url, "GET", path, answer)
        return answer.body

    def stream(
        self, path: str, params: Values | None = None, timeout: float = 60.0
    ) -> Generator[ServerSent, None, None]:
        """Server-sent events as they come, until the server ends or nothing was heard of it for `timeout` seconds."""
        from http.client import HTTPException

        connection = self._connect(timeout)
        try:
            headers = {**self._headers, "Accept": "text/event-stream"}
            response = self._begin(connection, "GET", self._prefix + with_query(path, params), None, headers)
            if response.status >= 400:
                raise refusal(self.url, "GET", path, _read(response))
            yield from _events(response)
        except (OSError, HTTPException):
            return
        finally:
            connection.close()

    def close(self) -> None:
        """Give up the connections that are kept; the next request makes one anew."""
        while self._idle:
            self._idle.pop().connection.close()

    def __del__(self) -> None:
        self.close()

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], seconds: float
    ) -> Answer:
        connection = self._take(seconds) or self._connect(seconds)
        try:
            response = self._begin(connection, method, target, body, headers)
            answer = _read(response)
        except Exception as error:
            connection.close()
            raise self._failure(error, method, target, seconds) from error
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._keep(connection)
        return answer

    def _begin(
        self,
        connection: "HTTPConnection",
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> "HTTPResponse":
        if connection.sock is None:
            self._open(connection)
        connection.request(method, target, body, headers)
        return connection.getresponse()

    def _connect(self, seconds: float) -> "HTTPConnection":
        from http.client import HTTPConnection, HTTPSConnection

        return (HTTPSConnection if self._secure else HTTPConnection)(self._place, timeout=seconds)

    def _open(self, connection: "HTTPConnection") -> None:
        try:
            connection.connect()
        except OSError as error:
            raise NoEmulator(
                f"Nothing answers at {self.url}: {reason(error)}. Start an emulator there with "
                "`mailgun-emulator serve`, or name another URL."
            ) from None

    def _take(self, seconds: float) -> "HTTPConnection | None":
        """The last used connection that the server has not given up. A child process has none of its parent's."""
        if self._pid != os.getpid():
            self.close()
            self._pid = os.getpid()
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < KEPT_SECONDS and not is_readable(connection.sock):
                connection.sock.settimeout(seconds)
                return connection
            connection.close()

    def _keep(self, connection: "HTTPConnection") -> None:
        if connection.sock is None or len(self._idle) >= MOST_KEPT:
            connection.close()
        else:
            self._idle.append(_Idle(connection, time.monotonic()))

    def _failure(self, error: Exception, method: str, target: str, seconds: float) -> Exception:
        from http.client import HTTPException

        asked = f"{method} {self.url}{target.removeprefix(self._prefix)}"
        if isinstance(error, TimeoutError):
            return EmulatorError(0, f"{asked} was not answered within {seconds:g} s.")
        if isinstance(error, OSError | HTTPException):
            return EmulatorError(
                0, f"{asked} was not answered: {reason(error)}. Has the server stopped, or is it another's?"
            )
        return error


def checked(url: str) -> str:
    """Without a slash at its end. Raise `ValueError` for what is no URL of a server."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        good = good and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{url!r} is no URL of an emulator; http://127.0.0.1:8025 would be one.")
    return url.rstrip("/")


def base_url(host: str, port: int) -> str:
    """Where a client on this machine finds it."""
    host = EVERY_ADDRESS.get(host.strip("[]"), host.strip("[]"))
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def basic(api_key: str) -> dict[str, str]:
    """The header that shows the key."""
    return {"Authorization": f"Basic {b64encode(f'api:{api_key}'.encode()).decode()}"}


def with_query(path: str, params: Values | None) -> str:
    """Lists are repeated, None is left out, booleans are `yes` and `no`."""
    pairs: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        if isinstance(value, str | int | float):
            pairs.append((name, _plain(value)))
        elif value is not None:
            pairs.extend((name, _plain(each)) for each in value)
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs)}" if pairs else path


def is_readable(sock: Any) -> bool:
    """Of a connection on which nothing is awaited: that it was closed."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


def reason(error: BaseException) -> str:
    """In the system's own words."""
    number = getattr(error, "errno", None) or 0
    said = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
    return said or type(error).__name__


def refusal(url: str, method: str, path: str, answer: Answer) -> EmulatorError:
    """What an answer of 400 or more says, and its hint."""
    decoded = answer.decoded() if answer.body else ""
    if isinstance(decoded, dict):
        told = str(decoded.get("message") or decoded.get("error") or decoded.get("Error") or decoded)
    else:
        told = str(decoded).strip()
    hint = answer.headers.get(HINT_HEADER)
    ours = answer.is_json and path.startswith("/_emulator/")
    if answer.status == 404 and path.startswith("/_emulator/") and not ours:
        return NoEmulator(
            f"{url} knows no {method} {path.partition('?')[0]}: it is no mailgun-emulator, or an older one."
        )
    message = told if ours and told else f"{method} {path} was answered {answer.status}: {told}"
    return EmulatorError(answer.status, f"{message} ({hint})" if hint else message, decoded)


def _plain(value: Plain) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _content(
    json: Any, fields: Sequence[tuple[str, str | File]] | None, body: bytes | None
) -> tuple[dict[str, str], bytes | None]:
    """Its kind, as a header, and the content."""
    if json is not None:
        return {"Content-Type": "application/json"}, orjson.dumps(json)
    if fields is None:
        return {}, body
    if not any(isinstance(value, File) for _, value in fields):
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode()
    boundary = os.urandom(16).hex()
    parts = [_part(boundary, name, value) for name, value in fields]
    return (
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        b"".join(parts) + f"--{boundary}--\r\n".encode(),
    )


def _part(boundary: str, name: str, value: "str | File") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
    if isinstance(value, str):
        return f"{head}\r\n\r\n{value}\r\n".encode()
    head += f'; filename="{_quoted(value.filename)}"\r\nContent-Type: {value.content_type}'
    return f"{head}\r\n\r\n".encode() + value.content + b"\r\n"


def _quoted(text: str) -> str:
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _read(response: "HTTPResponse") -> Answer:
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _events(response: "HTTPResponse") -> Iterator[ServerSent]:
    kind, number, data = "message", "", []
    for line in iter(response.readline, b""):
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            number = value
        elif name == "data":
            data.append(value)
        elif not line.strip() and data:
            yield ServerSent(kind, number, orjson.loads("\n".join(data)))
            kind, data = "message", []
