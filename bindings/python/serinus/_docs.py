"""Paragraphs that many docstrings share, written once and put in at import."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    Documented = TypeVar("Documented")

PARAMETERS = {
    "alpha": """\
alpha : float
    Error of the decision with `side="harm"`, in (0, 1); of the interval's end on the side of harm, or with
    `harm="either"` half of it at each end.""",
    "alpha_safe": """\
alpha_safe : float, optional
    Error of the decision with `side="safe"`, and of the interval's other end for one direction; default alpha.""",
    "harm": """\
harm : {"increase", "decrease", "either"}
    Which way it gets worse.""",
    "side": """\
side : {"harm", "safe"}
    Evidence of harm beyond the margin, or of its absence.""",
    "dispersion_noise": """\
noise : dict, optional
    The dispersion as a plan carries it: {"dispersion": 1.3}. Give one of the two.""",
    "interval": """\
interval : bool
    Keep what `lower` and `upper` of the evidence are made of.""",
}


def documented(kind: Documented) -> Documented:
    """Puts the paragraph of its name where a line of the docstring is `{name}` alone."""

    def paragraph(found: re.Match[str]) -> str:
        return "\n".join((found[1] + line).rstrip() for line in PARAMETERS[found[2]].split("\n"))

    if kind.__doc__ is not None:  # with -OO there is none
        kind.__doc__ = re.sub(r"(?m)^( *)\{(\w+)\}$", paragraph, kind.__doc__)
    return kind
