"""How seed lists and what came of their tests are told (facts/account.md, 11.4)."""

from collections.abc import Iterable
from typing import Any

import orjson
from fastapi import Request
from pydantic import BaseModel, Field

from mailgun_emulator.mail import dates, placement, seeds
from mailgun_emulator.mail.placement import Judgement
from mailgun_emulator.pipeline import placement as tests
from mailgun_emulator.pipeline.placement import DELIVERED, INBOX, MISSING, PENDING, SPAM, Outcome
from mailgun_emulator.state import seed_tests
from mailgun_emulator.state.seed_lists import SeedList
from mailgun_emulator.state.seed_tests import SeedTest
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.paging import base_url

ALL = "all"
PROCESSING, COMPLETE = "processing", "complete"
VERSION = 2


class DeliveryStats(BaseModel):
    """`delivered` are those in the inbox and in the spam folder; with the missing and pending they are the total."""

    delivered: int = 0
    missing: int = 0
    pending: int = 0
    spam: int = 0
    inbox: int = 0
    total: int = 0
    provider: str
    categories: dict[str, int] = Field(default_factory=dict)


class SpamRule(BaseModel):
    name: str
    points: float
    short_description: str
    long_description: str


class SpamAssassin(BaseModel):
    is_spam: bool
    score: float
    required: float
    rules: list[SpamRule]


class SeedHeader(BaseModel):
    key: str
    value: str


class Extensions(BaseModel):
    category: str


class SeedResult(BaseModel):
    email: str
    provider: str
    destination: str
    state: str
    originating_ip: str
    tags: list[str]
    spf: str
    dkim: str
    dmarc: str
    headers: list[SeedHeader]
    extensions: Extensions
    delivered_at: str
    received_at: str


class Box(BaseModel):
    """The seed list of a result."""

    kid: str
    created_at: str
    updated_at: str
    last_result_at: str
    Seeds: None
    target_email: str
    sending_domains: list[str]
    has_results: bool
    name: str
    seed_filter: str
    mailing_list: str
    tags: dict[str, str]
    is_auto_generated: bool


class ResultView(BaseModel):
    rid: str
    result_id: str
    keybox_email: str
    subject: str
    sender: str
    seedlist_name: str
    name: str
    created_at: str
    updated_at: str
    status: str
    attributes: dict[str, str]
    campaign_id: str
    sharing_enabled: bool
    sharing_id: str
    sharing_expires_at: str
    Box: Box
    seed_results: list[SeedResult]
    spamassassin: SpamAssassin
    delivery_stats: dict[str, DeliveryStats]
    body: str
    is_spoofing: bool


class SeedListView(BaseModel):
    kid: str
    created_at: str
    updated_at: str
    last_result_at: str
    target_email: str
    sending_domains: list[str]
    has_results: bool
    name: str
    seed_filter: str
    provider_filter: list[str]
    mailing_list: str
    previous_mailing_list: str
    tags: dict[str, str]
    delivery_stats: dict[str, DeliveryStats]
    is_auto_generated: bool
    version: int
    Seeds: None
    regen_at: str
    regen_needed: bool
    max_seeds_per_provider: int
    results: list[ResultView]


def _stats(provider: str, found: Iterable[SeedResult]) -> DeliveryStats:
    told = DeliveryStats(provider=provider)
    for seed in found:
        category = seed.extensions.category
        told.total += 1
        told.delivered += seed.state == DELIVERED
        told.missing += seed.state == MISSING
        told.pending += seed.state == PENDING
        told.spam += seed.destination == SPAM
        told.inbox += seed.destination == INBOX
        if category:
            told.categories[category] = told.categories.get(category, 0) + 1
    return told


def _delivery_stats(found: list[SeedResult]) -> dict[str, DeliveryStats]:
    """Of all together and of each provider."""
    providers = dict.fromkeys(seed.provider for seed in found)
    by_provider = {name: [seed for seed in found if seed.provider == name] for name in providers}
    return {name: _stats(name, own) for name, own in {ALL: found, **by_provider}.items()}


def _category(outcome: Outcome, content: Judgement) -> str:
    """Only Gmail's inbox has tabs."""
    has_tabs = outcome.provider == "gmail.com" and outcome.destination == INBOX
    return content.category if has_tabs else ""


