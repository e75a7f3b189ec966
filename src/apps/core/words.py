"""Words for people in code that knows no Django: marked where they stand, translated when read.

An error is raised far from whoever reads of it, and may lie in a row until somebody does. It
keeps the words as the code has them; `translated` gives them in the language of the moment.
"""

from __future__ import annotations

from collections.abc import Callable

Translate = Callable[[str], str]

_hooks: dict[str, Translate] = {"translate": str}


def gettext_noop(words: str) -> str:
    """Mark `words` for the catalogues. Imported as `_`, which is what their tools look for."""
    return words


def translate_with(translate: Translate) -> None:
    """Have `translate` give words in the reader's language; until then they stay as they are."""
    _hooks["translate"] = translate


def translated(words: str) -> str:
    """`words` in the reader's language. Of none there is no translation: gettext keeps notes of
    its own under the empty text."""
    return _hooks["translate"](words) if words else ""
