"""
Carriers for the suite: each test runs on every adapter.
"""

from pathlib import Path

import pytest

from tests.contract.carrier.under_test import CarrierUnderTest, SimulatorUnderTest, SipUnderTest


@pytest.fixture(params=["simulator", pytest.param("sip", marks=pytest.mark.sip)])
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> CarrierUnderTest:
    """
    Each carrier in turn.
    """
    return SimulatorUnderTest() if request.param == "simulator" else SipUnderTest(tmp_path)
