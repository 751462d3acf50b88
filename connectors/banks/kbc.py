"""KBC, of the KBC group; facts and their certainty stand in `kbc.md`."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from connectors.families.kbc import GROUP_HOSTS, KbcConnector, user_hints
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof


class Kbc(KbcConnector):
    """KBC: the group's interface at its own host."""

    authorisation_params: ClassVar[Mapping[str, str]] = {"mainCompany": "0001"}
    profile = BankProfile(
        bank_id="kbc",
        name="KBC",
        bics=("KREDBEBB",),
        iban_bank_codes=("400-499", "640", "725-727", "730-731", "733-741", "743-749", "868"),
        family="kbc",
        sandbox_url="https://be.psd2.sandbox.kbc-group.com/psd2/v2",
        production_url="https://psd2.api.kbc.be/psd2/v2",
        hosts=GROUP_HOSTS,
        consent_validity=timedelta(days=90),
        id_trust=IdTrust.HIGH,
        gives_pending=Knowledge.NO,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 28),
        user_hints=user_hints("KBC"),
    )
