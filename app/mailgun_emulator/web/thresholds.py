"""Alerts and limits as requests give them and answers tell them (facts/account.md, 10.1 and 10.2)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, json_text
from mailgun_emulator.state.predicates import COMPARED, EQUAL, SEARCHED
from mailgun_emulator.state.thresholds import Threshold, is_number, is_period
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.forms import Form, Text, as_text
from mailgun_emulator.web.parameters import Missing
from mailgun_emulator.web.statistics import NotValid
from mailgun_emulator.web.views import only_if_set

COMPARATORS = (*EQUAL, *COMPARED)
FILTER_COMPARATORS = (*SEARCHED, *COMPARED)
MOST_FILTERS = 10


class Dimension(StrEnum):
    DOMAIN = "domain"
    IP = "ip"
    IP_POOL = "ip_pool"
    RECIPIENT_PROVIDER = "recipient_provider"
    SUBACCOUNT = "subaccount"


class TooManyFilters(BadRequest):
    """Mailgun's own text is not known."""

    message = f"no more than {MOST_FILTERS} filters are allowed"


def _each(value: Any) -> Any:
    """Objects, also where they come as JSON in a form."""
    if isinstance(value, list):
        found = [json_text.read(each) if isinstance(each, str) else each for each in value]
        return [
            one for each in found for one in (each if isinstance(each, list) else [each]) if one is not None
        ]
    return value


class ThresholdForm(Form):
    """What alerts and limits have in common. `limit` is a number, as text or not."""

    name: Text = ""
    metric: Text = ""
    comparator: Text = ""
    limit: Text = ""
    dimension: Text = ""
    filters: Annotated[list[dict[str, Any]], BeforeValidator(_each)] = Field(default=[])
    period: Text = ""
    description: str | None = None


class FilterView(BaseModel):
    dimension: str
    comparator: str
    values: list[str]


class HasThreshold(BaseModel):
    """How a threshold begins. `subaccount_id` is there if a subaccount has it."""

    id: str
    parent_account_id: str
    subaccount_id: str | None = only_if_set()
    name: str
    created_at: str
    updated_at: str
    last_checked: str
    description: str | None = only_if_set()


class Given(BaseModel):
    """What was asked for."""

    filters: list[FilterView] | None = only_if_set()
    metric: str
    comparator: str
    limit: str
    dimension: str
    period: str


def moment(at: float | None) -> str:
    return dates.NEVER if at is None else dates.rfc3339_s(at)


def checked(
    asked: ThresholdForm, metrics: Iterable[str], dimensions: Iterable[str], units: str
) -> dict[str, Any]:
    """The columns of `state.thresholds.Threshold`. A period has one of the `units`, by itself one of the first."""
    for name in ("name", "metric", "comparator", "limit", "dimension"):
        if not getattr(asked, name).strip():
            raise Missing(name)
    _known("metric", asked.metric, metrics)
    _known("comparator", asked.comparator, COMPARATORS)
    _known("dimension", asked.dimension, dimensions)
    period = asked.period or f"1{units[0]}"
    if not is_number(asked.limit):
        raise NotValid("limit", asked.limit)
    if not is_period(period, units):
        raise NotValid("period", period)
    return {
        "name": asked.name,
        "metric": asked.metric,
        "comparator": asked.comparator,
        "limit": asked.limit,
        "dimension": asked.dimension,
        "period": period,
        "description": asked.description,
        "filters": orjson.dumps(_filters(asked.filters, dimensions)).decode(),
    }


def _known(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise NotValid(name, value)


def _filters(given: list[dict[str, Any]], dimensions: Iterable[str]) -> list[dict[str, Any]]:
    if len(given) > MOST_FILTERS:
        raise TooManyFilters
    found = []
    for each in given:
        dimension, comparator = str(each.get("dimension", "")), str(each.get("comparator", ""))
        values = each.get("values")
        _known("filter dimension", dimension, dimensions)
        _known("filter comparator", comparator, FILTER_COMPARATORS)
        texts = [as_text(value) for value in values] if isinstance(values, list) else []
        if not texts or not all(text and isinstance(text, str) for text in texts):
            raise NotValid(f"filter values of {dimension}", "")
        found.append({"dimension": dimension, "comparator": comparator, "values": texts})
    return found


def whose(tx: Tx) -> dict[str, str]:
    """The accounts that a threshold of this one tells."""
    if tx.parent_id is None:
        return {"parent_account_id": tx.account_id}
    return {"parent_account_id": tx.parent_id, "subaccount_id": tx.account_id}


def head(tx: Tx, threshold: Threshold) -> dict[str, Any]:
    """The fields of `HasThreshold`."""
    return {
        "id": threshold.id,
        **whose(tx),
        "name": threshold.name,
        "created_at": moment(threshold.created_at),
        "updated_at": moment(threshold.updated_at),
        "last_checked": moment(threshold.last_checked),
        "description": threshold.description,
    }


def given(threshold: Threshold) -> dict[str, Any]:
    """The fields of `Given`."""
    return {
        "filters": orjson.loads(threshold.filters) or None,
        "metric": threshold.metric,
        "comparator": threshold.comparator,
        "limit": threshold.limit,
        "dimension": threshold.dimension,
        "period": threshold.period,
    }
