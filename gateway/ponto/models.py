"""Deliveries of Ponto that were taken."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from gateway.database import Base, Moment


class PontoDelivery(Base, table=True):
    """One delivery, told from a repeat by its id; global, since it names an account before its office is known.

    It holds ids of Ponto only. Kept for a day, much longer than a repeat can pass the other checks.
    """

    __tablename__ = "ponto_delivery"

    jti_hash: bytes = Field(primary_key=True)
    event_type: str = Field(max_length=80)
    bank_account_id: str | None = Field(default=None, max_length=200)
    received_at: datetime = Field(sa_type=Moment, index=True)
    """Real time."""
