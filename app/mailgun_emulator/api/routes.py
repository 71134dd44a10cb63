"""Routes: what is done with mail that comes in (facts/sending.md, 8)."""

from typing import Annotated, ClassVar

import orjson
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import routes
from mailgun_emulator.state.routes import Route
from mailgun_emulator.web import paging
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import CurrentFields, Fields, Form, form
from mailgun_emulator.web.views import refusals


async def inline(response: Response) -> None:
    """As Mailgun's older services answer (facts/sending.md, 10.2)."""
    response.headers["Content-Disposition"] = "inline"


router = APIRouter(tags=["Routes"], dependencies=[Depends(inline)])

MOST_LISTED = 1000
LARGEST = 2**31 - 1
UNKNOWN = refusals(404)
REFUSED = refusals(400)


class TooManyAsked(BadRequest):
    message = f"The 'limit' parameter can't be larger than {MOST_LISTED}"


class AddressMissing(BadRequest):
    message = "'address' parameter is missing"


class RouteForm(Form):
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    priority: int | None = Field(
        None,
        ge=-LARGEST,
        le=LARGEST,
        description="Routes of lower numbers are asked first; 0 if none is given.",
    )
    description: str | None = None
    expression: str | None = Field(None, description='Such as `match_recipient(".*@example.com")`.')
    action: list[str] = Field(
        default=[], description="`forward(…)`, `store(…)` or `stop()`; several are done in turn."
    )


class RouteView(BaseModel):
    actions: list[str]
    created_at: str
    description: str
    expression: str
    id: str
    priority: int


class RouteList(BaseModel):
    items: list[RouteView]
    total_count: int


class FoundRoute(BaseModel):
    route: RouteView


class CreatedRoute(BaseModel):
    message: str
    route: RouteView


class UpdatedRoute(BaseModel):
    """Flat, unlike all others (facts/sending.md, trap 7)."""

    actions: list[str]
    created_at: str
    description: str
    expression: str
    id: str
    message: str
    priority: int


class DeletedRoute(BaseModel):
    id: str
    message: str


def view(route: Route) -> RouteView:
    return RouteView(
        actions=orjson.loads(route.actions),
        created_at=dates.rfc2822(route.created_at, "GMT"),
        description=route.description,
        expression=route.expression,
        id=route.id,
        priority=route.priority,
    )


def limit_of(fields: Fields) -> int:
    limit = paging.number(fields, "limit", 100)
    if limit > MOST_LISTED:
        raise TooManyAsked
    return limit


@router.post("/v3/routes", responses=REFUSED)
async def create_route(tx: CurrentTx, asked: Annotated[RouteForm, form(RouteForm)]) -> CreatedRoute:
    """Make a route: an expression that says which mail it takes, and actions that say what is done with it."""
    route = routes.create(
        tx,
        priority=asked.priority or 0,
        description=asked.description or "",
        expression=asked.expression or "",
        actions=asked.action,
    )
    return CreatedRoute(message="Route has been created", route=view(route))


@router.get("/v3/routes", responses=REFUSED)
async def list_routes(tx: CurrentTx, fields: CurrentFields) -> RouteList:
    """List the account's routes in the order in which they are asked."""
    skip = paging.number(fields, "skip", 0, most=LARGEST)
    found, total = routes.list_page(tx, skip, limit_of(fields))
    return RouteList(items=[view(route) for route in found], total_count=total)


@router.get("/v3/routes/match", responses={**REFUSED, **UNKNOWN})
async def match_route(tx: CurrentTx, fields: CurrentFields) -> FoundRoute:
    """Tell which route takes mail to an address first."""
    address = str(fields.first("address") or "").strip()
    if not address:
        raise AddressMissing
    route = routes.find_match(tx, address)
    if route is None:
        raise routes.RouteNotFound
    return FoundRoute(route=view(route))


@router.get("/v3/routes/{route_id}", responses=UNKNOWN)
async def get_route(tx: CurrentTx, route_id: str) -> FoundRoute:
    """Tell one route."""
    return FoundRoute(route=view(routes.get(tx, route_id)))


@router.put("/v3/routes/{route_id}", responses={**REFUSED, **UNKNOWN})
async def update_route(
    tx: CurrentTx,
    route_id: str,
    asked: Annotated[RouteForm, form(RouteForm)],
) -> UpdatedRoute:
    """Change what is given of a route; actions that are given take the place of all it had."""
    route = routes.get(tx, route_id)
    given = asked.model_dump(exclude_none=True, exclude={"action"})
    actions = asked.action if "action" in asked.model_fields_set else None
    routes.update(tx, route, **given, actions=actions)
    return UpdatedRoute(message="Route has been updated", **view(route).model_dump())


@router.delete("/v3/routes/{route_id}", responses=UNKNOWN)
async def delete_route(tx: CurrentTx, route_id: str) -> DeletedRoute:
    """Delete a route."""
    routes.delete(tx, route_id)
    return DeletedRoute(id=route_id, message="Route has been deleted")
