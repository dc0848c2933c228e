"""Audit logs: what a decision rested on, and the same decision made again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core, _inputs

if TYPE_CHECKING:
    from datetime import datetime


def told(audit: Any, key: Any) -> tuple[str, bytes]:
    """A log's path and key as the extension takes them; empty where there is none."""
    if audit is None:
        if key is not None:
            _inputs._fail("argument.range", "audit_key is given without a log; allowed: beside audit")
        return "", b""
    path = os.fspath(audit)
    return (path.decode() if isinstance(path, bytes) else path), _key("audit_key", key)


def content(log: Any) -> bytes:
    """The bytes of a log that is a path, or itself: a text that begins with "{"."""
    if isinstance(log, os.PathLike) or (isinstance(log, str) and not log.lstrip().startswith("{")):
        try:
            with open(log, "rb") as file:
                return file.read()
        except OSError as error:
            _inputs._fail("file.read", f"{os.fspath(log)}: {error.strerror}")
    if not isinstance(log, (str, bytes)):
        _inputs._fail("argument.type", f"log is {type(log).__name__}; allowed: a path, text or bytes")
    return log.encode() if isinstance(log, str) else log


def _key(name: str, key: Any) -> bytes:
    if key is None:
        return b""
    if not isinstance(key, (str, bytes)):
        _inputs._fail("argument.type", f"{name} is {type(key).__name__}; allowed: str, bytes")
    if not key:
        _inputs._fail("argument.range", f"{name} is empty; allowed: 16 bytes or more")
    return key.encode() if isinstance(key, str) else key


class AuditFinding(NamedTuple):
    """What is wrong with an audit log, and where.

    Attributes
    ----------
    line : int
        Of the file, from 1.
    problem : str
        "changed", "missing", "misplaced", "torn", "different" (its decision does not come out again) or "unreadable".
    what : str
        A sentence.
    """

    line: int
    problem: str
    what: str


class AuditedLine(NamedTuple):
    """A line of an audit log that is what was written.

    Attributes
    ----------
    line : int
        Of the file, from 1.
    call : str
        "plan", "judge", "observe", "flush", "enter_stage", "restart" or "restore".
    asked, time : datetime or None
        When it was asked by the clock of who asked, and the time that the decision was made for.
    deployment : str
    decision : str or None
        "promote", "hold" or "rollback".
    reproduced : str
        "exactly" (bit for bit), "nearly" (as another build may have it), "no", "not_tried" or "nothing".
    same_build : bool
        It was written by the build that reads it.
    """

    line: int
    call: str
    asked: datetime | None
    time: datetime | None
    deployment: str
    decision: str | None
    reproduced: str
    same_build: bool


class Replay:
    """What an audit log told when its decisions were made again; `serinus.replay` gives it, print it.

    Attributes
    ----------
    good : bool
        All is as it was written (a torn last line apart), and every decision came out again.
    findings : list of AuditFinding
    lines : list of AuditedLine
    sealed : bool
        By a key.
    mended : int
        Torn lines after which the log went on.
    last : str
        Hash of the last line; kept elsewhere it tells later whether the log was cut off.
    """

    __slots__ = ("_document", "_text", "findings", "good", "last", "lines", "mended", "sealed")

    good: bool
    findings: list[AuditFinding]
    lines: list[AuditedLine]
    sealed: bool
    mended: int
    last: str

    def __init__(self, document: str, text: str) -> None:
        self._document, self._text = document, text
        told = json.loads(document)
        self.good, self.sealed, self.mended, self.last = (told[key] for key in ("good", "sealed", "mended", "last"))
        self.findings = [AuditFinding(**finding) for finding in told["findings"]]
        self.lines = [
            AuditedLine(**{**line, "asked": _moment(line["asked"]), "time": _moment(line["time"])}) for line in told["lines"]
        ]

    def to_json(self, indent: int | None = 2) -> str:
        """What was found, as JSON text (data/schema/replay.schema.json); indent None puts all on one line."""
        return self._document if indent is None else json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` says, as a dict."""
        document: dict[str, Any] = json.loads(self._document)
        return document

    def __eq__(self, other: object) -> bool:
        return self._document == other._document if isinstance(other, Replay) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._document)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._document, self._text)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        decisions = sum(line.decision is not None for line in self.lines)
        return f"Replay(good={self.good}, decisions={decisions}, findings={len(self.findings)})"


for _class in (AuditFinding, AuditedLine, Replay):
    _class.__module__ = "serinus"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _inputs.moment(_inputs.milliseconds("time", text))


def replay(log: str | bytes | os.PathLike[str], *, key: str | bytes | None = None, last: str | None = None) -> Replay:
    """Makes every decision of an audit log again, each from what the log holds.

    Parameters
    ----------
    log : path, text or bytes
        A text that begins with "{" is the log itself.
    key : str or bytes, optional
        Of a sealed log.
    last : str, optional
        The hash of a line that the log must have, noted elsewhere: a log that was cut off before it is found.

    Returns
    -------
    Replay
        What was changed, left out, put in or moved is a finding with its line, and so is a decision that does not come out
        again; neither raises.

    Examples
    --------
    >>> import os, serinus, tempfile
    >>> plan = {"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                      "harm": "increase", "margin": {"ratio": 2.0}}]}
    >>> path = os.path.join(tempfile.mkdtemp(), "audit.jsonl")
    >>> data = {"timestamp": [0, 0], "series": ["http_requests"] * 2, "arm": ["baseline", "canary"], "value": [90, 10]}
    >>> decision = serinus.judge(plan, data, audit=path)
    >>> serinus.replay(path)
    Replay(good=True, decisions=1, findings=0)
    """
    return Replay(*_core.replay(content(log), _key("key", key), last or ""))