def result_view(tx: Tx, test: SeedTest, provider: str = "") -> ResultView:
    """The whole of a result, or what concerns one provider."""
    seed_list = tx.session.get_one(SeedList, test.seed_list_kid)
    content, found = tests.content_of(test), tests.outcomes(tx, test)
    shown = [_seed_result(each, content) for each in found if provider in ("", each.provider)]
    return ResultView(
        rid=test.rid,
        result_id=test.result_id,
        keybox_email=seed_list.target_email,
        subject=test.subject,
        sender=test.sender,
        seedlist_name=seed_list.name,
        name=seed_list.name,
        created_at=dates.rfc3339(test.created_at),
        updated_at=dates.rfc3339(tests.updated_at(test, found)),
        status=PROCESSING if any(each.state == PENDING for each in found) else COMPLETE,
        attributes={},
        campaign_id="",
        sharing_enabled=test.sharing_enabled,
        sharing_id=test.sharing_id if test.sharing_enabled else "",
        sharing_expires_at=dates.rfc3339(test.sharing_expires_at),
        Box=Box(**_box(tx, seed_list)),
        seed_results=shown,
        spamassassin=_spamassassin(content),
        delivery_stats=_delivery_stats(shown),
        body=content.body,
        is_spoofing=tests.is_spoofing(test),
    )


def _seed_result(outcome: Outcome, content: Judgement) -> SeedResult:
    checked = {"spf": content.spf, "dkim": content.dkim, "dmarc": content.dmarc}
    has_it = outcome.state == DELIVERED
    results = "; ".join(f"{name}={value}" for name, value in checked.items())
    headers = {
        **outcome.headers,
        **({"authentication-results": f"mx.{outcome.provider}; {results}"} if has_it else {}),
    }
    return SeedResult(
        email=outcome.email,
        provider=outcome.provider,
        destination=outcome.destination,
        state=outcome.state,
        originating_ip=outcome.ip,
        tags=list(outcome.tags),
        **(checked if has_it else dict.fromkeys(checked, "")),
        headers=[SeedHeader(key=name.title(), value=str(value)) for name, value in headers.items()],
        extensions=Extensions(category=_category(outcome, content)),
        delivered_at=dates.rfc3339(outcome.delivered_at),
        received_at=dates.rfc3339(outcome.received_at),
    )


def _spamassassin(content: Judgement) -> SpamAssassin:
    return SpamAssassin(
        is_spam=content.score >= placement.REQUIRED,
        score=content.score,
        required=placement.REQUIRED,
        rules=[
            SpamRule(
                name=name,
                points=points,
                short_description=placement.RULES.get(name, placement.UNKNOWN).short,
                long_description=placement.RULES.get(name, placement.UNKNOWN).long,
            )
            for name, points in content.rules.items()
        ],
    )


def _box(tx: Tx, seed_list: SeedList) -> dict[str, Any]:
    """What a result tells of its list, and the list of itself, too."""
    last_result_at = seed_tests.last_of(tx, seed_list)
    return {
        "kid": seed_list.kid,
        "created_at": dates.rfc3339(seed_list.created_at),
        "updated_at": dates.rfc3339(seed_list.updated_at),
        "last_result_at": dates.rfc3339(last_result_at),
        "Seeds": None,
        "target_email": seed_list.target_email,
        "sending_domains": orjson.loads(seed_list.sending_domains),
        "has_results": last_result_at > 0,
        "name": seed_list.name,
        "seed_filter": seed_list.seed_filter,
        "mailing_list": seed_list.mailing_list,
        "tags": {"sfmc_remote_id": seed_list.remote_id} if seed_list.remote_id else {},
        "is_auto_generated": seed_list.automatic,
    }


def seed_list_view(tx: Tx, seed_list: SeedList) -> SeedListView:
    results = [result_view(tx, test) for test in seed_tests.list_all(tx, seed_list)]
    found = (seed for result in results for seed in result.seed_results)
    return SeedListView(
        **_box(tx, seed_list),
        provider_filter=orjson.loads(seed_list.provider_filter),
        previous_mailing_list=seed_list.previous,
        delivery_stats={ALL: _stats(ALL, found)},
        version=VERSION,
        regen_at=dates.rfc3339(seed_list.regen_at),
        regen_needed=tx.now >= seed_list.regen_at,
        max_seeds_per_provider=seed_list.max_seeds_per_provider,
        results=results,
    )


def result_url(request: Request, test: SeedTest) -> str:
    return f"{base_url(request)}/v4/inbox/results/{test.result_id}"


def provider_of(name: str) -> seeds.Provider | None:
    """By its domain or the name people know it by."""
    wanted = name.strip().lower()
    return next(
        (each for each in seeds.PROVIDERS if wanted in (each.domain, each.display_name.lower())), None
    )
