"""A copy of what is delivered really goes where it is to be archived."""

import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple

import pytest
from tests.conftest import Account, Client


class Post(NamedTuple):
    path: str
    content_type: str
    body: bytes


class Archive(HTTPServer):
    """Answers with `status` and keeps what it was sent."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: list[Post] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Archive)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(Post(self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name it overrides
        pass


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def send(client: Client, account: Account, **options: str) -> None:
    fields = {"from": "a@x.com", "to": "b@x.com", "subject": "Keep it", "text": "hi", **options}
    assert client.post(f"/v3/{account.domain}/messages", data=fields).status_code == 200
    client.drain()


def test_a_domain_archives_all_that_it_delivers(client: Client, account: Account, archive: Archive) -> None:
    changed = client.put(f"/v4/domains/{account.domain}", data={"archive_to": f"{archive.url}/all"})
    assert changed.json()["domain"]["archive_to"] == f"{archive.url}/all"
    send(client, account)
    send(client, account, to="bounce@example.com")
    assert [(post.path, post.content_type) for post in archive.posts] == [("/all", "application/mime")]
    assert message_from_bytes(archive.posts[0].body)["Subject"] == "Keep it"
    asked = {"metrics": ["archived_count"], "include_aggregates": True}
    usage = client.post("/v1/analytics/usage/metrics", json=asked).json()
    assert usage["aggregates"]["metrics"] == {"archived_count": 1}


def test_a_message_may_name_an_archive_of_its_own(client: Client, account: Account, archive: Archive) -> None:
    send(client, account, **{"o:archive-to": f"{archive.url}/one"})
    send(client, account)
    assert [post.path for post in archive.posts] == ["/one"]
    fields = {"from": "a@x.com", "to": "b@x.com", "text": "hi", "o:archive-to": "file:///etc/passwd"}
    refused = client.post(f"/v3/{account.domain}/messages", data=fields)
    assert refused.json() == {"message": "Invalid parameter: o:archive-to is invalid"}


def test_an_archive_that_is_down_is_asked_again_later(
    client: Client, account: Account, archive: Archive
) -> None:
    archive.status = 503
    send(client, account, **{"o:archive-to": archive.url})
    client.drain()
    assert len(archive.posts) == 1
    assert client.get("/_emulator/health").json()["pending_jobs"] >= 1
