"""docs/how-to/install.md: what it says is done here as it stands on the page, against a tree that is installed.

    install_page.py --source FOLDER --build FOLDER --prefix FOLDER --compiler CXX

The whole build, and pip, are done by `./dev demo` and `./dev test`; here they are only looked at.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

OPTIONS = argparse.Namespace()

HEADERS = """#include <serinus.hpp>
int main() {
    serinus::sequential::ProportionTest test({.alpha = 0.05, .margin = {.ratio = 2.0}});
    test.update({.bad = 9, .total = 900}, {.bad = 4, .total = 100});
    return test.decided() ? 1 : 0;
}
"""
COMPILED = """#include <serinus.hpp>
int main() {
    const serinus::Plan plan = serinus::io::read_plan(R"({"name": "shop", "interval": "10s", "stages": [{"traffic": 0.1}],
        "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}]})");
    return plan.metrics.size() == 1 ? 0 : 1;
}
"""


def blocks(language):
    page = OPTIONS.source / "docs/how-to/install.md"
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


class InstallPage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / ".local").symlink_to(OPTIONS.prefix)

    def run_here(self, *command, where=None):
        environment = {**os.environ, "HOME": str(self.folder), "CXX": OPTIONS.compiler}
        result = subprocess.run(command, cwd=where or self.folder, env=environment, capture_output=True, text=True,
                                timeout=500, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def build(self, lists, main, *options):
        (self.folder / "CMakeLists.txt").write_text(lists)
        (self.folder / "main.cpp").write_text(main)
        self.run_here("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", *options)
        self.run_here("cmake", "--build", "build", "--target", "tool")
        self.run_here("build/tool")

    def test_find_package(self):
        lists = next(text for text in blocks("cmake") if "find_package" in text)
        self.build(lists, COMPILED, f"-DCMAKE_PREFIX_PATH={self.folder}/.local")

    def test_fetch_content(self):
        lists = next(text for text in blocks("cmake") if "FetchContent" in text)
        self.build(lists, HEADERS, f"-DFETCHCONTENT_SOURCE_DIR_SERINUS={OPTIONS.source}")

    def test_the_program(self):
        script = next(text for text in blocks("sh") if "cmake --install" in text)
        elsewhere = self.folder / "elsewhere"
        out = self.run_here("sh", "-euc", script.replace("build/release", str(OPTIONS.build))
                            .replace("$HOME/.local", str(elsewhere)))
        self.assertIn('"name": "my-service"', out)

    @unittest.skipUnless(shutil.which("pkg-config"), "no pkg-config")
    def test_pkg_config(self):
        script = next(text for text in blocks("sh") if "pkg-config" in text)
        (self.folder / "main.cpp").write_text(COMPILED)
        self.run_here("sh", "-euc", re.sub(r"^c\+\+", OPTIONS.compiler, script, flags=re.MULTILINE))
        self.run_here("./tool")

    def test_the_packages_are_those_that_dev_installs(self):
        packages = re.search(r"install -y (.*)", "".join(blocks("sh")))[1].split()
        known = set(re.findall(r"need ([\w+-]+)", (OPTIONS.source / "dev").read_text(encoding="utf-8")))
        self.assertLessEqual(set(packages), known)


def main():
    parser = argparse.ArgumentParser()
    for name in ("source", "build", "prefix"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    rest = parser.parse_known_args(namespace=OPTIONS)[1]
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
