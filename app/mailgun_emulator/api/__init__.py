"""Mailgun's HTTP API: one module per section of the API reference, named after it."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "api.messages": (
        "/v3/{domain}/messages",
        "/v3/{domain}/messages.mime",
        "/v3/{domain}/envelopes",
        "/v3/domains/{domain}/messages",
        "/v3/domains/{domain}/sending_queues",
    ),
    "api.domain_tracking": (
        "/v3/domains/{domain}/tracking",
        "/v3/domains/{domain}/web_prefix",
        "/v2/x509",
    ),
    "api.events": ("/v3/{domain}/events",),
    "api.stats": (
        "/v3/{domain}/stats",
        "/v3/stats",
        "/v3/{domain}/aggregates",
    ),
    "api.tags": (
        "/v3/{domain}/tags",
        "/v3/{domain}/tag",
        "/v3/domains/{domain}/tag",
        "/v3/domains/{domain}/limits/tag",
    ),
    "api.metrics": ("/v1/analytics/metrics", "/v1/analytics/usage"),
    "api.logs": ("/v1/analytics/logs",),
    "api.tags_new": ("/v1/analytics/tags",),
    "api.bounces": ("/v3/{domain}/bounces",),
    "api.complaints": ("/v3/{domain}/complaints",),
    "api.unsubscribe": ("/v3/{domain}/unsubscribes",),
    "api.allowlist": ("/v3/{domain}/whitelists",),
    "api.templates": ("/v3/{domain}/templates",),
    "api.routes": ("/v3/routes",),
    "api.mailing_lists": ("/v3/lists",),
    "api.account_management": ("/v5/sandbox",),
    "api.credentials": ("/v3/domains/{domain}/credentials",),
    "api.domains": ("/v4/domains", "/v3/domains"),
    "api.domain_keys": (
        "/v1/dkim/keys",
        "/v4/domains/{domain}/keys",
        "/v3/domains/{domain}/keys",
        "/v3/domains/{domain}/dkim_authority",
        "/v3/domains/{domain}/dkim_selector",
    ),
    "api.account_webhooks": ("/v1/webhooks",),
    "api.domain_webhooks": ("/v3/domains/{domain}/webhooks", "/v4/domains/{domain}/webhooks"),
    "api.dkim_security": ("/v1/dkim_management",),
    "api.keys": ("/v1/keys",),
    "api.bounce_classification": ("/v1/bounce-classification", "/v2/bounce-classification"),
}
"""The table of contents, in the reference's order: each section with the paths its operations begin with.

A section is loaded when the first request for one of its paths comes.
"""
