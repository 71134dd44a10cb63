"""The floor: nothing but uvicorn. Reads the body and answers bytes that are ready.

What is PUT to a path is the answer of that path from then on, so that it can be made the same as the emulator's.
"""

from typing import Any

from tests.benchmarks.serving import serve

QUEUED = b'{"id":"<20250124124439.f63f05484edb49a8@mg.example.com>","message":"Queued. Thank you."}\n'

answers: dict[str, bytes] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    if scope["method"] == "PUT":
        answers[scope["path"]] = body
    answer = answers.get(scope["path"], QUEUED)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    serve(app)
