"""PAY-09: names that are the same for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa.names import is_near_name, plain_name


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Bakkerij Korenhof Lindenaar BV", "BAKKERIJ KORENHOF LINDENAAR"),
        ("Atelier Béguin-Lefèvre SRL", "ATELIER BEGUIN LEFEVRE S.R.L."),
        ("Leieweve Textiel N.V.", "NV Leieweve Textiel"),
        ("Molens Oostkouter Comm.V.", "Molens Oostkouter"),
        ("Société anonyme Pré Vert", "Pré Vert SA"),
        ("Leieweve Textiel", "Leiewefe Textiel NV"),
        ("Bakkerij Korenhof Lindenaar", "Bakerij Korenhof Lindenaer"),
        ("Straßenbau GmbH", "Strassenbau"),
    ],
)
def test_these_are_the_same_name(left: str, right: str) -> None:
    assert is_near_name(left, right)
    assert is_near_name(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Bakkerij Korenhof Lindenaar BV", "Lien Lindenaar"),
        ("Peeters", "Peters"),
        ("Janssen Bouw", "Jansens Bauw"),
        ("Leieweve Textiel", "Leieweve Textiel Immo"),
        ("BV", "NV"),
        ("***", "..."),
        ("", ""),
    ],
)
def test_these_are_not(left: str, right: str) -> None:
    assert not is_near_name(left, right)


@given(st.text(max_size=40), st.text(max_size=40))
def test_which_one_comes_first_makes_no_difference(left: str, right: str) -> None:
    assert is_near_name(left, right) == is_near_name(right, left)
    assert is_near_name(left, left) or not plain_name(left)
