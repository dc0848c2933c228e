"""Results as Markdown."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness import Native, Result

BEGIN, END = "<!-- compare: begin -->", "<!-- compare: end -->"


def duration(seconds: float) -> str:
    for unit, size in [("s", 1.0), ("ms", 1e-3), ("us", 1e-6)]:
        if seconds >= size:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def ratio(value: float) -> str:
    return f"{value:,.0f}x" if value >= 9.95 else f"{value:.1f}x" if value >= 1.95 else f"{value:.2f}x"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def goals(results: Sequence[Result]) -> str:
    """What was aimed at: the best of the others, ours, and how many times faster."""
    rows = [["work", "best of the others", "Serinus", "times faster", "goal"]]
    for result in results:
        for name, goal in zip(result.ours, (result.row.goal, result.row.second_goal)):
            if goal is None:
                continue
            mine = result.seconds[name]
            best = min(result.others, key=lambda other: result.seconds[other], default=None)
            work = f"{result.row.group}, {result.row.work}" + ("" if name == result.ours[0] else f": {name}")
            rows.append(
                [
                    work,
                    f"{best} {duration(result.seconds[best])}" if best else "nobody has it",
                    duration(mine),
                    ratio(result.seconds[best] / mine) if best else "",
                    f"{duration(goal)}{'' if mine <= goal else ', missed'}",
                ]
            )
    return _table(rows) if len(rows) > 1 else ""


def group(title: str, results: Sequence[Result]) -> str:
    """One table: contenders by works, whichever are more going down."""
    names = list(dict.fromkeys(name for result in results for name in result.names))
    notes: dict[str, int] = {}

    def cell(result: Result, name: str) -> str:
        if name in result.missing:
            return f"no [{notes.setdefault(result.missing[name], len(notes) + 1)}]"
        if name not in result.seconds:
            return "not timed"
        text = duration(result.seconds[name])
        if name != result.ours[0]:
            text += f" ({ratio(result.ratios[name])})"
        return f"**{text}**" if name in result.ours else text

    works = [result.row.work for result in results]
    cells = [[cell(result, name) for result in results] for name in names]
    if len(works) > len(names):
        cells = [list(column) for column in zip(*cells)]
        names, works = works, names
    text = f"### {title}\n\n{_table([['', *works], *([name, *line] for name, line in zip(names, cells))])}\n"
    if notes:
        text += "\n" + "; ".join(f"[{number}] {why}" for why, number in notes.items()) + ".\n"
    return text


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
            if line.startswith("cpu family"):
                family = line.split(":", 1)[1].strip()
            if line.startswith("model\t"):
                number = line.split(":", 1)[1].strip()
        return f"{model} (family {family}, model {number})"
    except (OSError, UnboundLocalError):
        return platform.processor() or platform.machine()


def _first_line(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0] if (done.stdout or done.stderr) else ""


def machine(native: Native, load: tuple[float, float, float], rounds: int) -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in ("numpy", "scipy", "statsmodels", "numba", "pandas", "confseq", "savvi", "serinus"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    versions += [v for v in (_first_line("R", "--version"), _first_line("go", "version")) if v]
    vectors = "AVX2, no AVX-512" if native.avx2 else "no AVX2"
    if native.avx512:
        vectors = "AVX-512, which NumPy and vqsort take where nothing else is said, and Serinus does not"
    return (
        f"{_cpu()}, {os.cpu_count()} cores, {vectors}; {native.compiler}, -O3 for "
        f"any x86-64; {', '.join(versions)}. {datetime.date.today().isoformat()}, load {load[0]:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after; medians of {rounds} rounds.\n"
    )


def document(native: Native, results: Sequence[Result], load: tuple[float, float, float], rounds: int) -> str:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.row.group, []).append(result)
    parts = [machine(native, load, rounds)]
    if summary := goals(results):
        parts.append(summary + "\n")
    parts += [group(title, of_title) for title, of_title in groups.items()]
    return "\n".join(parts)


def write(path: Path, text: str) -> None:
    """Between the two marks if the file has them, else as the whole file."""
    old = path.read_text() if path.exists() else ""
    if BEGIN in old and END in old:
        before, rest = old.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        text = f"{before}{BEGIN}\n{text}{END}{after}"
    path.write_text(text)
