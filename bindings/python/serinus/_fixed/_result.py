"""What the results of tests have in common."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Literal

    Alternative = Literal["two-sided", "greater", "less"]


class _Result:
    """What the results of tests have in common."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # People meet these types in `serinus`, and pickles should find them there too.
        cls.__module__ = "serinus"

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dict."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        from .._html import fields

        return fields(type(self).__name__.removesuffix("Result"), self.to_dict())
