"""Limits: what is refused beyond a threshold (facts/account.md, 10.2)."""

from fastapi import APIRouter

router = APIRouter(tags=["Limits"])
