"""Deliverability Alerts: who is told of what, and how (facts/account.md, 10.3)."""

from fastapi import APIRouter

router = APIRouter(tags=["Deliverability Alerts"])
