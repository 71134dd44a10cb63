"""Every error a client sees leaves through here."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from mailgun_emulator.core.errors import BadRequest, MailgunError, ServerError
from mailgun_emulator.web import hints


def install(app: FastAPI) -> None:
    app.add_exception_handler(MailgunError, answer)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(ClientDisconnect, answer_nobody)
    app.add_exception_handler(Exception, answer_failure)


async def answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, MailgunError)  # noqa: S101 - tells the type checker what install() promises
    headers = error.headers()
    if error.status in (401, 404):
        from mailgun_emulator.web import domain_hints  # seldom needed

        domain_hints.add(request, error)
    elif error.hint:
        hints.hint(request, error.hint)
    body = error.body()
    if isinstance(body, str):
        return PlainTextResponse(body, error.status, headers)
    import orjson

    layout = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if error.pretty else None
    return Response(orjson.dumps(body, option=layout), error.status, headers, media_type="application/json")


async def answer_invalid(request: Request, error: Exception) -> Response:
    """FastAPI's own refusals: a path or header parameter, or a JSON body of `/_emulator`."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - tells the type checker what install() promises
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return await answer(request, BadRequest(f"{where}: {first['msg'].removeprefix('Value error, ')}"))


async def answer_nobody(request: Request, error: Exception) -> Response:
    """The client left before it had sent all: there is no failure to log."""
    return Response(status_code=BadRequest.status)


async def answer_failure(request: Request, error: Exception) -> Response:
    return await answer(request, ServerError())
