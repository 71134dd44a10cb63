"""Bounce Classification: failures by who refused and why (facts/sending.md, 7.5).

The rules are those of `mail.bounce_rules`. The operations of v1 count what was counted at all times.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest, Forbidden, MailgunError
from mailgun_emulator.mail import bounce_rules, dates
from mailgun_emulator.mail.periods import DAY, Resolution
from mailgun_emulator.state import bounce_counts, domains
from mailgun_emulator.state.bounce_counts import Classified, entity_of
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statistics import EVER, Question
from mailgun_emulator.state.subaccounts import find_domain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import bounce_classes
from mailgun_emulator.web.analytics import MeasuresForm, known_names, page_of
from mailgun_emulator.web.bounce_classes import ATTRIBUTES, DIMENSIONS, METRICS, Item, Span
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import LARGEST, CurrentFields, Fields, as_flag, form
from mailgun_emulator.web.paging import number
from mailgun_emulator.web.statistics import NotValid, moment, resolution_of
from mailgun_emulator.web.views import Done, refusals

router = APIRouter(tags=["Bounce Classification"])

DEFAULT_LIMIT, MOST = 10, 50
GROUPS = ("subaccount.id", "domain.name", "entity-id", "rule-id")
REFUSED = refusals(400)
FORBIDDEN = refusals(403)
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?", re.ASCII)
_UNITS = (86400, 3600, 60, 1)


class BounceLogsGone(MailgunError):
    """Mailgun's own text is not known."""

    status = 410
    message = "This endpoint is no longer available, use POST /v1/analytics/logs instead"


class ClassificationForm(MeasuresForm):
    """Seven days up to now unless asked otherwise; `duration` (`48h`, `60m`, `24h0m0s`) wins over `start`.

    All metrics are told, whichever are asked for, as the published document says.
    """

    def span(self, now: float) -> Span:
        end = moment("end", self.end, now)
        start = (
            end - self._seconds() if self.duration else moment("start", self.start, max(end - 7 * DAY, 0.0))
        )
        resolution = resolution_of(self.resolution)
        if resolution is Resolution.MONTH:
            raise NotValid("resolution", self.resolution)
        if not 0 <= start <= end:
            raise NotValid("duration" if self.duration else "start", self.duration or self.start)
        return Span(start, end, resolution)

    def _seconds(self) -> int:
        found = _DURATION.fullmatch(self.duration.strip())
        if found is None or not any(found.groups()):
            raise NotValid("duration", self.duration)
        return sum(int(count or 0) * unit for count, unit in zip(found.groups(), _UNITS, strict=True))


class ClassificationItem(BaseModel):
    """Has the dimensions that were asked for, by their names, besides `metrics`."""

    model_config = ConfigDict(extra="allow")
    metrics: dict[str, int | None]


class ClassificationPagination(BaseModel):
    sort: str
    skip: int
    limit: int
    total: int


class ClassificationView(BaseModel):
    """Items without bounces and delays are not among them."""

    start: str
    end: str
    resolution: Resolution
    duration: str | None = None
    dimensions: list[str]
    pagination: ClassificationPagination
    items: list[ClassificationItem]


class BouncedTotal(BaseModel):
    total: int


class NamedDomain(BaseModel):
    name: str


class NamedSubaccount(BaseModel):
    id: str


class RuleStatistics(BaseModel):
    subaccount: NamedSubaccount | None = None
    domain: NamedDomain | None = None
    rule_id: str | None = Field(None, serialization_alias="rule-id")
    entity_id: str | None = Field(None, serialization_alias="entity-id")
    short_explanation: str | None = Field(None, serialization_alias="short-explanation")
    bounced: BouncedTotal


class RuleStatisticsList(BaseModel):
    items: list[RuleStatistics]
    duration: str = Field("0s", serialization_alias="_duration")


class DomainStatistics(BaseModel):
    domain: NamedDomain
    bounced: BouncedTotal


class DomainStatisticsList(BaseModel):
    items: list[DomainStatistics]
    total: int


class EntityStatistics(BaseModel):
    entity_id: str = Field(serialization_alias="entity-id")
    entity_name: str = Field(serialization_alias="entity-name")
    bounced: BouncedTotal


class EntityStatisticsList(BaseModel):
    items: list[EntityStatistics]


class EntityRule(BaseModel):
    rule_id: str = Field(serialization_alias="rule-id")
    category: str
    severity: str
    sample_text: str = Field(serialization_alias="sample-text")
    explanation: str
    bounced: BouncedTotal


class EntityRuleList(BaseModel):
    items: list[EntityRule]


