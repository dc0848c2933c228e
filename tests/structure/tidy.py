"""Runs clang-tidy on the C++ files that changed since a revision.

    tidy.py BUILD [--since REVISION] [--jobs N] [--minutes M]

BUILD is a configured build folder. Without --since: what changed since the merge base with main, on main itself since
the last commit, and what is not committed yet. Headers are looked at by one file that includes all that changed, a private
one by a source that includes it. What M minutes do not suffice for is named and left out; it is looked at when it changes again.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIDY = "clang-tidy-16"


def git(*arguments):
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def since_default():
    head = git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        base = git("merge-base", "HEAD", main)
        if base and base != head:
            return base
    return git("rev-parse", "HEAD~1")


def sources_of(changed, build):
    """The files to compile, so that each changed one is seen."""
    headers = [name.removeprefix("include/") for name in changed if name.startswith("include/")]
    sources = {ROOT / name for name in changed if name.endswith(".cpp")}
    if headers:
        # Beside the files that include one header each, so that clang-tidy takes the flags from them.
        together = build / "tests" / "alone" / "changed_headers.cpp"
        together.write_text("".join(f"#include <{name}>\n" for name in headers), encoding="utf-8")
        sources.add(together)
    for name in changed:
        if name.startswith("src/") and name.endswith(".hpp"):
            own = name.removeprefix("src/")
            users = sorted(user for user in (ROOT / "src").rglob("*.cpp") if f'"{own}"' in user.read_text(encoding="utf-8"))
            if not sources.intersection(users):
                sources.update(users[:1])
    return sorted(sources)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--since")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=8)
    given = parser.parse_args()

    since = given.since or since_default()
    if since is None:
        print("clang-tidy: there is no earlier commit to compare with")
        return 0
    listed = git("diff", "--name-only", "--diff-filter=d", since, "--", "include/*.hpp", "src/*.hpp", "src/*.cpp")
    if listed is None:
        print(f"clang-tidy: git knows no {since}")
        return 1
    changed = listed.split()
    sources = sources_of(changed, given.build.resolve())
    headers = "|".join(re.escape(name) for name in changed if name.endswith(".hpp")) or "none"
    end = time.monotonic() + 60 * given.minutes

    def look(source):
        left = end - time.monotonic()
        try:
            command = [TIDY, "--quiet", "-p", str(given.build), f"--header-filter=({headers})$", str(source)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=max(left, 0.001))
        except subprocess.TimeoutExpired:
            return source, None, ""
        return source, done.returncode, done.stdout

    found = late = 0
    shown = set()
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for source, status, text in pool.map(look, sources):
            if status is None:
                late += 1
                print(f"not looked at within {given.minutes:g} minutes: {source.name}")
            elif status < 0:
                late += 1
                print(f"clang-tidy itself fell over (signal {-status}): {source.name}")
            elif status != 0:
                found += 1
                if text not in shown:
                    print(text or f"clang-tidy failed on {source}")
                shown.add(text)
    print(f"clang-tidy: {len(changed)} files changed since {since[:10]}, {len(sources) - late} compiled, {found} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
