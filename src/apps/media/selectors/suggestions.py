"""What somebody may mean who has begun to type: tags, and files whose texts have such a word.

Only the visitor's own, as in their library. Words are looked for by their beginnings, which the
index of texts finds on PostgreSQL from two letters on; nothing is ranked: the newest come first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Greatest, Lower, StrIndex, Substr

from apps.media.models import MediaFile, MediaVersion, Tag, fold_tag
from apps.media.policies import Visitor
from apps.media.selectors.media import list_media_by_user

SHORTEST = 2  # letters of a word that is looked for
MOST = 8
MOST_TAGS = 3
MOST_WORDS = 8
BEFORE, LENGTH = 30, 160  # characters of a text around a word


@dataclass(frozen=True)
class Suggestion:
    """A tag, or a file and the place in its texts where the word stands; empty if in its name."""

    tag: Tag | None = None
    media: MediaFile | None = None
    excerpt: str = ""


def suggest_words(*, user: Visitor, typed: str) -> list[Suggestion]:
    """At most `MOST` suggestions for what was typed: three queries, however many files."""
    words = [word for word in typed.casefold().split() if "\0" not in word][:MOST_WORDS]
    if not words or len(words[-1]) < SHORTEST:
        return []
    tags = [Suggestion(tag=tag) for tag in _find_tags(user, typed)]
    files = list(_find_files(user, words)[: MOST - len(tags)])
    texts = _read_texts(files, words[-1])
    return [
        *tags,
        *(Suggestion(media=media, excerpt=_excerpt(media, words, texts)) for media in files),
    ]


def suggest_tags(*, user: Visitor, typed: str) -> list[Tag]:
    """At most `MOST` of the visitor's own tags that begin with what was typed, by the alphabet."""
    if "\0" in typed or not typed.strip():
        return []
    return list(_find_tags(user, typed, most=MOST))


def _find_tags(user: Visitor, typed: str, *, most: int = MOST_TAGS) -> QuerySet[Tag]:
    folded = fold_tag(typed)
    used = Tag.objects.filter(owner=user.pk, media_files__deleted_at=None).distinct()
    return used.filter(folded__startswith=folded).order_by("folded")[:most]


def _find_files(user: Visitor, words: list[str]) -> QuerySet[MediaFile]:
    rows = list_media_by_user(user_id=user.pk).defer("owner_text")
    return rows.filter(*(_begins_a_word(word) for word in words))


def _begins_a_word(word: str) -> Q:
    return Q(search_text__startswith=word) | Q(search_text__contains=f" {word}")


def _read_texts(files: list[MediaFile], word: str) -> dict[object, str]:
    """Of the texts of documents, what is around the word, by file."""
    texts = MediaVersion.objects.filter(
        media__in=[media.pk for media in files], number=F("media__version")
    ).exclude(text="")
    place = StrIndex(Lower("text"), Value(word, output_field=TextField()))
    start = Greatest(place - BEFORE, 1)
    return dict(
        texts.annotate(place=place, part=Substr("text", start, LENGTH + BEFORE))
        .filter(place__gt=0)
        .values_list("media", "part")
    )


def _excerpt(media: MediaFile, words: list[str], texts: dict[object, str]) -> str:
    """Where the last word stands, unless the name has all of them."""
    if all(word in str(media).casefold() for word in words):
        return ""
    sources = (media.caption, media.alt_text, media.original_name, texts.get(media.pk, ""))
    found = next((text for text in sources if words[-1] in text.casefold()), "")
    line = re.sub(r"\s+", " ", found).strip()
    start = max(line.casefold().find(words[-1]) - BEFORE, 0)
    start = line.rfind(" ", 0, start) + 1
    return f"{'… ' if start else ''}{line[start : start + LENGTH]}"
