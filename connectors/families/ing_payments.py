"""Payments at ING: those of the Berlin Group below `/v1`, each call with the application token, signed under its name.

The browser comes back to one address, whatever the PSU did: the status alone tells. The list of the bank's products
names no instant payment, and its file (`pain.001`) is not known to hold several: neither is offered. Source: published
answers of a client of 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from connectors.families.berlin_group_payments import BerlinGroupPayments, Permission
from connectors.payments import PaymentOffer

if TYPE_CHECKING:
    from connectors.families.ing import IngConnector


class IngPayments(BerlinGroupPayments):
    """Payments at the bank of one connector."""

    root: ClassVar[str] = "/v1"
    is_state_in_redirect_uri: ClassVar[bool] = True
    # The published calls carry no other header of the standard.
    start_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, bank: IngConnector, offer: PaymentOffer) -> None:
        super().__init__(bank, offer)
        self._ing = bank

    def permission(self, *, is_attended: bool) -> Permission:
        """Our own token, and the name it gives us to sign under."""
        token, client_id = self._ing.application(is_attended=is_attended)
        return Permission({"Authorization": f"Bearer {token}"}, client_id)
