"""Words for the lexical side, asked for by several threads at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from index.tokens import stem


@pytest.fixture
def hurried() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    stem.cache_clear()
    yield
    sys.setswitchinterval(before)


def test_threads_do_not_disturb_each_other_while_stemming(hurried: None) -> None:
    words = [f"{first}{middle}ations" for first in ("gener", "consider", "oper") for middle in map(chr, range(97, 123))]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: [stem(f"{word}{number % 4 * 's'}") for word in words], range(16)))
    stem.cache_clear()
    assert found == [[stem(f"{word}{number % 4 * 's'}") for word in words] for number in range(16)]
