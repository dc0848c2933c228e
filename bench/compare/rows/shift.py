"""The shift between two samples with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import serinus
from harness import Contender, Missing, Row, Tools, python
from rows.mann_whitney import pairs


def contenders(tools: Tools, size: int) -> Callable[[], Sequence[Contender | Missing]]:
    return lambda: [
        tools.native("Serinus", "hodges_lehmann", size, ours=True),
        python(
            "Serinus, from Python",
            lambda y, x: serinus.hodges_lehmann(y, x, confidence=0.98),
            pairs(size),
            ours=True,
        ),
        tools.native("C++, all differences, `std::nth_element`", "hodges_lehmann_all", size),
        tools.r("R, `wilcox.test(conf.int = TRUE)`", "hodges_lehmann", size),
        Missing("SciPy, statsmodels", "neither has an interval for the shift of two samples by ranks"),
    ]


def rows(tools: Tools) -> Iterator[Row]:
    title = "Hodges-Lehmann with its 98 % interval, unsorted"
    for size in (60, 600, 1440):
        yield Row(title, f"n = {size}", contenders(tools, size), goal=0.8e-3 if size == 1440 else None)
