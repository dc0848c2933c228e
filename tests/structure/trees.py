"""The self-test of a check that reads a tree of files: it is shown small trees, and must find in each what is wrong."""

import pathlib
import tempfile


def wrong_cases(check, cases):
    """How many cases `check(root)`, a list of problems, gets wrong; each is told.

    cases: by name, the files of a tree (a text, or None for one that is not there) and what is expected: None for no
    problem, a text that a problem must hold, or True for any.
    """
    wrong = 0
    for name, (files, expected) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for file, text in files.items():
                if text is not None:
                    (root / file).parent.mkdir(parents=True, exist_ok=True)
                    (root / file).write_text(text, encoding="utf-8")
            problems = check(root)
        said = expected is True or any(str(expected) in problem for problem in problems)
        if bool(problems) != (expected is not None) or (problems and not said):
            wrong += 1
            print(f"self-test \"{name}\": expected {expected}, found {problems}")
    return wrong
