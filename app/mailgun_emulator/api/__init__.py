"""Mailgun's HTTP API: one module per section of the API reference, named after it."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "api.messages": (
        "/v3/{domain}/messages",
        "/v3/{domain}/messages.mime",
        "/v3/{domain}/envelopes",
        "/v3/domains/{domain}/messages",
        "/v3/domains/{domain}/sending_queues",
    ),
    "api.keys": ("/v1/keys",),
}
"""The table of contents, in the reference's order: each section with the paths its operations begin with.

A section is loaded when the first request for one of its paths comes.
"""
