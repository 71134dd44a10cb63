"""The signature by which a receiver knows that a post is Mailgun's (facts/sending.md, 4.5)."""

import hmac


def sign(key: str, timestamp: int | str, token: str) -> str:
    """HMAC-SHA256 of `timestamp` (seconds since 1970) and `token`, in hex; `key` is the account's signing key."""
    return hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
