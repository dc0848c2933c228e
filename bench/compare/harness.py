"""Contenders, rows, and how they are timed. See bench/README.md."""

from __future__ import annotations

import ctypes
import itertools
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Contender:
    """Someone who does the work of a row. `run(times)` does it so many times and gives the seconds that took."""

    name: str
    run: Callable[[int], float]
    ours: bool = False
    units: float = 1  # how many units of the row's work one time is (pairs in a batch): the table has the time of one
    what_if: bool = False  # nobody could pick it: ours with a part of somebody else's


@dataclass
class Missing:
    """Someone who cannot do the work of a row, or is not there; the table says why."""

    name: str
    why: str


@dataclass
class Row:
    """One work. The first contender that is ours is what the others are compared with."""

    group: str  # the table that it is a column of
    work: str  # its column
    contenders: Callable[[], Sequence[Contender | Missing]]  # makes the data; they go when the row is done
    goal: float | None = None  # the seconds that were aimed at, for the first of ours
    second_goal: float | None = None  # for the second of ours


@dataclass
class Result:
    row: Row
    names: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # that one could pick instead
    seconds: dict[str, float] = field(default_factory=dict)  # of one unit, median
    ratios: dict[str, float] = field(default_factory=dict)  # to the first of ours, median over rounds
    missing: dict[str, str] = field(default_factory=dict)


def measure(row: Row, rounds: int, least: float) -> Result:
    """Every contender once in each round, in turn, so that what the machine does meanwhile hits all alike.

    A contender does its work as often as takes `least` seconds; one that takes a second for one time is in the first
    three rounds only. First all are warmed up. The ratio is the median over rounds of the ratios within a round.
    """
    made = row.contenders()
    contenders = [c for c in made if isinstance(c, Contender)]
    result = Result(row, [c.name for c in made], [c.name for c in contenders if c.ours])
    result.others = [c.name for c in contenders if not c.ours and not c.what_if]
    result.missing = {c.name: c.why for c in made if isinstance(c, Missing)}
    times: dict[str, int] = {}
    for contender in contenders:
        contender.run(1)
        count = 1
        while (took := contender.run(count)) < least / 4 and count < 10**8:
            count *= 4
        times[contender.name] = max(1, round(count * least / max(took, 1e-9)))
    seconds: dict[str, list[float]] = {c.name: [] for c in contenders}
    for turn in range(rounds):
        order = contenders if turn % 2 == 0 else contenders[::-1]
        for contender in order:
            known = seconds[contender.name]
            if turn >= 3 and known and known[0] * contender.units > 1:
                continue
            count = times[contender.name]
            known.append(contender.run(count) / count / contender.units)
    first = result.ours[0]
    for contender in contenders:
        mine = seconds[contender.name]
        result.seconds[contender.name] = statistics.median(mine)
        result.ratios[contender.name] = statistics.median(a / b for a, b in zip(mine, seconds[first]))
    return result


class Native:
    """The C++ side: bench/compare/native.cpp."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.serinus_compare_make.restype = ctypes.c_void_p
        self._library.serinus_compare_make.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        self._library.serinus_compare_run.restype = ctypes.c_double
        self._library.serinus_compare_run.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_int]
        self._library.serinus_compare_free.argtypes = [ctypes.c_void_p]
        self._library.serinus_compare_compiler.restype = ctypes.c_char_p
        self.avx2 = bool(self._library.serinus_compare_avx2())
        self.avx512 = bool(self._library.serinus_compare_avx512())
        self.compiler: str = self._library.serinus_compare_compiler().decode()

    def __call__(
        self,
        name: str,
        entry: str,
        size: int,
        *,
        ours: bool = False,
        units: float = 1,
        wall: bool = False,
        what_if: bool = False,
    ) -> Contender | Missing:
        made = self._library.serinus_compare_make(entry.encode(), size)
        if not made:
            return Missing(name, "not in this build")
        kept = _Kept(self._library, made)

        def run(times: int) -> float:
            return float(self._library.serinus_compare_run(kept.made, times, int(wall)))

        return Contender(name, run, ours, units, what_if)


class _Kept:
    """Data that live as long as someone may work on them."""

    def __init__(self, library: Any, made: int) -> None:
        self.library, self.made = library, made

    def __del__(self) -> None:
        self.library.serinus_compare_free(self.made)


class Program:
    """Another program that answers lines "NAME SIZE TIMES" with seconds: peers.R, go/main.go."""

    def __init__(self, command: list[str] | None, why_not: str) -> None:
        self._why_not = why_not
        self._process: subprocess.Popen[str] | None = None
        if command:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, name: str, entry: str, size: int) -> Contender | Missing:
        process = self._process
        if process is None:
            return Missing(name, self._why_not)

        def run(times: int) -> float:
            assert process.stdin and process.stdout
            process.stdin.write(f"{entry} {size} {times}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                raise RuntimeError(f"{name} ended at {entry} {size}")
            return float(answer)

        return Contender(name, run)

    def close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()


def python(
    name: str,
    call: Callable[..., object],
    data: Sequence[tuple[Any, ...]],
    *,
    ours: bool = False,
    units: float = 1,
    wall: bool = False,
) -> Contender:
    """A function of Python, called with one tuple of `data` after the other."""
    turn = itertools.cycle(data)
    clock = time.perf_counter if wall else time.thread_time

    def run(times: int) -> float:
        start = clock()
        for arguments in itertools.islice(turn, times):
            call(*arguments)
        return clock() - start

    return Contender(name, run, ours, units)


@dataclass
class Tools:
    """What rows are made with."""

    native: Native
    r: Program
    go: Program
    quick: bool  # smaller data, for a try
