"""Typed ids."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from gateway.ids import PREFIXES, AccountId, decode, encode, new_id


@given(st.uuids(), st.sampled_from(sorted(PREFIXES)))
def test_an_id_survives_its_typed_form(value: UUID, kind: str) -> None:
    assert decode(kind, encode(kind, value)) == value


@given(st.text(max_size=40))
def test_no_other_text_is_an_id(text: str) -> None:
    try:
        value = decode("account", text)
    except ValueError:
        return
    assert encode("account", value) == text


def test_ids_made_later_sort_later() -> None:
    made = [new_id() for _ in range(3)]
    assert made[0].version == 7
    assert made[0].int >> 80 <= made[1].int >> 80 <= made[2].int >> 80


def test_an_id_of_another_kind_is_refused_by_a_shape() -> None:
    class Shape(BaseModel):
        account_id: Annotated[AccountId, "of an account"]

    value = new_id()
    assert Shape.model_validate({"account_id": encode("account", value)}).account_id == value
    assert Shape(account_id=value).model_dump(mode="json") == {"account_id": encode("account", value)}
    for wrong in (encode("payment", value), str(value), "", 5, None):
        with pytest.raises(ValidationError):
            Shape.model_validate({"account_id": wrong})
