"""The command `serinus`, also `python -m serinus`: the same commands, answers and exit codes as the C++ program."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from . import _core

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in the words of the C++ program."""

    def __init__(self, about: str, more: str, **given: Any) -> None:
        super().__init__(
            description=about,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
            **given,
        )
        self.add_argument("-h", "--help", action="help", help=_core.command_texts()["help"])

    def error(self, message: str) -> NoReturn:
        if found := re.fullmatch(r"argument (-[^:]*): expected one argument", message):
            value = next(action.metavar for action in self._actions if found[1] in action.option_strings)
            message = f"{found[1]}: 1 required {value} missing"
        elif found := re.fullmatch(r"argument COMMAND: invalid choice: '(.*)' \(choose from .*", message, re.DOTALL):
            sys.exit(_core.run_command(found[1], {}))
        elif "COMMAND" in message:
            message = "A subcommand is required"
        elif found := re.fullmatch(r"the following arguments are required: ([^,]*).*", message):
            message = f"{found[1]} is required"
        sys.exit(_core.refuse_usage(message, self.prog.partition(" ")[2]))


def _add(parser: _Parser, option: dict[str, Any]) -> None:
    """What argparse makes of one option of the table. Which values are allowed is checked by those who take them."""
    about = option["help"].replace("%", "%%")
    if not option["name"].startswith("-"):
        count = None if not option["many"] else "+" if option["required"] else "*"
        parser.add_argument(option["name"], nargs=count, help=about)
    elif option["value"]:
        parser.add_argument(option["name"], dest=option["name"], metavar=option["value"], action="append", help=about)
    else:
        parser.add_argument(option["name"], dest=option["name"], action="store_true", help=about)


def _parser() -> _Parser:
    texts = _core.command_texts()
    parser = _Parser(texts["about"], texts["more"], prog="serinus")
    parser.add_argument("--version", action="version", version=f"serinus {_core.version()}", help=texts["version"])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _core.commands():
        made = commands.add_parser(
            command["name"], help=command["help"], about=command["help"], more=command["more"]
        )
        for option in command["options"]:
            _add(made, option)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 promote, 1 rollback, 2 usage or bad input, 3 hold, 4 no data."""
    found, rest = _parser().parse_known_args(arguments)
    command = next(command for command in _core.commands() if command["name"] == found.command)
    given: dict[str, list[str]] = {}
    for option in command["options"]:
        value = getattr(found, option["name"])
        if value:
            given[option["name"]] = value if isinstance(value, list) else [] if value is True else [value]
    # argparse takes the files before the first option; those that stand after one are files as well.
    files = next((option["name"] for option in command["options"] if option["many"]), None)
    unknown = [text for text in rest if files is None or (text.startswith("-") and text != "-")]
    if unknown:
        were = "argument was" if len(unknown) == 1 else "arguments were"
        message = f"The following {were} not expected: {' '.join(reversed(unknown))}"
        return _core.refuse_usage(message, found.command)
    if files is not None and rest:
        given[files] = [*given.get(files, []), *rest]
    return _core.run_command(found.command, given)


if __name__ == "__main__":
    sys.exit(main())
