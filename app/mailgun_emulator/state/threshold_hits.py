"""Hits: thresholds that were passed, by whom (facts/account.md, 10.1)."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, col, delete, select

from mailgun_emulator.state.thresholds import Threshold
from mailgun_emulator.state.transaction import Tx


class ThresholdHit(SQLModel, table=True):
    """`dimension_value` is the domain, the address, … whose figure passed the threshold; of a subaccount its id.

    It is `triggered` as long as the figure does; afterwards it is kept until `expires_at`. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "threshold_hit"
    __table_args__ = (UniqueConstraint("threshold_id", "dimension_value"),)
    id: str = Field(primary_key=True)
    threshold_id: str = Field(foreign_key="threshold.id", ondelete="CASCADE")
    dimension_value: str
    latest_value: str
    triggered: bool = True
    created_at: float
    updated_at: float
    expires_at: float | None = None


def list_all(tx: Tx) -> list[tuple[ThresholdHit, Threshold]]:
    """Of the account's thresholds, in the order they came up."""
    found = select(ThresholdHit, Threshold).join(Threshold).where(Threshold.account_id == tx.account_id)
    return list(tx.session.exec(found.order_by(col(ThresholdHit.created_at), col(ThresholdHit.id))))


def of(tx: Tx, threshold: Threshold) -> dict[str, ThresholdHit]:
    """By their dimension's values."""
    found = select(ThresholdHit).where(ThresholdHit.threshold_id == threshold.id)
    return {each.dimension_value: each for each in tx.session.exec(found)}


def trigger(
    tx: Tx, threshold: Threshold, known: ThresholdHit | None, value: str, latest: str
) -> ThresholdHit | None:
    """The figure passes the threshold. The hit, if it did not until now."""
    if known is None:
        made = ThresholdHit(
            id=tx.ids.uuid(),
            threshold_id=threshold.id,
            dimension_value=value,
            latest_value=latest,
            created_at=tx.now,
            updated_at=tx.now,
        )
        return tx.add(made)
    is_new = not known.triggered
    if is_new or known.latest_value != latest:
        known.triggered, known.expires_at = True, None
        known.latest_value, known.updated_at = latest, tx.now
    return known if is_new else None


def fall_back(tx: Tx, hit: ThresholdHit, latest: str | None, expires_at: float) -> None:
    """The figure does not pass it any more; `latest` is None if there is none."""
    if hit.triggered:
        hit.triggered, hit.updated_at, hit.expires_at = False, tx.now, expires_at
    if latest is not None and hit.latest_value != latest:
        hit.latest_value, hit.updated_at = latest, tx.now


def forget(tx: Tx, threshold: Threshold) -> None:
    """All of its hits."""
    tx.session.exec(delete(ThresholdHit).where(col(ThresholdHit.threshold_id) == threshold.id))


def expire(tx: Tx) -> None:
    """Those of the account that were over long enough ago."""
    own = select(Threshold.id).where(Threshold.account_id == tx.account_id)
    tx.session.exec(
        delete(ThresholdHit).where(
            col(ThresholdHit.threshold_id).in_(own), col(ThresholdHit.expires_at) <= tx.now
        )
    )
