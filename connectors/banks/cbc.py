"""CBC, of the KBC group; facts and their certainty stand in `cbc.md`."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from connectors.families.kbc import GROUP_HOSTS, KbcConnector, user_hints
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof


class Cbc(KbcConnector):
    """CBC: the group's interface at its own host."""

    authorisation_params: ClassVar[Mapping[str, str]] = {"mainCompany": "0002"}
    profile = BankProfile(
        bank_id="cbc",
        name="CBC",
        bics=("CREGBEBB",),
        iban_bank_codes=("190-199", "728-729", "732", "742"),
        family="kbc",
        sandbox_url="https://be.psd2.sandbox.kbc-group.com/psd2/v2",
        production_url="https://psd2.api.cbc.be/psd2/v2",
        hosts=GROUP_HOSTS,
        consent_validity=timedelta(days=90),
        id_trust=IdTrust.HIGH,
        gives_pending=Knowledge.NO,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 28),
        user_hints=user_hints("CBC"),
    )
