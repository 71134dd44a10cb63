"""IP Allowlist: the addresses an account may be used from (facts/account.md, 6)."""

from fastapi import APIRouter

router = APIRouter(tags=["IP Allowlist"])
