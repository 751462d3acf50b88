"""Every text people read exists in nl, fr and de, and nothing else does (UIX-02)."""

from __future__ import annotations

import pytest

from gateway.i18n import extract, translate, translations


@pytest.fixture(scope="module")
def texts() -> list[extract.Text]:
    return extract.collect()


@pytest.mark.parametrize("language", extract.TARGETS)
def test_no_translation_is_missing_or_unused(language: str, texts: list[extract.Text]) -> None:
    assert extract.faults(language, texts) == []


def test_texts_of_every_kind_are_collected(texts: list[extract.Text]) -> None:
    wanted = {
        "Sign in",  # a template
        "Link not opened yet",  # a label
        "There is no client with this id",  # an error's title
        "The bank does not answer",  # bank trouble
        "The account number is missing.",  # a finding of sepa
        "There is no such client.",  # a field's fault
    }
    assert wanted <= {extract._key(text) for text in texts}


def test_plurals_follow_the_language() -> None:
    pair = ("%(num)s entry", "%(num)s entries")
    assert translations("fr").ngettext(*pair, 0) == translations("fr").ngettext(*pair, 1)
    assert translations("nl").ngettext(*pair, 0) == translations("nl").ngettext(*pair, 2)


def test_an_unknown_text_stays_english() -> None:
    assert translate("nl", "Nobody wrote this") == "Nobody wrote this"
