"""In CI nothing is left out: tests/conftest.py makes a failure of every skip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

def test_that_needs_a_part():
    pytest.skip("the part is missing")

@pytest.mark.xfail(reason="known")
def test_that_is_known_to_fail():
    assert False

def test_that_passes():
    pass
"""
SKIPPED_WHOLE = "import pytest\n\npytest.skip('the part is missing', allow_module_level=True)\n"


@pytest.mark.parametrize(
    ("ci", "code", "counts"),
    [("", 0, "1 passed, 2 skipped, 1 xfailed"), ("true", 1, "1 failed, 1 passed, 1 xfailed, 1 error")],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, ci: str, code: int, counts: str) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_parts.py").write_text(SKIPPING)
    (tmp_path / "test_whole.py").write_text(SKIPPED_WHOLE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-q", "-rs"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "CI": ci}, capture_output=True, text=True)
    assert done.returncode == code
    assert counts in done.stdout
    assert "the part is missing" in done.stdout
