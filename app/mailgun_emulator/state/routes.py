"""Routes: what is done with mail that comes in, for the whole account (facts/sending.md, 8)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Index, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.expressions import route_actions, route_filter
from mailgun_emulator.expressions.patterns import Captures
from mailgun_emulator.expressions.route_actions import Action, Stop
from mailgun_emulator.expressions.route_filter import Header
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.transaction import Tx


class RouteNotFound(NotFound):
    message = "Route not found"


class ExpressionMissing(BadRequest):
    message = "Expression is missing"


class ActionMissing(BadRequest):
    message = "'action' parameter is missing"


class Route(SQLModel, table=True):
    """`actions` is a JSON list of texts, `number` counts up from one route to the next."""

    __tablename__: ClassVar[Any] = "route"
    __table_args__ = (Index("route_order", "account_id", "priority", "number"),)
    number: int = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    priority: int
    description: str
    expression: str
    actions: str
    created_at: float


class Rule(NamedTuple):
    """A route as it is applied."""

    id: str
    priority: int
    description: str
    expression: str
    actions: str


class Match(NamedTuple):
    """A route that takes a mail, what it does with it, and what its patterns caught."""

    rule: Rule
    actions: tuple[Action, ...]
    captures: Captures


class _Count(NamedTuple):
    routes: int


_RULES = Query(
    select_columns(*columns(Route, Rule._fields))
    .where(col(Route.account_id) == bindparam("account_id"))
    .order_by(col(Route.priority), col(Route.number).desc()),
    Rule,
)
_COUNT = Query(
    select_columns(func.count()).select_from(Route).where(col(Route.account_id) == bindparam("account_id")),
    _Count,
)


def find(tx: Tx, route_id: str) -> Route | None:
    return tx.session.exec(
        select(Route).where(Route.account_id == tx.account_id, Route.id == route_id)
    ).one_or_none()


def get(tx: Tx, route_id: str) -> Route:
    route = find(tx, route_id)
    if route is None:
        raise RouteNotFound
    return route


def create(tx: Tx, *, priority: int, description: str, expression: str, actions: Sequence[str]) -> Route:
    return tx.add(
        Route(
            id=tx.ids.object_id(),
            account_id=tx.account_id,
            priority=priority,
            description=description,
            expression=_checked_expression(expression),
            actions=_checked_actions(actions),
            created_at=tx.now,
        )
    )


def update(
    tx: Tx,
    route: Route,
    *,
    priority: int | None = None,
    description: str | None = None,
    expression: str | None = None,
    actions: Sequence[str] | None = None,
) -> None:
    """What is none stays as it is."""
    if expression is not None:
        route.expression = _checked_expression(expression)
    if actions is not None:
        route.actions = _checked_actions(actions)
    if priority is not None:
        route.priority = priority
    if description is not None:
        route.description = description


def delete(tx: Tx, route_id: str) -> None:
    tx.session.delete(get(tx, route_id))


def list_page(tx: Tx, skip: int, limit: int) -> tuple[list[Route], int]:
    """One page and how many there are in all; by priority, the newest of one priority first."""
    order = col(Route.priority), col(Route.number).desc()
    found = select(Route).where(Route.account_id == tx.account_id).order_by(*order)
    return list(tx.session.exec(found.offset(skip).limit(limit))), count(tx)


def count(tx: Tx) -> int:
    found = _COUNT.recall(tx, account_id=tx.account_id)
    return found.routes if found else 0


def list_rules(tx: Tx) -> list[Rule]:
    """In the order in which they are applied."""
    return _RULES.list(tx, account_id=tx.account_id)


def matching(tx: Tx, recipient: str, headers: Sequence[Header]) -> Iterator[Match]:
    """The routes that take mail with these headers to that recipient, up to the one that says stop."""
    matched = False
    for rule in list_rules(tx):
        captures = route_filter.match(rule.expression, recipient, headers, earlier_matched=matched)
        if captures is not None:
            matched = True
            actions = parsed(rule.actions)
            yield Match(rule, actions, captures)
            if any(isinstance(action, Stop) for action in actions):
                return


def may_match(tx: Tx, recipient: str) -> bool:
    """Whether a route takes mail to that recipient, or might if it has the right headers."""
    return count(tx) > 0 and any(
        route_filter.may_match(rule.expression, recipient) for rule in list_rules(tx)
    )


def find_match(tx: Tx, address: str) -> Route | None:
    """The first route that takes mail to that address, whatever its headers are."""
    first = next(matching(tx, address, []), None)
    return None if first is None else find(tx, first.rule.id)


@lru_cache(maxsize=1024)
def parsed(actions: str) -> tuple[Action, ...]:
    return tuple(route_actions.parse(action) for action in orjson.loads(actions))


def _checked_expression(expression: str) -> str:
    if not expression.strip():
        raise ExpressionMissing
    route_filter.parse(expression)
    return expression


def _checked_actions(actions: Sequence[str]) -> str:
    given = [action for action in actions if action.strip()]
    if not given:
        raise ActionMissing
    for action in given:
        route_actions.parse(action)
    return orjson.dumps(given).decode()
