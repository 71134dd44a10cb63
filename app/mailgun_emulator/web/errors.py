"""Every error a client sees leaves through here."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from mailgun_emulator.core.errors import MailgunError


def install(app: FastAPI) -> None:
    app.add_exception_handler(MailgunError, answer)
    app.add_exception_handler(HTTPException, answer_unrouted)


async def answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, MailgunError)  # noqa: S101 - tells the type checker what install() promises
    match error.body():
        case str(text):
            return PlainTextResponse(text, error.status, error.headers())
        case body:
            return JSONResponse(body, error.status, error.headers())


async def answer_unrouted(request: Request, error: Exception) -> Response:
    """Unknown paths as Mailgun's Go services answer them (facts/sending.md, 10.2)."""
    assert isinstance(error, HTTPException)  # noqa: S101 - tells the type checker what install() promises
    if error.status_code == 404:
        return PlainTextResponse("404 page not found\n", 404, {"X-Content-Type-Options": "nosniff"})
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
