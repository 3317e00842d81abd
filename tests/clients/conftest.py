"""Original clients from npm, installed once under build/clients, and clusters with gateways."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "src"))

from original import Originals, install


@pytest.fixture(scope="session")
def packages():
    return install()


@pytest.fixture
def originals(packages):
    """A process with original clients; an exception that escapes one of them fails the test."""
    with Originals(packages) as process:
        yield process
