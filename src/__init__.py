"""Makes `src.apps.…` another name for the modules of `apps.…`, never a second copy of them.

A second copy would mean two classes for one table. Importing `src.apps.media` therefore imports
`apps.media` and files the same module object under both names.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

_ALIAS = "src.apps"


class _SameModules(MetaPathFinder, Loader):
    """Answers imports below `src.apps` with the module of the same name below `apps`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname == _ALIAS or fullname.startswith(f"{_ALIAS}."):
            return spec_from_loader(fullname, self)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.name.removeprefix("src."))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just overwritten the real spec with the alias's.
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state


_root = str(Path(__file__).resolve().parent)
if _root not in sys.path:
    sys.path.insert(0, _root)
if not any(isinstance(finder, _SameModules) for finder in sys.meta_path):
    sys.meta_path.insert(0, _SameModules())
