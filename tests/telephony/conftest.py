"""
What several tests of telephony share.
"""

from pathlib import Path

import pytest

from tests.telephony.tls_terminator import Certificate, make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """
    Return a certificate for loopback that nobody trusts unless told to.
    """
    folder: Path = tmp_path_factory.mktemp("certificate")
    return make_certificate(folder)
