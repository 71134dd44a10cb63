"""Long polls end when the server stops, and leave nothing behind."""

import http.client
import time

import pytest
from tests.conftest import serving

WAITS = ("messages/wait", "events/wait", "webhooks/deliveries/wait")


@pytest.mark.parametrize("path", WAITS)
def test_a_wait_ends_with_the_server(path: str) -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        connection.request("GET", f"/_emulator/{path}?timeout=60")
        other = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        other.request("GET", "/_emulator/health")  # so that the first is under way
        assert other.getresponse().read()
        begun = time.monotonic()
        server.process.terminate()
        answer = connection.getresponse()
        assert answer.status == 503
        assert answer.read() == b'{"message":"The emulator was stopped before it came"}\n'
        assert server.process.wait(10) == 0
        assert time.monotonic() - begun < 5
        connection.close()
        other.close()