class EntityView(BaseModel):
    name: str


class RuleView(BaseModel):
    """Without `entity_id` it is met at any mailbox provider."""

    entity_id: str | None = None
    class_: str = Field(serialization_alias="class")
    sample_text: str = Field(serialization_alias="sample-text")
    explanation: str
    short_explanation: str = Field(serialization_alias="short-explanation")


def included(fields: Fields) -> bool:
    """Whether subaccounts are."""
    return as_flag(fields.first("include_subaccounts")) is True


def bouncing_domain(tx: Tx, name: str, *, subaccounts: bool) -> Domain:
    """403 for those of others, the only refusal that the published document knows."""
    found = find_domain(tx, name) if subaccounts else domains.find(tx, name)
    if found is None:
        raise Forbidden
    return found


@router.post("/v2/bounce-classification/metrics", response_model=ClassificationView, responses=REFUSED)
async def classify_bounces(
    tx: CurrentTx, asked: Annotated[ClassificationForm, form(ClassificationForm)]
) -> Response:
    """Count bounces and delays by who refused and why, told apart by dimensions, filtered, sorted and paged."""
    return answer(tx, asked)


def answer(tx: Tx, asked: ClassificationForm) -> Response:
    span, page = asked.span(tx.now), asked.pagination
    dimensions = known_names("dimension", asked.dimensions, DIMENSIONS)
    if {"tag", "tags"} <= set(dimensions):
        raise BadRequest("dimensions 'tag' and 'tags' are not compatible")
    known_names("metric", asked.metrics, METRICS)
    predicates = asked.filter.predicates(ATTRIBUTES)
    found = bounce_classes.measure(tx, span, dimensions, predicates, subaccounts=asked.include_subaccounts)
    items = in_order(found, dimensions, asked)
    limit = page.limited(DEFAULT_LIMIT, MOST)
    body = {
        "start": dates.rfc2822(span.start),
        "end": dates.rfc2822(span.end),
        "resolution": span.resolution,
        **({"duration": asked.duration} if asked.duration else {}),
        "dimensions": dimensions,
        "pagination": {"sort": page.sort, "skip": page.skip, "limit": limit, "total": len(items)},
        "items": [
            {
                **{name: value or None for name, value in zip(dimensions, each.values, strict=True)},
                "metrics": each.metrics,
            }
            for each in page_of(items, page.skip, limit)
        ],
    }
    return Response(orjson.dumps(body), media_type="application/json")


def in_order(items: list[Item], dimensions: list[str], asked: ClassificationForm) -> list[Item]:
    sorting = asked.pagination.sorting((*dimensions, *METRICS))
    if sorting is None:
        return items
    return sorted(items, key=_key(sorting.name, dimensions), reverse=sorting.descending)


def _key(name: str, dimensions: list[str]) -> Callable[[Item], Any]:
    if name in METRICS:
        return lambda item: item.metrics[name] or 0
    place = dimensions.index(name)
    return lambda item: item.values[place]


def bounces(tx: Tx, domain_id: str = "", *, subaccounts: bool = False) -> list[Classified]:
    """Of all times, permanent ones only, by domain, provider and account."""
    asked = Question(EVER, domain_id=domain_id, subaccounts=subaccounts)
    found = bounce_counts.measure(tx, ("domain", "recipient_provider", "subaccount"), asked)
    return [each for each in found.classified if each.permanent]


