"""bench/delays.py, which writes docs/delays.md, runs on the package as it is, and its rows are what they say."""

import importlib.util
import pathlib
import sys
from types import ModuleType

import numpy as np
import pytest

PATH = pathlib.Path(__file__).parents[2] / "bench" / "delays.py"


@pytest.fixture(scope="module")
def delays() -> ModuleType:
    spec = importlib.util.spec_from_file_location("delays", PATH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["delays"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_every_family_gives_rows_and_nobody_beats_who_knows_everything(delays: ModuleType) -> None:
    rows = []
    for family in (delays.shares, delays.rates, delays.ratios, delays.gauges, delays.instances, delays.values):
        for make in list(family(12))[:2]:
            rows.append(make())
    for make in delays.changes(12):
        rows.append(make())
    for row in rows:
        assert len(row.methods) >= 1
        for name, found in row.methods.items():
            assert len(found) == len(row.oracle)
            assert ((found >= 1) | np.isinf(found)).all()
            if name not in ("confseq", "Pocock", "O'Brien-Fleming"):  # these know the variance
                assert np.mean(np.minimum(found, row.intervals)) >= 0.8 * np.mean(np.minimum(row.oracle, row.intervals))
    text = delays.table(rows[:2])
    assert text.count("\n") == 3


def test_the_oracle_is_an_e_process(delays: ModuleType) -> None:
    random = delays.generator(5)
    x_b, x_c = random.binomial(50, 0.3, (20_000, 5)), random.binomial(50, 0.3, (20_000, 5))
    e = np.exp(delays.grow(x_b, 50, x_c, 50, 0.3, 0.4)[:, -1])
    assert e.mean() < 1 + 4 * e.std() / np.sqrt(len(e))


def test_safestats_method_is_our_block_method(delays: ModuleType) -> None:
    row = next(delays.shares(40))()
    assert np.mean(row.methods["safestats"] == row.methods["block"]) > 0.9
