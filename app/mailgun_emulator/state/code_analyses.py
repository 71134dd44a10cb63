"""E-mails whose code was looked at (facts/account.md, 11.6)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.transaction import Tx


class CodeAnalysisNotFound(NotFound):
    """Mailgun's own words are not known."""

    message = "test not found"


class CodeAnalysis(SQLModel, table=True):
    """`html` is what was looked at, `found` (JSON) what was found. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "code_analysis"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    html: str
    found: str
    created_at: float


def list_all(tx: Tx) -> list[CodeAnalysis]:
    """The latest first."""
    own = select(CodeAnalysis).where(CodeAnalysis.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(CodeAnalysis.created_at).desc(), col(CodeAnalysis.id))))


def create(tx: Tx, html: str, found: str) -> CodeAnalysis:
    made = CodeAnalysis(
        id=tx.ids.object_id(), account_id=tx.account_id, html=html, found=found, created_at=tx.now
    )
    return tx.add(made)


def get(tx: Tx, test_id: str) -> CodeAnalysis:
    kept = tx.session.get(CodeAnalysis, test_id)
    if kept is None or kept.account_id != tx.account_id:
        raise CodeAnalysisNotFound
    return kept


def delete(tx: Tx, test_id: str) -> None:
    tx.session.delete(get(tx, test_id))
