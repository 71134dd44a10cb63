"""`/_emulator`: what Mailgun does not have."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "control.health": ("/_emulator/health",),
    "control.accounts": ("/_emulator/accounts", "/_emulator/reset"),
    "control.domains": ("/_emulator/domains",),
    "control.templates": ("/_emulator/templates",),
    "control.inbound": ("/_emulator/inbound",),
    "control.webhooks": ("/_emulator/webhooks",),
    "control.clock": ("/_emulator/clock",),
    "control.outcomes": ("/_emulator/outcomes",),
    "control.messages": ("/_emulator/messages",),
    "control.work": ("/_emulator/drain",),
}
"""Modules with the paths their operations begin with, as in `api.SECTIONS`."""
