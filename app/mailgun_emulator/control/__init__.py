"""`/_emulator`: what Mailgun does not have."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "control.health": ("/_emulator/health",),
    "control.accounts": ("/_emulator/accounts", "/_emulator/reset"),
    "control.users": ("/_emulator/users", "/_emulator/sandbox_recipients"),
    "control.domains": ("/_emulator/domains",),
    "control.templates": ("/_emulator/templates",),
    "control.inbound": ("/_emulator/inbound",),
    "control.events": ("/_emulator/events",),
    "control.stream": ("/_emulator/events/stream",),
    "control.webhooks": ("/_emulator/webhooks",),
    "control.clock": ("/_emulator/clock",),
    "control.outcomes": ("/_emulator/outcomes",),
    "control.faults": ("/_emulator/faults",),
    "control.blocklists": ("/_emulator/blocklists",),
    "control.inbox": ("/_emulator/messages",),
    "control.messages": ("/_emulator/messages",),
    "control.fixtures": ("/_emulator/export", "/_emulator/import"),
    "control.requests": ("/_emulator/requests",),
    "control.snapshots": ("/_emulator/snapshots",),
    "control.work": ("/_emulator/drain",),
}
"""Modules with the paths their operations begin with, as in `api.SECTIONS`."""
