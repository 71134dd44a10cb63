"""Inspect: what is amiss with a message (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["Inspect"])
