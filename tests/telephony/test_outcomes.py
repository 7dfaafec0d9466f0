"""
The table from SIP statuses and Q.850 causes to dispositions.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.adapters.sip.outcomes import CAUSES, PROOFS, STATUSES, disposition_of, proof_of, q850_cause
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import Proof

EXPECTED = {
    **dict.fromkeys([486, 600], Disposition.BUSY),
    **dict.fromkeys([480, 487], Disposition.NO_ANSWER),
    **dict.fromkeys([603, 607, 608], Disposition.REJECTED),
    **dict.fromkeys([404, 410, 484, 604], Disposition.INVALID_NUMBER),
    **dict.fromkeys([300, 301, 302, 400, 401, 402, 403, 405, 407, 408, 415, 420], Disposition.CARRIER_ERROR),
    **dict.fromkeys([481, 482, 483, 485, 488, 491, 500, 502, 503, 504, 606], Disposition.CARRIER_ERROR),
}


@pytest.mark.parametrize(("code", "expected"), EXPECTED.items())
def test_each_status_has_its_disposition(code: int, expected: Disposition) -> None:
    """
    A final status of the trunk decides, when no Reason header knows better.
    """
    assert expected == disposition_of(code=code, q850=None, rang=False, local=False)


def test_table_holds_no_status_untested() -> None:
    """
    Every row of the table is expected above.
    """
    assert set(STATUSES) <= set(EXPECTED)


@pytest.mark.parametrize(("cause", "expected"), CAUSES.items())
def test_q850_cause_beats_the_status(cause: int, expected: Disposition) -> None:
    """
    Gateways map many causes to one status, so the cause is believed.
    """
    assert expected == disposition_of(code=603, q850=cause, rang=False, local=False)


def test_unknown_q850_cause_leaves_the_status_to_decide() -> None:
    """
    Normal clearing says nothing about why nobody answered.
    """
    assert Disposition.BUSY == disposition_of(code=486, q850=16, rang=True, local=False)


def test_timeout_after_ringing_is_no_answer() -> None:
    """
    A trunk's 408 after a 180 means that nobody took the phone off.
    """
    assert Disposition.NO_ANSWER == disposition_of(code=408, q850=None, rang=True, local=False)


@given(code=st.integers(300, 699), rang=st.booleans())
def test_made_up_status_is_the_carriers_fault(code: int, rang: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    """
    A status that no trunk sent tells nothing about the callee.
    """
    assert Disposition.CARRIER_ERROR == disposition_of(code=code, q850=None, rang=rang, local=True)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *((code, Proof.PLACED) for code in (100, 180, 183, 199, 200, 202)),
        *((code, Proof.NOT_PLACED) for code in (302, 401, 403, 404, 407, 480, 486, 488, 500, 502, 503, 600, 603, 608)),
        *((code, Proof.AMBIGUOUS) for code in (408, 504, 499, 599, 699, 700, 99, 0, -1)),
    ],
)
def test_a_status_proves_what_its_row_says(code: int, expected: Proof) -> None:
    """
    A trunk that waited in vain proves nothing, as the phone may ring behind it; nor does a status that nobody knows.
    """
    assert expected is proof_of(code, local=False)


@given(code=st.integers(-1000, 1000))
def test_what_is_not_in_the_table_is_ambiguous(code: int) -> None:
    """
    Only a row gives a next attempt.
    """
    assert PROOFS.get(code, Proof.AMBIGUOUS) is proof_of(code, local=False)
    assert Proof.AMBIGUOUS is proof_of(code, local=True)


@given(code=st.integers(), q850=st.none() | st.integers(), rang=st.booleans(), local=st.booleans())
def test_any_status_has_a_disposition(code: int, q850: int | None, *, rang: bool, local: bool) -> None:
    """
    No number, however odd, is without an outcome.
    """
    assert isinstance(disposition_of(code=code, q850=q850, rang=rang, local=local), Disposition)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Q.850;cause=17"], 17),
        (['Q.850 ; cause = 17 ; text="User busy"'], 17),
        (['q.850;text="a, b; cause=3";cause=21'], 21),
        (['SIP;cause=486;text="Busy", Q.850;cause=18'], 18),
        (["SIP;cause=200", "Q.850;cause=34"], 34),
        (["SIP;cause=17"], None),
        (["Q.850;cause=1777"], None),
        (["Q.850"], None),
        ([], None),
    ],
)
def test_cause_is_read_from_reason_headers(headers: list[str], expected: int | None) -> None:
    """
    Only a Q.850 cause counts, wherever it stands.
    """
    assert expected == q850_cause(headers)


@given(st.lists(st.text() | st.text(alphabet='Q.850;cause=17"', max_size=40)))
def test_any_reason_header_is_safe(headers: list[str]) -> None:
    """
    Whatever a trunk writes, it is read without an exception.
    """
    cause = q850_cause(headers)

    assert cause is None or 0 <= cause <= 999
