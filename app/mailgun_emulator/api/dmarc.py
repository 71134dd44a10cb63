"""DMARC: what reports say of a domain's mail (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["DMARC"])
