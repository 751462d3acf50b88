"""From the wish for a consent to tokens, over real HTTP, and every way in which it can end."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from connectors.simulator import psu

BAKER = "lien.lindenaar"


def test_a_consent_leads_from_wish_to_account_data(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    asked = tpp.ask()
    assert asked.status == 201
    assert asked.json["consentStatus"] == "received"
    assert asked.headers["aspsp-sca-approach"] == "REDIRECT"
    callback = psu.approve(tpp.authorisation_url, BAKER)
    assert callback.startswith("http://127.0.0.1:1/callback?consent=con_1&code=")
    assert callback.endswith("&state=state-1")
    tokens = tpp.exchange(callback).json
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["scope"] == f"AIS:{tpp.consent_id}"
    accounts = tpp.get("/accounts?withBalance=true").json["accounts"]
    assert [item["iban"] for item in accounts] == ["BE34103071423390"]
    assert accounts[0]["ownerName"] == "Bakkerij Korenhof Lindenaar BV"


@pytest.mark.parametrize("bank_id", ["crelan", "keytrade", "nagelmackers", "vanbreda"])
def test_every_bank_serves_two_companies(sim, new_tpp, bank_id) -> None:
    for holder in sim.world.holders_at(bank_id):
        tpp = new_tpp(sim, bank_id, holder.holder_id)
        expected = [account.name for account in sim.world.accounts_of(holder.holder_id, bank_id)]
        assert [item["name"] for item in tpp.get("/accounts").json["accounts"]] == expected
    assert len(sim.world.holders_at(bank_id)) == 2


def test_every_answer_echoes_the_request_id(sim, http) -> None:
    request_id = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
    reply = http("GET", f"{sim.base_url('crelan')}/accounts", headers={"X-Request-ID": request_id})
    assert reply.headers["x-request-id"] == request_id


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"X-Request-ID": "7"}, "X-Request-ID"),
        ({"PSU-IP-Address": ""}, "PSU-IP-Address"),
        ({"TPP-Redirect-URI": "callback"}, "TPP-Redirect-URI"),
    ],
)
def test_a_wish_without_a_mandatory_header_is_refused(sim, new_tpp, headers, word) -> None:
    reply = new_tpp(sim, "crelan").ask(headers)
    assert (reply.status, reply.code) == (400, "FORMAT_ERROR")
    assert word in reply.json["tppMessages"][0]["text"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"access": {}}, "PARAMETER_NOT_SUPPORTED"),
        ({"access": {"allPsd2": "some"}}, "FORMAT_ERROR"),
        ({"frequencyPerDay": 5}, "FORMAT_ERROR"),
        ({"recurringIndicator": False}, "FORMAT_ERROR"),
        ({"validUntil": "soon"}, "FORMAT_ERROR"),
        ({"validUntil": "2026-11-19"}, "PERIOD_INVALID"),
    ],
)
def test_a_wish_the_bank_does_not_understand_is_refused(sim, new_tpp, changes, code) -> None:
    reply = new_tpp(sim, "crelan").ask(**changes)
    assert (reply.status, reply.code) == (400, code)


def test_the_bank_cuts_the_end_to_its_maximum(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask(validUntil="9999-12-31")
    consent = http("GET", f"{tpp.base}/consents/{tpp.consent_id}").json
    assert consent["validUntil"] == "2027-05-18"
    assert consent["access"] == {"allPsd2": "allAccounts"}


def test_a_wrong_verifier_gets_no_tokens_and_spends_the_code(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    callback = psu.approve(tpp.authorisation_url, BAKER)
    refused = tpp.exchange(callback, code_verifier="b" * 43)
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")
    assert tpp.exchange(callback).status == 400


def test_a_code_works_once(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    callback = psu.approve(tpp.authorisation_url, BAKER)
    assert tpp.exchange(callback).status == 200
    assert tpp.exchange(callback).json["error"] == "invalid_grant"


@pytest.mark.parametrize("changes", [{"redirect_uri": "http://127.0.0.1:1/other"}, {"client_id": "PSDBE-NBB-other"}])
def test_a_code_belongs_to_its_redirect_address_and_client(sim, new_tpp, changes) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    assert tpp.exchange(psu.approve(tpp.authorisation_url, BAKER), **changes).status == 400


def test_a_code_ages(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    callback = psu.approve(tpp.authorisation_url, BAKER)
    sim.clock.advance(minutes=11)
    assert tpp.exchange(callback).status == 400


def test_an_access_token_runs_out_and_is_renewed(sim, crelan) -> None:
    sim.clock.advance(minutes=61)
    refused = crelan.get("/accounts")
    assert (refused.status, refused.code) == (401, "TOKEN_EXPIRED")
    before = crelan.tokens["refresh_token"]
    renewed = crelan.refresh()
    assert "refresh_token" not in renewed.json
    assert crelan.tokens["refresh_token"] == before
    assert crelan.get("/accounts").status == 200


def test_a_bank_that_rotates_refresh_tokens_takes_each_once(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "keytrade", BAKER)
    first = tpp.tokens["refresh_token"]
    assert tpp.refresh().json["refresh_token"] != first
    assert tpp.refresh(first).json["error"] == "invalid_grant"


def test_a_consent_ends_after_its_last_day(sim, crelan) -> None:
    sim.clock.advance(days=179)
    crelan.refresh()
    assert crelan.get("/accounts").status == 200
    sim.clock.advance(days=1)
    assert crelan.get("/accounts").code == "CONSENT_EXPIRED"
    assert crelan.refresh().status == 400


def test_a_wish_nobody_approves_dies_after_three_days(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "keytrade")
    tpp.ask()
    sim.clock.advance(days=3)
    assert http("GET", f"{tpp.base}/consents/{tpp.consent_id}/status").json == {"consentStatus": "expired"}
    with pytest.raises(psu.PsuStopped, match="404"):
        psu.approve(tpp.authorisation_url, BAKER)


def test_a_one_off_consent_lives_twenty_minutes(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "keytrade", BAKER, recurringIndicator=False, frequencyPerDay=1)
    assert tpp.get("/accounts").status == 200
    sim.clock.advance(minutes=20)
    assert tpp.get("/accounts").code == "CONSENT_EXPIRED"


def test_a_psu_who_cancels_goes_back_with_an_error(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    callback = psu.cancel(tpp.authorisation_url, BAKER)
    assert "error=access_denied" in callback
    assert callback.endswith("state=state-1")
    assert http("GET", f"{tpp.base}/consents/{tpp.consent_id}/status").json == {"consentStatus": "rejected"}


def test_a_decision_is_made_once(sim, crelan) -> None:
    with pytest.raises(psu.PsuStopped, match="404"):
        psu.approve(crelan.authorisation_url, BAKER)


def test_a_deleted_consent_is_terminated_by_the_tpp(sim, crelan, http) -> None:
    own = f"{crelan.base}/consents/{crelan.consent_id}"
    assert http("DELETE", own).status == 204
    assert http("GET", f"{own}/status").json == {"consentStatus": "terminatedByTpp"}
    assert crelan.get("/accounts").code == "CONSENT_INVALID"
    assert http("DELETE", own).status == 204


def test_a_consent_revoked_at_the_bank_is_invalid_at_the_next_call(sim, crelan, http) -> None:
    revoked = http("POST", f"{sim.url}/sim/api/consents/{crelan.consent_id}/revocation", {})
    assert revoked.json["status"] == "revokedByPsu"
    refused = crelan.get("/accounts")
    assert (refused.status, refused.code) == (401, "CONSENT_INVALID")
    assert crelan.refresh().json["error"] == "invalid_grant"


def test_a_token_opens_its_own_consent_only(sim, crelan, new_tpp) -> None:
    other = new_tpp(sim, "crelan", "amelie.beguin")
    refused = crelan.get("/accounts", headers={"Consent-ID": other.consent_id})
    assert (refused.status, refused.code) == (401, "TOKEN_INVALID")
    assert crelan.get("/accounts", headers={"Consent-ID": "none"}).code == "CONSENT_UNKNOWN"
    assert crelan.get("/accounts", headers={"Authorization": "Bearer none"}).code == "TOKEN_INVALID"


def test_a_consent_of_one_bank_is_unknown_at_another(sim, crelan, http) -> None:
    assert http("GET", f"{sim.base_url('vanbreda')}/consents/{crelan.consent_id}").code == "CONSENT_UNKNOWN"


def test_an_account_gets_another_id_with_a_new_consent(sim, crelan, new_tpp, bakery_iban) -> None:
    renewal = new_tpp(sim, "crelan", BAKER)
    assert renewal.account(bakery_iban) != crelan.account(bakery_iban)


@pytest.mark.parametrize(("bank_id", "status"), [("crelan", 200), ("keytrade", 401)])
def test_whether_a_new_consent_ends_the_old_one_depends_on_the_bank(sim, new_tpp, bank_id, status) -> None:
    old = new_tpp(sim, bank_id, BAKER)
    new = new_tpp(sim, bank_id, BAKER)
    assert old.get("/accounts").status == status
    assert new.get("/accounts").status == 200


def test_an_abandoned_renewal_leaves_the_old_consent_alone(sim, new_tpp) -> None:
    old = new_tpp(sim, "keytrade", BAKER)
    renewal = new_tpp(sim, "keytrade")
    renewal.ask()
    psu.cancel(renewal.authorisation_url, BAKER)
    assert old.get("/accounts").status == 200


def test_a_detailed_consent_covers_the_accounts_and_rights_it_names(sim, new_tpp, http) -> None:
    named = [{"iban": "BE31645102938455"}]
    tpp = new_tpp(sim, "vanbreda", "pieter.dhaenekint", access={"accounts": named, "balances": named})
    accounts = tpp.get("/accounts").json["accounts"]
    assert [item["iban"] for item in accounts] == ["BE31645102938455"]
    path = f"/accounts/{accounts[0]['resourceId']}"
    assert tpp.get(f"{path}/balances").status == 200
    assert tpp.get(f"{path}/transactions?bookingStatus=booked&dateFrom=2026-11-01").code == "CONSENT_INVALID"
    granted = http("GET", f"{tpp.base}/consents/{tpp.consent_id}").json["access"]
    assert granted["balances"] == [{"iban": "BE31645102938455", "currency": "EUR"}]
    assert granted["transactions"] == []


def test_a_detailed_consent_for_accounts_of_somebody_else_is_not_granted(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "vanbreda")
    tpp.ask(access={"accounts": [{"iban": "BE31645102938455"}]})
    with pytest.raises(psu.PsuStopped, match="400"):
        psu.approve(tpp.authorisation_url, "erik.wouters")


def test_the_psu_chooses_the_accounts_of_a_bank_offered_consent(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "vanbreda")
    tpp.ask(access={"accounts": [], "balances": [], "transactions": []})
    callback = psu.approve(tpp.authorisation_url, "pieter.dhaenekint", accounts=["BE31 6451 0293 8455"])
    tpp.exchange(callback)
    assert [item["iban"] for item in tpp.get("/accounts").json["accounts"]] == ["BE31645102938455"]


def test_a_bank_offered_consent_needs_at_least_one_account(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "vanbreda")
    tpp.ask(access={"accounts": [], "balances": [], "transactions": []})
    with pytest.raises(psu.PsuStopped, match="400"):
        psu.approve(tpp.authorisation_url, "pieter.dhaenekint", accounts=[])


def test_the_sca_status_follows_the_psu(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    address = tpp.ask().json["_links"]["scaStatus"]["href"]
    assert http("GET", address).json == {"scaStatus": "received"}
    psu.approve(tpp.authorisation_url, BAKER)
    assert http("GET", address).json == {"scaStatus": "finalised"}


def test_a_foreign_redirect_address_is_shown_as_an_error_and_not_followed(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    changed = urlencode(tpp.authorisation(redirect_uri="https://attacker.example/"))
    reply = http("GET", f"{tpp.authorisation_url.partition('?')[0]}?{changed}")
    assert reply.status == 400
    assert "location" not in reply.headers


@pytest.mark.parametrize(
    "changes", [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"scope": "AIS:other"}]
)
def test_an_authorisation_request_that_is_wrong_goes_back_to_the_tpp(sim, new_tpp, http, changes) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    changed = urlencode(tpp.authorisation(**changes))
    reply = http("GET", f"{tpp.authorisation_url.partition('?')[0]}?{changed}")
    assert reply.status == 303
    assert "error=invalid_request" in reply.headers["location"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("nl-BE,nl;q=0.9", "Aanmelden"), ("fr-BE;q=0.8,de", "S&#39;identifier"), ("de", "Sign in"), ("", "Sign in")],
)
def test_the_banks_page_speaks_the_language_of_the_browser(sim, new_tpp, http, wanted, words) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    reply = http("GET", tpp.authorisation_url, headers={"Accept-Language": wanted})
    assert words in reply.content.decode()
    assert re.search(r'<html lang="(nl|fr|en)">', reply.content.decode())


def test_the_banks_page_shows_what_the_tpp_says_as_text_only(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    address = f"{tpp.authorisation_url.partition('?')[0]}"
    shown = http("GET", f"{address}?{urlencode(tpp.authorisation(client_id='<b>big</b>'))}")
    cookie = shown.headers["set-cookie"].partition(";")[0]
    form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    assert http("POST", f"{address}/holder", f"holder={BAKER}", form).status == 303
    page = http("GET", f"{address}/consent", headers={"Cookie": cookie}).content.decode()
    assert "&lt;b&gt;big" in page
    assert "<b>" not in page


def test_a_decision_without_the_cookie_of_the_visit_is_refused(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    address = f"{tpp.authorisation_url.partition('?')[0]}/decision"
    assert http("POST", address, "decision=approve").status == 400


def test_an_unknown_holder_cannot_sign_in(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    tpp.ask()
    assert psu.holders(tpp.authorisation_url) == ["lien.lindenaar", "amelie.beguin"]
    with pytest.raises(psu.PsuStopped, match="holder"):
        psu.approve(tpp.authorisation_url, "pieter.dhaenekint")


def test_an_unknown_bank_is_not_found(sim, http) -> None:
    assert http("POST", f"{sim.base_url('nobank')}/consents", {}).status == 404


def test_a_joint_signature_leaves_the_consent_half_authorised_until_the_second_signatory_signs(
    sim, new_tpp, http
) -> None:
    sim.faults.order("joint_signature", bank_id="crelan")
    tpp = new_tpp(sim, "crelan", BAKER)
    status = f"{tpp.base}/consents/{tpp.consent_id}/status"
    assert http("GET", status).json == {"consentStatus": "partiallyAuthorised"}
    assert tpp.get("/accounts").code == "CONSENT_INVALID"
    desk = f"{sim.url}/sim/api/consents/{tpp.consent_id}/signature"
    assert http("POST", desk, {}).status == 200
    assert http("POST", desk, {}).status == 409
    assert http("GET", status).json == {"consentStatus": "valid"}
    assert tpp.get("/accounts").status == 200
    assert new_tpp(sim, "crelan", BAKER).get("/accounts").status == 200


def test_a_second_signature_that_never_comes_ends_the_consent(sim, new_tpp) -> None:
    sim.faults.order("joint_signature")
    sim.faults.order("status", endpoint="balances")
    tpp = new_tpp(sim, "crelan", BAKER)
    sim.clock.advance(days=3)
    assert tpp.get("/accounts").code == "CONSENT_EXPIRED"
    assert [fault.used for fault in sim.faults.listing()] == [1, 0]
