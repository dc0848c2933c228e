"""What type checkers are told is what there is."""

from pathlib import Path

import pytest
import serinus
from stubs import stubs


@pytest.mark.parametrize("name", ["_core.pyi", "__init__.pyi"])
def test_a_stub_is_what_the_package_says(name: str) -> None:
    told = (Path(serinus.__file__).parent / name).read_text(encoding="utf-8")
    assert told == stubs()[name], "python tests/python/stubs.py --write"
