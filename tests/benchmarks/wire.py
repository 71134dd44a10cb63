"""HTTP as bytes: requests made ready beforehand, and as little reading of the answers as will do."""

import re
import socket
from base64 import b64encode
from urllib.parse import urlsplit

API_KEY = "key-emulator"
DOMAIN = "mg.example.com"
BODIES = 64

_BOUNDARY = "----benchmark-5f2b9c7e"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class WrongAnswer(Exception):
    """A server did not do what is to be measured, so that there is nothing to measure."""


def request(method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
    """With the API key of the emulator's default account."""
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: */*",
        "User-Agent: benchmark",
        f"Authorization: Basic {b64encode(f'api:{API_KEY}'.encode()).decode()}",
    ]
    if body:
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    elif method != "GET":
        head.append("Content-Length: 0")
    return "\r\n".join([*head, "", ""]).encode() + body


def message(number: int, domain: str = DOMAIN) -> bytes:
    """One recipient, seven parts, about 1.85 kB."""
    parts = {
        "from": f"Ann Example <ann@{domain}>",
        "to": f"recipient{number}@inbox.example.net",
        "subject": f"Your order {number:04} has been sent",
        "text": f"Hello,\n\n{'what you ordered is on its way. ' * 12}\n\nOrder {number}\n",
        "html": f"<html><body><p>Hello,</p><p>{'what you ordered is <b>on its way</b>. ' * 12}</p></body></html>",
        "o:tag": "shipping",
        "v:my-var": f'{{"order": {number}}}',
    }
    body = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    return request(
        "POST",
        f"/v3/{domain}/messages",
        f"{body}--{_BOUNDARY}--\r\n".encode(),
        f"multipart/form-data; boundary={_BOUNDARY}",
    )


def messages(domain: str = DOMAIN) -> list[bytes]:
    return [message(number, domain) for number in range(BODIES)]


def body_of(answer: bytes | bytearray) -> bytes | None:
    """None while some of it is still to come; raise `WrongAnswer` when its status is not 200."""
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    length = _LENGTH.search(answer, 0, head_end + 2)
    if length is None or not answer.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswer(f"answered {bytes(answer[:1000]).decode(errors='replace')!r}")
    begin = head_end + 4
    end = begin + int(length[1])
    return bytes(answer[begin:end]) if len(answer) >= end else None


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise WrongAnswer(f"{url!r} is not where a server is")
    return parts.hostname, parts.port


def ask(url: str, asked: bytes) -> bytes:
    """One request on a connection of its own; the body of the answer."""
    answer = bytearray()
    with socket.create_connection(address(url), timeout=60) as connection:
        connection.sendall(asked)
        while (body := body_of(answer)) is None:
            more = connection.recv(1 << 18)
            if not more:
                raise WrongAnswer(f"closed the connection after {asked[:80]!r}")
            answer += more
    return body
