"""All that Mailgun's Python package offers, sync and async, for the operations that are there.

What it offers is read from the package: a newer one that offers more fails here until a story uses it.
"""

import asyncio
from typing import NamedTuple

import pytest
from mailgun.client import AsyncClient
from mailgun.endpoints import AsyncEndpoint, Endpoint
from tests.clients import (
    mailgun_package,
    operations,
    package_stories,
    stories_accounts,
    stories_ips,
    stories_optimize,
    stories_placement,
    stories_reputation,
    stories_thresholds,
    stories_validation,
)
from tests.clients.mailgun_package import Kind
from tests.clients.package_desk import Desk
from tests.conftest import Account, Client

OUTSIDE = {
    "account_templates": "not in the reference",
    "addressvalidate_bulk": "an example of the package calls it and the package doesn't have it",
    "addressvalidate_preview": "an example of the package calls it and the package doesn't have it",
    "domains_messages": "the package drops the storage URL that it is given; `resend_message` reads the same",
    "forwards": "no longer in the reference",
    "maverick_score": "the package's router makes no address of what stands below it",
    "reputation": "not in the reference",
    "reputationanalytics_v2": "not in the reference",
    "resendmessage": "an example of the package calls it and the package doesn't have it",
}
"""Endpoints, with all that begins with them and `_`, that no operation of the reference stands behind."""

UNREACHABLE = {
    "the package knows only the address of another version": {
        "DELETE /v4/domains/{domain}",
        "GET /v3/domains/{domain}/keys",
        "GET /v4/domains/{name}",
        "PUT /v4/domains/{name}",
        "PUT /v4/domains/{name}/verify",
        "GET /v1/bounce-classification/config/entities",
        "GET /v1/bounce-classification/config/rules",
        "GET /v1/bounce-classification/domains",
        "GET /v1/bounce-classification/domains/{domain}/entities",
        "GET /v1/bounce-classification/domains/{domain}/entities/{entity-id}/rules",
        "GET /v1/bounce-classification/domains/{domain}/events",
        "GET /v1/bounce-classification/stats",
    },
    "its router doesn't see the data that would lead it there": {
        "DELETE /v4/domains/{domain}/webhooks",
        "POST /v4/domains/{domain}/webhooks",
        "PUT /v4/domains/{domain}/webhooks",
    },
    "its router leaves the placeholders in the address": {
        "PUT /v4/domains/{authority_name}/keys/{selector}/activate",
        "PUT /v4/domains/{authority_name}/keys/{selector}/deactivate",
    },
    "its router makes no such address": {
        "DELETE /v3/{domain}/tag",
        "DELETE /v5/sandbox/auth/recipients/{email}",
        "DELETE /v5/sandbox/auth_recipients/{email}",
        "GET /v3/{domain}/aggregates/countries",
        "GET /v3/{domain}/aggregates/devices",
        "GET /v3/{domain}/aggregates/providers",
        "GET /v3/{domain}/events/{token}",
        "GET /v3/{domain}/tag",
        "GET /v3/{domain}/tag/stats",
        "GET /v3/{domain}/tag/stats/aggregates",
        "GET /v5/sandbox/auth_recipients",
        "POST /v3/lists/{list_address}/members.csv",
        "POST /v5/sandbox/auth_recipients",
        "PUT /v3/domains/{domain}/webhooks/{webhook_name}/test",
        "PUT /v3/lists",
        "PUT /v3/{domain}/tag",
    },
}
"""Operations that are there and that the package has no way to, and why."""

PARTS = (
    stories_accounts,
    stories_ips,
    stories_reputation,
    stories_thresholds,
    stories_validation,
    stories_placement,
    stories_optimize,
)


class Used(NamedTuple):
    """What the stories used: endpoints with their methods, and operations that answered well."""

    calls: set[tuple[str, str]]
    operations: set[str]


async def tell_all(kind: Kind, url: str, account: Account, client: Client) -> Used:
    async with mailgun_package.speaking(kind, url, account.api_key) as spoken:
        for story in (*(each for part in PARTS for each in part.STORIES), *package_stories.STORIES):
            await story(Desk(spoken, account, client))
    return Used(spoken.calls, spoken.operations)


def is_outside(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}_") for each in OUTSIDE)


def not_used(used: Used) -> set[str]:
    """What the package offers and no story uses, as `endpoint` or `endpoint.method`."""
    named = {name for name, _ in used.calls}
    announced = {
        name
        for name in mailgun_package.endpoints()
        if not any(each == name or each.startswith(f"{name}_") for each in named)
    }
    shown = {".".join(pair) for pair in mailgun_package.examples() - used.calls}
    return announced | shown


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_all_that_the_package_offers_is_used(
    kind: Kind, server_url: str, account: Account, client: Client
) -> None:
    used = asyncio.run(tell_all(kind, server_url, account, client))
    missing = {name for name in not_used(used) if not is_outside(name.partition(".")[0])}
    assert not missing, "offered by the package and not used by any story"
    assert not {name for name, _ in used.calls if is_outside(name)}, "used, and no longer to be excused"
    unreachable = [UNREACHABLE, *(part.UNREACHABLE for part in PARTS)]
    excluded = {name for each in unreachable for names in each.values() for name in names}
    covered = {operation.name for operation in operations.operations() if operation.covered}
    assert covered - used.operations == excluded
    methods = {"sync": Endpoint, "async": AsyncEndpoint}[kind]
    asked = {method for _, method in used.calls} | {"api_call"}
    assert mailgun_package.methods(methods) <= asked


def test_what_is_outside_is_offered() -> None:
    offered = mailgun_package.endpoints() | {name for name, _ in mailgun_package.examples()}
    assert OUTSIDE.keys() <= offered, "the package no longer offers these"


def test_a_client_has_only_these_methods_of_its_own() -> None:
    assert mailgun_package.methods(AsyncClient) == {"aclose", "ping"}