def most_first(found: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


@router.get("/v1/bounce-classification/stats", response_model_exclude_none=True, responses=REFUSED)
async def list_bounce_statistics(tx: CurrentTx, fields: CurrentFields) -> RuleStatisticsList:
    """Count bounces by subaccount, domain, entity and rule, or those of them that `group` names; most first."""
    groups = [each for text in fields.get("group", ()) for each in str(text).split(",") if each] or list(
        GROUPS
    )
    known_names("group", groups, GROUPS)
    found = most_first(grouped(tx, groups, subaccounts=included(fields)))
    rows = found[: number(fields, "limit", LARGEST, 0)]
    return RuleStatisticsList(items=[rule_statistics(values, total) for values, total in rows])


def grouped(tx: Tx, groups: list[str], *, subaccounts: bool) -> Counter[tuple[str, ...]]:
    """By the values of `GROUPS`, empty for those that are not asked for."""
    found: Counter[tuple[str, ...]] = Counter()
    for each in bounces(tx, subaccounts=subaccounts):
        told = {
            "subaccount.id": each.key[2],
            "domain.name": each.key[0],
            "entity-id": entity_of(each.rule, each.key[1]),
            "rule-id": each.rule.id,
        }
        found[tuple(told[name] if name in groups else "" for name in GROUPS)] += each.number
    return found


def rule_statistics(values: tuple[str, ...], total: int) -> RuleStatistics:
    subaccount, domain, entity, rule = values
    return RuleStatistics(
        subaccount=NamedSubaccount(id=subaccount) if subaccount else None,
        domain=NamedDomain(name=domain) if domain else None,
        rule_id=rule or None,
        entity_id=entity or None,
        short_explanation=bounce_rules.BY_ID[rule].short if rule else None,
        bounced=BouncedTotal(total=total),
    )


@router.get("/v1/bounce-classification/domains", responses=REFUSED)
async def list_bouncing_domains(tx: CurrentTx, fields: CurrentFields) -> DomainStatisticsList:
    """Count bounces by domain, most first; `query=domain.name:NAME` leaves one."""
    wanted = queried_domain(str(fields.first("query") or ""))
    found: Counter[str] = Counter()
    for each in bounces(tx, subaccounts=included(fields)):
        if wanted in ("", each.key[0]):
            found[each.key[0]] += each.number
    rows = most_first(found)
    skip, limit = number(fields, "skip", 0), number(fields, "limit", LARGEST)
    items = [
        DomainStatistics(domain=NamedDomain(name=name), bounced=BouncedTotal(total=total))
        for name, total in page_of(rows, skip, limit)
    ]
    return DomainStatisticsList(items=items, total=len(rows))


def queried_domain(query: str) -> str:
    name, _, value = query.partition(":")
    if query and (name != "domain.name" or not value):
        raise NotValid("query", query)
    return value.lower()


@router.get("/v1/bounce-classification/domains/{domain}/entities", responses=FORBIDDEN)
async def list_bouncing_entities(tx: CurrentTx, domain: str, fields: CurrentFields) -> EntityStatisticsList:
    """Count a domain's bounces by who refused: mailbox providers, and the filters and blocklists that they ask."""
    found: Counter[str] = Counter()
    for each in bounces(tx, bouncing_domain(tx, domain, subaccounts=included(fields)).id):
        found[entity_of(each.rule, each.key[1])] += each.number
    return EntityStatisticsList(
        items=[
            EntityStatistics(
                entity_id=id_, entity_name=bounce_rules.ENTITY_NAMES[id_], bounced=BouncedTotal(total=total)
            )
            for id_, total in most_first(found)
        ]
    )


@router.get("/v1/bounce-classification/domains/{domain}/entities/{entity_id}/rules", responses=FORBIDDEN)
async def list_entity_rules(
    tx: CurrentTx, domain: str, entity_id: str, fields: CurrentFields
) -> EntityRuleList:
    """Count a domain's bounces at one entity by the rules that they met."""
    found: Counter[str] = Counter()
    for each in bounces(tx, bouncing_domain(tx, domain, subaccounts=included(fields)).id):
        if entity_of(each.rule, each.key[1]) == entity_id:
            found[each.rule.id] += each.number
    return EntityRuleList(items=[entity_rule(rule, total) for rule, total in most_first(found)])


def entity_rule(rule_id: str, total: int) -> EntityRule:
    rule = bounce_rules.BY_ID[rule_id]
    return EntityRule(
        rule_id=rule.id,
        category=rule.category,
        severity="PERMANENT",
        sample_text=rule.sample,
        explanation=rule.explanation,
        bounced=BouncedTotal(total=total),
    )


@router.get(
    "/v1/bounce-classification/domains/{domain}/events", responses={**FORBIDDEN, 410: {"model": Done}}
)
async def list_bounce_logs(tx: CurrentTx, domain: str) -> Done:
    """Is gone: Logs list the failures that met a rule by the filter `i_classification_rule_id`."""
    bouncing_domain(tx, domain, subaccounts=False)
    raise BounceLogsGone


@router.get("/v1/bounce-classification/config/entities")
async def list_bounce_entities(tx: CurrentTx) -> dict[str, EntityView]:
    """List who can refuse: mailbox providers, and the filters and blocklists that they ask."""
    return {id_: EntityView(name=name) for id_, name in bounce_rules.ENTITY_NAMES.items()}


@router.get("/v1/bounce-classification/config/rules", response_model_exclude_none=True)
async def list_bounce_rules(tx: CurrentTx) -> dict[str, RuleView]:
    """List the rules that failures are classified by."""
    return {
        rule.id: RuleView(
            entity_id=rule.filter or None,
            class_=rule.category,
            sample_text=rule.sample,
            explanation=rule.explanation,
            short_explanation=rule.short,
        )
        for rule in bounce_rules.RULES
    }
