"""Reputation Analytics: what Google and Microsoft think of domains and IPs (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["Reputation Analytics"])
