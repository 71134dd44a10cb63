"""How long a `web` key goes on when nobody uses it: it is a session's (facts/account.md, 7 and 9.1)."""

from fastapi import Request

from mailgun_emulator.state import account_settings
from mailgun_emulator.state.keys import Credential
from mailgun_emulator.state.transaction import Tx


def goes_on(request: Request, tx: Tx, key: Credential) -> bool:
    """Used now, and not too long after it was used last; a server that has just started knows of no earlier use."""
    state = request.app.state
    if not hasattr(state, "sessions_used_at"):
        state.sessions_used_at = {}
    used_at: dict[str, float] = state.sessions_used_at
    longest = account_settings.find(tx, account_settings.INACTIVE_TIMEOUT)
    if longest is not None and tx.now - used_at.get(key.id, tx.now) > longest:
        return False
    used_at[key.id] = tx.now
    return True
