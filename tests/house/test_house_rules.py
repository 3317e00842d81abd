"""The repository keeps its own rules; see rules.py for the list."""

from pathlib import Path

import pytest
import rules

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rule", rules.CHECKS, ids=lambda rule: rule.__name__)
def test_repository_keeps(rule):
    violations = list(rule(ROOT))
    assert not violations, "\n" + "\n".join(violations)
