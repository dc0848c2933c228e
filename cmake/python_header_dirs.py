"""Prints, as a CMake list, the include folders of the header packages that the Python build installs.

In an isolated build these packages lie beside the other imported packages, not in the interpreter's own site-packages:
so they are looked up the way `import` would find them.
"""

import importlib.util
import pathlib

found = []
for name in ("libboost_headers", "nlohmann_json"):
    spec = importlib.util.find_spec(name)
    for location in (spec.submodule_search_locations or []) if spec else []:
        found.append(pathlib.Path(location) / "include")
print(";".join(path.as_posix() for path in found if path.is_dir()), end="")
