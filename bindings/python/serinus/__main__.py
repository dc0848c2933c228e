"""The command `serinus`, also `python -m serinus`: the same commands, answers and exit codes as the C++ program."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from . import _core
from ._errors import Error

_EXIT_CODES = """\
Exit codes:
  0  promote        1  rollback       2  usage or bad input
  3  hold           4  no data (hold, and no metric has any)
"""

_JUDGE = """\
DATA is CSV in long form, one sample a row:
  timestamp,series,arm,value[,instance][,stage]
  2026-11-22T21:21:29Z,http_requests,baseline,806
  2026-11-22T21:21:29Z,http_requests,canary,9
or a document of Prometheus answers, one a series of the plan:
  {"http_requests": {"status": "success", "data": {...}}, "http_errors": {...}}
whose label "track" is "stable" or "canary" (the plan's "arms" can say otherwise).

Without --now the data count as complete, and all of them are judged at once.
With --now the answer is what a watcher would have said at that time: later
samples are left out, intervals that have not settled wait, and silence since
the newest sample makes the data stale.

"""

_CALIBRATE = """\
HISTORY is data of the plan's series in the same formats as for judge, from a
time when both arms ran one version. Best are 1,500 intervals or more of
  several instances of the baseline (column "instance"): they take turns as the
  canary, and five or more tell how far instances differ by themselves;
  or both arms: then what they differ by themselves is subtracted.

A gauge whose rollout has several instances (3, or 2 and one that history still
knows) is judged between them, and needs no history. Former releases (--release:
the data of a rollout, or a folder of such files) tell more of how far instances
differ. Without instances and without its noise a gauge decides nothing; counts
are then taken as independent.
With --output the plan is written with its noise, for judge.

Exit codes:
  0  every metric was learned     2  usage or bad input
  3  some metrics were not        4  none was
"""

_BURN = """\
DATA is data in the same formats as for judge; Prometheus answers need no label
"track" here. The series are cumulative counters (--deltas: counts since the
sample before). Burn 1 spends exactly the budget in
exactly the period. The alerts are those of the Site Reliability Workbook: page
for 2 % of the budget in 1 h or 5 % in 6 h, ticket for 10 % in 1 d or 3 d. With
--rules they are written as Prometheus rules; --bad and --total are selectors then.

Examples:
  serinus burn data.csv --bad http_errors --total http_requests --target 99.9%
  serinus burn data.csv --good ok --total all --budget 0.001 --period 28d
  serinus burn data.csv --bad e --total n --target 99.9% --arm canary
  serinus burn --rules --name availability --target 99.9% \\
    --bad 'http_requests_total{code=~"5.."}' --total http_requests_total

Exit codes:
  0  nothing fires      1  a page fires     2  usage or bad input
  3  a ticket fires, or there are too few events to say      4  no data
"""

_CAPABILITIES = """\
judges  proportion (bad of total) and gauge (one value an interval), margins as ratio or difference,
        harm by increase, decrease or either
learns  the noise of both from history
reads   plans in JSON; data in CSV (long form) or as Prometheus API documents
writes  text, JSON
"""

_BAD = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _core.write_error(f"usage: {message}; serinus --help and serinus judge --help say more")
        sys.exit(_BAD)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="serinus",
        description="Serinus decides from metrics whether a canary release is safe: promote, hold or roll back.",
        epilog="serinus judge --help shows the data formats.\n\n" + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"serinus {_core.version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    judge = commands.add_parser(
        "judge",
        help="Judge a rollout by its plan and all its data",
        epilog=_JUDGE + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    judge.add_argument("plan", metavar="PLAN", help="The plan, a JSON file")
    judge.add_argument(
        "data", metavar="DATA", nargs="+", help="The data: files, taken together; - is standard input"
    )
    _answer(judge)
    judge.add_argument("--now", metavar="TIME", help="Decide as of this time: RFC 3339 or Unix time")
    calibrate = commands.add_parser(
        "calibrate",
        help="Learn from history how two arms of one version differ",
        epilog=_CALIBRATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    calibrate.add_argument("plan", metavar="PLAN", help="The plan, a JSON file")
    calibrate.add_argument(
        "data", metavar="HISTORY", nargs="+", help="The data: files, taken together; - is standard input"
    )
    calibrate.add_argument(
        "--release",
        metavar="PATH",
        action="append",
        default=[],
        help="Data of a former release: a file, or a folder of them; may be repeated",
    )
    calibrate.add_argument("--output", metavar="FILE", help="Write the plan with its noise here")
    _answer(calibrate)
    burn = commands.add_parser(
        "burn",
        help="How fast a service spends its error budget",
        epilog=_BURN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    burn.add_argument("data", metavar="DATA", nargs="*", help="The data: files, taken together; - is standard input")
    burn.add_argument("--bad", metavar="SERIES", default="", help="The series that counts bad events")
    burn.add_argument("--good", metavar="SERIES", default="", help="The series that counts good events")
    burn.add_argument("--total", metavar="SERIES", default="", help="The series that counts all events")
    burn.add_argument("--target", metavar="TARGET", default="", help="What is promised: 99.9%% or 0.999")
    burn.add_argument("--budget", metavar="SHARE", default="", help="Instead: the share that may be bad, 0.001")
    burn.add_argument("--period", metavar="DURATION", default="30d", help="The period of the budget; default 30d")
    burn.add_argument("--windows", metavar="DURATIONS", default="", help="More windows to show: 10m,12h")
    burn.add_argument(
        "--semantics",
        choices=["exact", "prometheus2", "prometheus3"],
        default="exact",
        help="What an increase is; default exact",
    )
    burn.add_argument(
        "--arm", choices=["both", "baseline", "canary"], default="both", help="Whose events count; default both"
    )
    burn.add_argument("--deltas", action="store_true", help="The series are counts, not cumulative counters")
    burn.add_argument(
        "--min-events", metavar="COUNT", type=float, default=0.0, help="No alert with fewer events in its long window"
    )
    burn.add_argument(
        "--min-probability",
        metavar="SHARE",
        type=float,
        help="No alert unless it is this probable that burn is too high",
    )
    burn.add_argument("--rules", action="store_true", help="Write the alerts as Prometheus rules; without DATA")
    burn.add_argument("--name", metavar="NAME", default="", help="The objective's name: label slo of the rules")
    burn.add_argument("--now", metavar="TIME", help="The time to look at; default: the newest sample")
    _answer(burn)
    commands.add_parser("version", help="Show the version and what it can do", allow_abbrev=False)
    return parser


def _answer(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=["text", "json"], default="text", help="How to answer; default text")
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set",
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns 0 promote, 1 rollback, 2 usage or bad input, 3 hold, 4 no data."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.command == "version":
            _core.write_output(f"serinus {_core.version()}\n{_CAPABILITIES}")
            return 0
        if options.data.count("-") > 1:
            what = "HISTORY" if options.command == "calibrate" else "DATA"
            _core.write_error(f"usage: {what} names standard input (-) more than once; it can be read once")
            return _BAD
        if options.command == "calibrate":
            return _core.calibrate_command(
                options.plan, options.data, options.release, options.output, options.format == "json", options.color
            )
        if options.command == "burn":
            return _core.burn_command(
                options.data,
                options.bad,
                options.good,
                options.total,
                options.target,
                options.budget,
                options.period,
                options.windows,
                options.semantics,
                options.arm,
                options.deltas,
                options.min_events,
                options.min_probability,
                options.now,
                options.format == "json",
                options.color,
                options.rules,
                options.name,
            )
        return _core.judge_command(options.plan, options.data, options.format == "json", options.color, options.now)
    except Error as error:
        _core.write_error(str(error))
        return _BAD


if __name__ == "__main__":
    sys.exit(main())
