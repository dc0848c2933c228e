"""How Serinus says no."""

from __future__ import annotations


class Error(ValueError):
    """A broken precondition: what was asked for has no answer.

    The message names the field, the value that it had and what is allowed. Statistical impossibility (too few points, no
    variance, no data) is never an error: it is a value of the result.

    Attributes
    ----------
    code : str
        The stable name of what went wrong, for example "serinus.plan.unknown_key".
    number : int
        The same as a number, as the C interface returns it.

    Examples
    --------
    >>> import serinus
    >>> try:
    ...     serinus.mann_whitney([1.0], [2.0], alternative="bigger")
    ... except serinus.Error as error:
    ...     print(error.code)
    serinus.argument.word
    """

    code: str
    number: int

    def __init__(self, message: str, code: str, number: int) -> None:
        super().__init__(message)
        self.code = code
        self.number = number

    def __reduce__(self) -> tuple[type[Error], tuple[str, str, int]]:
        return type(self), (str(self), self.code, self.number)
