"""One upload made of others, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from django.db import transaction

from apps.core.storage import Appender, AppendingStore
from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.exceptions import BadRequestError
from apps.media.models import Upload
from apps.media.policies import Visitor
from apps.media.services import quotas
from apps.media.services.arriving import keep_appended
from apps.media.services.deletion import raise_tombstone
from apps.media.services.holding import hold_upload
from apps.media.services.resumable import finish_upload, seal_part
from apps.media.services.sessions import Announcement, begin_upload, drop_upload
from apps.media.storage import store_of

_MISSING = _("A part is missing or not complete.")


def concatenate_uploads(*, user: Visitor, tokens: Sequence[str], announced: Announcement) -> Upload:
    """Join whole partial uploads of `user` to one, and that to a media file.

    Asked again for the same parts it gives the same upload, finished where it was not: a lost
    answer costs nothing. Raises `BadRequestError` for a part that is none, not whole or gone, and
    what `begin_upload` and `finish_upload` raise.
    """
    final = _find_or_begin(user=user, tokens=tokens, announced=announced)
    if final.state == Upload.State.RECEIVING:
        if not final.is_whole:
            _join(final, tokens)
        finish_upload(upload=final)
    if final.media is not None:
        _spend_parts(final, tokens)
    return final


@transaction.atomic
def _find_or_begin(*, user: Visitor, tokens: Sequence[str], announced: Announcement) -> Upload:
    """The parts are locked, so that of two requests for the same file one finds the other's."""
    rows = Upload.objects.filter(owner_id=user.pk, token__in=tokens, role=Upload.Role.PARTIAL)
    parts = {part.token: part for part in rows.select_for_update().order_by("pk")}
    known = Upload.objects.filter(
        owner_id=user.pk, role=Upload.Role.FINAL, parts=" ".join(tokens)
    ).first()
    if known is not None:
        return known
    if any(token not in parts or not parts[token].is_whole for token in tokens):
        raise BadRequestError(detail=_MISSING)
    if any(part.state != Upload.State.RECEIVING for part in parts.values()):
        raise BadRequestError(detail=_("A part belongs to another upload already."))
    length = sum(parts[token].offset for token in tokens)
    return _begin(user, parts, replace(announced, length=length), tokens)


def _begin(
    user: Visitor, parts: dict[str, Upload], announced: Announcement, tokens: Sequence[str]
) -> Upload:
    """What the parts had set aside in the quota passes on to the whole."""
    for part in parts.values():
        quotas.release_reservation(part)
        Upload.objects.filter(pk=part.pk).update(reserved=0)
    return begin_upload(user=user, announced=announced, parts=" ".join(tokens))


def _join(final: Upload, tokens: Sequence[str]) -> None:
    """Its client may ask again meanwhile, and is told to wait: who began goes on."""
    store = cast("AppendingStore", store_of(final.storage))
    with hold_upload(final) as hold:
        if final.is_whole:
            return
        parts = _find_parts(final, tokens)
        hold.check_ours()
        appender = store.appender(final.key, size=0, state={})
        try:
            for part in parts:
                _append(appender, part, store)
                hold.check_stopping()
                hold.check_ours()
        except BaseException:
            appender.abort()
            raise
        keep_appended(final, hold, appender)


def _find_parts(final: Upload, tokens: Sequence[str]) -> list[Upload]:
    """Those that have bytes, in order. Without all of them the whole comes to an end."""
    found = Upload.objects.filter(token__in=tokens, offset__gt=0)  # what is empty has no object
    parts = {part.token: part for part in found}
    ordered = [parts[token] for token in tokens if token in parts]
    if sum(part.offset for part in ordered) != final.length:
        drop_upload(upload=final)
        raise BadRequestError(detail=_MISSING)
    return ordered


def _append(appender: Appender, part: Upload, store: AppendingStore) -> None:
    """Its last request may have been killed between its last bytes and their sealing."""
    if not store.exists(part.key):
        with hold_upload(part):
            seal_part(part)
    appender.append_object(part.key)


@transaction.atomic
def _spend_parts(final: Upload, tokens: Sequence[str]) -> None:
    """Their objects go; their rows stay for a while, as what has become part of a file.

    A client that never heard of the whole asks for its parts first: it has to find them complete,
    or it would send them, and make the file, once more.
    """
    parts = Upload.objects.select_for_update(of=("self",)).filter(
        owner_id=final.owner_id, token__in=tokens, state=Upload.State.RECEIVING
    )
    for part in parts:
        raise_tombstone(storage=part.storage, key=part.key, storage_state=part.storage_state)
    parts.update(state=Upload.State.COMPLETED, media=final.media, storage_state={})
    dispatch.bury_later()
