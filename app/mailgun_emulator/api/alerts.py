"""Alerts: what is told when a figure passes a threshold (facts/account.md, 10.1)."""

from fastapi import APIRouter

router = APIRouter(tags=["Alerts"])
