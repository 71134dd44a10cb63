"""Exports of events (facts/account.md, 12)."""

from fastapi import APIRouter

router = APIRouter(tags=["Exports"])
