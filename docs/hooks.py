"""What `mkdocs.yml` cannot say: two pages of the site lie in the root of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
# The file in the root → its page.
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages of the root."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **kwargs: object) -> str:
    """Lead links that are right in the repository to where their pages are in the site."""
    if page.file.src_uri in PAGES.values():
        return markdown.replace("](docs/", "](")
    return re.sub(r"\]\(\.\./(\w+\.md)\b", _page_of, markdown)


def _page_of(link: re.Match[str]) -> str:
    page = PAGES.get(link[1])
    return f"]({page}" if page else link[0]
