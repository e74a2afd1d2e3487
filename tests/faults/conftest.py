"""How often faults are tried, and the table of what came of them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

FULL = os.environ.get("FAULTS") == "1"
_FIGURES: list[tuple[str, str]] = []


@pytest.fixture
def times() -> Callable[[int, int], int]:
    """``times(full, short)``: how often a fault is tried in `make faults`, and in the suite."""
    return lambda full, short: full if FULL else short


@pytest.fixture
def figure() -> Callable[[str, str], None]:
    """``figure(fault, found)`` puts a line into the table that is printed at the end of the run."""
    return lambda fault, found: _FIGURES.append((fault, found))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _FIGURES and FULL:
        terminalreporter.section("figures")
        for fault, found in _FIGURES:
            terminalreporter.write_line(f"{fault:<34} {found}")
