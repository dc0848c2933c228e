"""What type checkers are told of the compiled part and of the package: written from what there is.

    python tests/python/stubs.py --write    writes _core.pyi and __init__.pyi of this checkout

Signatures are those that the compiled module gives; a class of a struct (define_structs) is told as the frozen dataclass
that it behaves as. Where a function takes any object and checks it itself, the name of the argument says what it is.
test_stubs.py compares.
"""

from __future__ import annotations

import ast
import inspect
import pathlib
import re
import sys
from typing import Any

FOLDER = pathlib.Path(__file__).parents[2] / "bindings" / "python" / "serinus"
HEAD = '"""Written by tests/python/stubs.py; do not edit."""\n\n'
WRITTEN = (
    (r"serinus::(?:\w+::)*(\w+)", r"\1"),  # a class that is registered later than what takes it
    (r"typing\.SupportsFloat \| typing\.SupportsIndex", "float"),
    (r"typing\.SupportsInt \| typing\.SupportsIndex", "int"),
    (r"typing\.Annotated\[numpy\.typing\.ArrayLike, numpy\.(\w+)[^\]]*\]", r"NDArray[np.\1]"),
    (r"numpy\.typing\.NDArray\[numpy\.(\w+)\]", r"NDArray[np.\1]"),
    (r"(?:serinus\._core|collections\.abc|typing|datetime)\.(\w+)", r"\1"),
    (r"\bobject\b", "Any"),
    (r"Sequence\[float\]", "Sequence[float] | NDArray[np.float64]"),
    (r"\bSequence\b(?!\[)", "Sequence[Any]"),
    (r"\bCallable\b(?!\[)", "Callable[..., Any]"),
    (r"\bdict\b(?!\[)", "dict[str, Any]"),
    (r"\blist\b(?!\[)", "list[Any]"),
    (r"\btuple\b(?!\[)", "tuple[Any, ...]"),
)
# What arguments of these names are, where the compiled part takes any object.
ARGUMENTS = {
    "float": "bad_b total_b bad_c total_c events_b exposure_b events_c exposure_c difference variance baseline canary "
    "instances_baseline instances_canary weight",
    "ArrayLike": "values_b values_c",
    "Sequence[float]": "counts",
    "bytes": "state",
    "dict[str, Any] | None": "known",
    "str | float": "target",
    "str | timedelta | float": "period",
    'Literal["baseline", "canary"]': "arm",
}
ARGUMENTS = {name: known for known, names in ARGUMENTS.items() for name in names.split()}
# What these give, where the compiled part gives any object.
GIVEN = {
    "Alerts.firing": "Severity | None",
    "Alerts.pending": "Severity | None",
    "BurnRate._window_texts": "list[str]",
    "Plan.analysis": "Analysis",
    "Plan.metrics": "ByName[serinus.Metric]",
    "Plan.on_deadline": "Deadline",
    "Plan.slo": "ByName[serinus.SloRule]",
    "factorize": "tuple[NDArray[np.int64], list[Any]]",
    "fail": "NoReturn",
    "policy_windows": "list[str]",
}
# What these take in the first place, where the compiled part takes more than it says.
TAKEN = {"batch_from_text": "str | bytes"}
# Those that Python calls with arguments of one kind, spread.
SPREAD = ("batch_from_columns", "normal_mixture", "log_normal_mixture", "beta_binomial", "log_beta_binomial", "SilenceTest._update_many")
# Where a name comes from that signatures use.
SOURCES = {
    "collections.abc": ("Callable", "Iterable", "Mapping", "Sequence"),
    "dataclasses": ("dataclass",),
    "datetime": ("datetime", "timedelta"),
    "typing": ("Any", "Literal", "NoReturn"),
    "numpy.typing": ("ArrayLike", "NDArray"),
    "._results": ("ByName", "Struct"),
}


def known(text: str) -> str:
    """A type as a stub has it."""
    for pattern, by in WRITTEN:
        text = re.sub(pattern, by, text)
    return text


