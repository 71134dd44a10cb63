"""Blocklist Monitoring: what lists have IPs and domains (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["Blocklist Monitoring"])
