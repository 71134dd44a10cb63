"""What all commands have in common that speak to a running server."""

import os
import sys
from collections.abc import Callable, Sequence
from errno import EPIPE
from functools import cached_property
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Self

import orjson
import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.addresses import Url, served_url
from mailgun_emulator.cli.failing import UNDONE, UNUSABLE, fail
from mailgun_emulator.testing.http_client import (
    Answer,
    EmulatorError,
    File,
    HttpClient,
    NoEmulator,
    basic,
    refusal,
)

ApiKey = Annotated[
    str | None,
    typer.Option(
        help="A key of the account that is meant; else it is the default account.",
        metavar="KEY",
        envvar="MAILGUN_API_KEY",
    ),
]
AsJson = Annotated[
    bool | None,
    typer.Option(
        "--json/--no-json",
        help="Write JSON, or write for people; else it is JSON where the output is no terminal.",
        show_default=False,
    ),
]
COMMON = {"url": Url, "api_key": ApiKey, "as_json": AsJson}

Params = dict[str, Any]
PATIENCE_SECONDS = 10.0
"""So much more than it may wait the server is given to answer."""


class Session:
    """One command's dealings with a server. `as_json` says how it answers."""

    def __init__(self, url: str | None, api_key: str | None, as_json: bool | None) -> None:
        self.url = url or served_url()
        self.api_key = api_key or None
        self.as_json = not sys.stdout.isatty() if as_json is None else as_json
        try:
            self.client = HttpClient(self.url, self.api_key)
        except ValueError as error:
            fail(f"--url: {error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, params: Params | None = None) -> Any:
        return self.client.request("GET", path, params=params)

    def post(self, path: str, json: Any = None) -> Any:
        return self.client.request("POST", path, json=json)

    def delete(self, path: str, params: Params | None = None) -> Any:
        return self.client.request("DELETE", path, params=params)

    @cached_property
    def account(self) -> dict[str, Any]:
        """What the server tells of the account that is meant."""
        known: list[dict[str, Any]] = self.get("/_emulator/accounts")["items"]
        named = [each for each in known if each["api_key"] == self.api_key]
        return (named or known)[0]

    def post_message(self, domain: str, fields: Sequence[tuple[str, str | File]]) -> dict[str, Any]:
        """Mailgun's own operations want a key: without one that of the default account is taken."""
        headers = {} if self.api_key else basic(self.account["api_key"])
        told: dict[str, Any] = self.client.request(
            "POST", f"/v3/{domain}/messages", fields=fields, headers=headers
        )
        return told

    def wait(
        self, path: str, params: Params, seconds: float, in_words: Callable[[dict[str, Any]], str]
    ) -> list[dict[str, Any]]:
        """What came. End with what there was instead if it did not."""
        answer = self.client.fetch(
            "GET", path, params={**params, "timeout": seconds}, timeout=seconds + PATIENCE_SECONDS
        )
        if answer.status == 404 and answer.is_json:
            self._missed(answer.decoded(), in_words)
        if answer.status == 503:
            fail(f"{self.url} has ended")
        items: list[dict[str, Any]] = self.decoded("GET", path, answer)["items"]
        return items

    def decoded(self, method: str, path: str, answer: Answer) -> Any:
        if answer.status >= 400:
            raise refusal(self.url, method, path, answer)
        return answer.decoded()

    def _missed(self, told: dict[str, Any], in_words: Callable[[dict[str, Any]], str]) -> None:
        if self.as_json and "there" in told:
            self.write_json(told)
        typer.echo(f"mailgun-emulator: {terminal.plain(told.get('message'))}", err=True)
        for each in told.get("there", ()) if not self.as_json else ():
            typer.echo(f"{in_words(each)}\n    {terminal.line(each['difference'])}", err=True)
        raise typer.Exit(UNDONE)

    def write_json(self, told: Any) -> None:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())

    def tell(self, told: Any, in_words: Callable[[], str]) -> None:
        """JSON as the server answered it, or the same for people."""
        if self.as_json:
            self.write_json(told)
        else:
            typer.echo(in_words())

    def confirm(self, told: Any) -> None:
        """That it is done, in the server's words."""
        self.tell(told, lambda: terminal.line(told["message"]))


def client_command(
    app: typer.Typer, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that takes a `Session` first: it has the options for that, and its refusals end it well."""

    def register(command: Callable[..., None]) -> Callable[..., None]:
        app.command(name)(with_session(command))
        return command

    return register


def with_session(command: Callable[..., None]) -> Callable[..., None]:
    _, *own = signature(command, eval_str=True).parameters.values()

    def run(context: typer.Context, **given: Any) -> None:
        common = {name: _nearest(context, name, given.pop(name)) for name in COMMON}
        if context.invoked_subcommand:
            _leave_to_subcommand(context, given, common)
            return
        try:
            with Session(**common) as session:
                command(session, **given)
        except NoEmulator as error:
            fail(error.message)
        except EmulatorError as error:
            fail(error.message, UNDONE if error.status else UNUSABLE)
        except OSError as error:
            if error.errno == EPIPE:  # who reads has enough
                raise
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # or Python tries once more at exit
            fail(f"the output can't be written: {error.strerror}")

    context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in COMMON.items()
    ]
    named = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own]
    run.__signature__ = Signature([context, *named, *options])  # type: ignore[attr-defined]  # functions take it, their types don't
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _is_on_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _nearest(context: typer.Context, name: str, value: Any) -> Any:
    """What stands behind the command's name goes before what stands before it, and that before a variable."""
    inherited = (context.obj or {}).get(name)
    return value if inherited is None or _is_on_command_line(context, name) else inherited


def _leave_to_subcommand(context: typer.Context, given: dict[str, Any], common: dict[str, Any]) -> None:
    """Where the server is may be said before its name, all else only after it."""
    for name in filter(lambda name: _is_on_command_line(context, name), given):
        shown = name.rstrip("_").replace("_", "-")
        fail(f"--{shown} stands before {context.invoked_subcommand}; write it behind")
    context.obj = common
