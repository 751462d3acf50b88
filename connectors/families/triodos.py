"""Triodos Bank Belgium: Berlin Group 1.3.6 with OpenID Connect, one tenant per language of its site.

A consent becomes valid only when we confirm its authorisation after the tokens were given. Source: the bank's developer
portal and a published client of 2023.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from connectors import signing, text
from connectors.base import Need
from connectors.dialect import Dialect
from connectors.errors import BankAnswerInvalid, OperatorError
from connectors.families.berlin_group import BerlinGroupConnector, ConsentModel
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.http import CallKind
from connectors.key_ids import KeyIdForm
from connectors.model import ConsentHandle, PsuContext, TokenSet
from connectors.oauth import ServerMetadata
from connectors.signing import SignatureProfile

API_PATH: Final = "/xs2a-bg/"
OAUTH_PATH: Final = "/auth/"

USER_HINTS: Final = {
    "nl": "Kies de Triodos-site in de taal waarin u bij de bank aanmeldt. Per toestemming kiest u één zichtrekening: "
    "geef voor elke rekening een eigen toestemming, en blijf daarna nog even op deze pagina.",
    "fr": "Choisissez le site Triodos dans la langue dans laquelle vous vous connectez. Une autorisation porte sur un "
    "seul compte à vue : donnez-en une pour chaque compte, et restez ensuite un moment sur cette page.",
    "en": "Choose the Triodos site in the language in which you sign in there. One permission covers one current "
    "account: give one for each account, and stay on this page for a moment afterwards.",
    "de": "Wählen Sie die Triodos-Seite in der Sprache, in der Sie sich dort anmelden. Eine Zustimmung gilt für ein "
    "Girokonto: Geben Sie für jedes Konto eine eigene, und bleiben Sie danach noch kurz auf dieser Seite.",
}
DIALECT: Final = Dialect(
    is_unsigned=True,
    id_fields=("transactionId",),
    # Two letters (OV, BA) of no published list.
    is_proprietary_code_wording=False,
)


class TriodosConnector(BerlinGroupConnector):
    """The bank's interface; the tenant is part of the address."""

    signature: ClassVar[SignatureProfile | None] = signing.TRIODOS
    key_id_form: ClassVar[KeyIdForm] = KeyIdForm.LOWER_HEX_RFC1779
    registered: ClassVar[frozenset[Need]] = frozenset({Need.CLIENT_SECRET})
    consent_model: ClassVar[ConsentModel] = ConsentModel.BANK_OFFERED
    is_state_in_redirect_uri: ClassVar[bool] = False
    can_read_consent_details: ClassVar[bool] = False
    dialect: ClassVar[Dialect] = DIALECT

    def authorisation_server(self) -> ServerMetadata:
        """The tenant's OAuth addresses; the link the bank gives lacks state and challenge, so it is not used."""
        root = self.endpoint.base_url.replace(API_PATH, OAUTH_PATH, 1)
        return ServerMetadata(f"{root}/auth", f"{root}/token")

    def scope(self, bank_consent_id: str) -> str:
        """OpenID and a refresh token besides the consent."""
        return f"openid offline_access AIS:{bank_consent_id}"

    def token_headers(self) -> Mapping[str, str]:
        """The client signs in with the secret of its registration (`client_secret_basic`, RFC 6749, 2.3.1)."""
        if self.endpoint.client_secret is None:
            raise OperatorError("the client secret of the registration is not set", bank_id=self.profile.bank_id)
        pair = f"{quote(self.endpoint.client_id, safe='')}:{quote(self.endpoint.client_secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def kept_of(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The id of the authorisation, to confirm it."""
        authorisation_id = text.present(body.get("authorisationId"))
        if authorisation_id is None:
            raise BankAnswerInvalid("the bank gave no authorisation id", bank_id=self.profile.bank_id)
        return {"authorisation_id": authorisation_id}

    def confirm_consent(self, handle: ConsentHandle, tokens: TokenSet, psu: PsuContext | None) -> None:
        """Without this call the consent stays `received` for ever."""
        authorisation_id = segment(handle.private["authorisation_id"])
        self.call(
            "PUT",
            f"/consents/{segment(handle.bank_consent_id)}/authorisations/{authorisation_id}",
            "/consents/{id}/authorisations/{id}",
            CallKind.CONSENT,
            headers={**psu_headers(psu), "Authorization": f"Bearer {tokens.access_token}"},
            json={},
            is_attended=psu is not None,
        )

    def link(self, value: object) -> str | None:
        """Links begin with the tenant and leave out what stands before it in the address of the interface."""
        tenant = "/" + "/".join(self.endpoint.base_url.rsplit("/", 2)[1:])
        if isinstance(value, str) and value.startswith(f"{tenant}/"):
            value = self.endpoint.base_url + value.removeprefix(tenant)
        return super().link(value)
