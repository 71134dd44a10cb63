"""Refuses what an operation of `/_emulator` is asked by its query and does not know: nobody may believe to have it.

Mailgun's own operations ignore such a parameter, as Mailgun does.
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.web.hints import expected_by

EVERYWHERE = "account"
"""Who works for one account names it in all requests."""


def check(route: APIRoute, query: bytes) -> None:
    known = _known(route)
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if known is not None and name not in known:
            raise BadRequest(f"query: {name} is not known here; possible are {', '.join(sorted(known))}")


def _known(route: APIRoute) -> frozenset[str] | None:
    """None if it looks itself: a model does, and a form, which the query may have the fields of."""
    if expected_by(route).names:
        return None
    names = {EVERYWHERE}
    for field in _query_fields(route.dependant):
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return None
        names.add(field.alias)
    return frozenset(names)


def _query_fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for each in dependant.dependencies:
        yield from _query_fields(each)
