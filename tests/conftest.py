"""What holds for every test: no setting from outside, and in CI no test left out."""

import os
from collections.abc import Generator

import pytest

IN_CI = bool(os.environ.get("CI"))

for _name in [name for name in os.environ if name.startswith("MUREUM_") and name != "MUREUM_MODELS"]:
    del os.environ[_name]


def _require(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI a skip is a failure: a part that a test needs and does not find would otherwise go unnoticed."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See _require."""
    report = yield
    _require(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See _require; a whole file can be left out, too."""
    report = yield
    _require(report)
    return report
