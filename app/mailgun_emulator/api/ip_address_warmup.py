"""IP Address Warmup: new IPs send more from stage to stage (facts/account.md, 5.4)."""

from fastapi import APIRouter

router = APIRouter(tags=["IP Address Warmup"])