def signature(text: str, place: str) -> str:
    """`name(arg0: serinus._core.Plan) -> None` as a stub has it; arguments without a name go by position."""
    function: Any = ast.parse(f"def {known(text)}: ...").body[0]
    unnamed = [one for one in function.args.args if re.fullmatch(r"arg\d+", one.arg)]
    if unnamed and len(unnamed) >= len(function.args.args) - 1:
        function.args.posonlyargs, function.args.args = function.args.args, []
    for one in function.args.posonlyargs + function.args.args + function.args.kwonlyargs:
        one.arg = re.sub(r"^arg(\d+)$", r"_\1", one.arg)
        if one.arg == "self":
            one.annotation = None
        elif isinstance(one.annotation, ast.Name) and one.annotation.id == "Any":
            one.annotation = ast.Name(ARGUMENTS.get(one.arg, "Any"))
    if function.args.kwarg:
        function.args.kwarg.annotation = ast.Name("Any")
    if place in SPREAD:
        own = [one for one in function.args.args if one.arg == "self"]
        function.args = ast.arguments([], own, ast.arg("arguments", ast.Name("Any")), [], [], None, [])
    if place in TAKEN:
        function.args.posonlyargs[0].annotation = ast.Name(TAKEN[place])
    if place in GIVEN:
        function.returns = ast.Name(GIVEN[place])
    return ast.unparse(function).replace("\n    ...", " ...")


def function_of(name: str, thing: Any, place: str) -> list[str]:
    """A function or a method; there are no overloads."""
    text = getattr(thing, "__text_signature__", None)
    if text and type(thing).__name__ == "method_descriptor":  # plain_update.hpp
        arguments = text.strip("()").split(", ")[2:]
        return [f"def {name}(self, {', '.join(f'{one}: float' for one in arguments)}) -> None: ..."]
    line = (thing.__doc__ or "").splitlines()[0]
    return [signature(re.sub(r"^\w+\(", f"{name}(", line), place)]


def dataclass_of(name: str, thing: Any) -> list[str]:
    """A class of a struct."""
    types = thing._types()
    lines = ["@dataclass(frozen=True)", f"class {name}(Struct):"]
    lines += [f"    {field}: {types[field]}" for field in thing.__match_args__]
    for more in [one for one in types if one not in thing.__match_args__]:
        lines += ["    @property", f"    def {more}(self) -> {types[more]}: ..."]
    return lines


def class_of(name: str, thing: type) -> list[str]:
    """A class of pybind11."""
    lines = []
    for key, member in vars(thing).items():
        place = f"{name}.{key}"
        if isinstance(member, property):
            returned = (member.fget.__doc__ or "").splitlines()[0].partition(" -> ")[2]
            type_ = GIVEN.get(place) or known(returned)
            lines += ["    @property", f"    def {key}(self) -> {type_}: ..."]
            if member.fset:
                lines += [f"    @{key}.setter", f"    def {key}(self, _: {type_}, /) -> None: ..."]
        elif key == "__eq__":
            lines.append("    def __eq__(self, other: object, /) -> bool: ...")
        elif key == "__init__" and type(member).__name__ != "instancemethod":
            continue
        elif key in ("__init__", "__len__", "__hash__") or not key.startswith("_") or re.match("_[a-z]", key):
            if callable(member) and key != "_pybind11_conduit_v1_":
                lines += ["    " + line for line in function_of(key, member, place)]
    return [f"class {name}:", *(lines or ["    ..."])]


def core_stub() -> str:
    """_core.pyi"""
    from serinus import _core, _words
    from serinus._results import Struct

    lines: list[str] = []
    for name, thing in vars(_core).items():
        if name.startswith("__"):
            continue
        if isinstance(thing, type):
            lines += ["", *(dataclass_of if issubclass(thing, Struct) else class_of)(name, thing), ""]
        elif callable(thing):
            lines += function_of(name, thing, name)
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
    used = set(re.findall(r"(?<![.\w])\w+", body))
    imports = []
    for source, names in SOURCES.items():
        if chosen := sorted(used & set(names)):
            imports.append(f"from {source} import {', '.join(chosen)}")
    imports.insert(4, "\nimport numpy as np")
    own = sorted({one for one in re.findall(r"\b(serinus(?:\.slo|\.sequential)?)\.[A-Z]", body)})
    imports += ["", *(f"import {one}" for one in own)]
    classes = {name for name, one in vars(_words).items() if inspect.isclass(one) and issubclass(one, _words._Word)}
    words = sorted(used & (classes - {"_Word"}))
    imports.append(f"from ._words import {', '.join(words)}")
    return HEAD + "\n".join(imports) + "\n\n" + body


def package_stub() -> str:
    """__init__.pyi"""
    import serinus

    lines = []
    for home, names in serinus._HOMES.items():
        if not names:
            lines.append(f"from . import {home} as {home}")
        else:
            lines.append(f"from .{home} import (")
            lines += [f"    {name} as {name}," for name in names]
            lines.append(")")
    return HEAD + "\n".join(lines) + "\n\n__version__: str\n__all__: list[str]\n"


def stubs() -> dict[str, str]:
    """The text of each stub, by its name."""
    return {"_core.pyi": core_stub(), "__init__.pyi": package_stub()}


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    for name, text in stubs().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
