"""Whatever a receiver answers, its status counts."""

import asyncio
import gzip

import pytest

from mailgun_emulator.core.settings import Settings
from mailgun_emulator.pipeline.outgoing import MOST_BODY_BYTES, Answer, Outgoing


def posted(*answer: bytes) -> Answer:
    """What comes of a post to a server that writes this and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nbody")
        writer.writelines(answer)
        writer.close()

    async def post() -> Answer:
        outgoing = Outgoing(Settings())
        async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            told = await outgoing.post(f"http://127.0.0.1:{port}/", data=b"body", headers={})
        await outgoing.close()
        return told

    return asyncio.run(post())


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", 200, "half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n9\r\n", 200, "half"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot packed", 200, ""),
        (b"HTTP/1.1 406 No\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"no", mtime=0), 406, "no"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302, ""),
    ],
)
def test_the_status_counts_whatever_becomes_of_the_body(answer: bytes, status: int, body: str) -> None:
    told = posted(answer)
    assert (told.status, told.body, told.error) == (status, body, "")


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n"])
def test_who_says_no_status_has_not_answered(answer: bytes) -> None:
    told = posted(answer)
    assert (told.status, told.body) == (0, "")
    assert told.error


def test_no_more_of_an_answer_is_kept_than_is_of_use() -> None:
    packed = gzip.compress(b"x" * 20_000_000)
    assert len(posted(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", packed).body) == MOST_BODY_BYTES


def test_a_body_that_should_not_be_is_not_taken_for_the_next_answer() -> None:
    """Of a receiver that sends it a little later, on a connection that could be used again."""
    read_first = asyncio.Event()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            if read_first.is_set():
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            else:
                writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n")
                await read_first.wait()
                writer.write(b"late")
        writer.close()

    async def post_twice() -> list[int]:
        outgoing = Outgoing(Settings())
        async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            first = await outgoing.post(url, data=b"body", headers={})
            read_first.set()
            second = await outgoing.post(url, data=b"body", headers={})
            await outgoing.close()
        return [first.status, second.status]

    assert asyncio.run(post_twice()) == [204, 200]
