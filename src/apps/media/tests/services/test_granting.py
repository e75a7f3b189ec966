"""Rights given and taken back; who sees a file is for those who may share, and is written down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, connections
from django.utils import timezone

from apps.media import selectors, services
from apps.media.exceptions import (
    BadRequestError,
    ExpiryInPastError,
    ForbiddenError,
    NotVisibleError,
    OwnerHasAccessError,
    UnknownRecipientError,
)
from apps.media.models import (
    AuditEvent,
    Collection,
    CollectionItem,
    CollectionPlace,
    Grant,
    MediaFile,
)
from apps.media.policies import Action, can_access, can_access_collection

Act = AuditEvent.Act


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    """A private text that is ready."""
    found = upload(b"The words.\n", "words.txt")
    run_jobs()
    return MediaFile.objects.get(pk=found.pk)


@pytest.fixture
def album(owner: Any) -> Collection:
    found = Collection.objects.create(owner=owner, title="Album")
    CollectionPlace.objects.create(ancestor=found, descendant=found, depth=0)
    return found


@pytest.fixture
def group(stranger: Any) -> Group:
    found = Group.objects.create(name="Choir")
    stranger.groups.add(found)
    return found


def _acts(**known: Any) -> list[str]:
    return list(AuditEvent.objects.filter(**known).order_by("pk").values_list("act", flat=True))


class TestGranting:
    def test_opens_the_file_to_a_user(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        assert not can_access(stranger, media)
        grant = services.grant_access(user=owner, media=media, to=stranger)
        assert (grant.permission, grant.granted_by) == ("view", owner)
        assert can_access(stranger, media)
        assert not can_access(stranger, media, Action.EDIT)
        event = AuditEvent.objects.get()
        assert (event.act, event.actor, event.media_id) == (Act.GRANTED, owner, media.pk)
        assert event.details["to_user"] == str(stranger.pk)
        assert stranger.username not in str(event.details)

    def test_opens_it_to_a_group_with_an_end(
        self, media: MediaFile, owner: Any, stranger: Any, group: Group
    ) -> None:
        until = timezone.now() + timedelta(days=1)
        services.grant_access(
            user=owner, media=media, to=group, permission="edit", expires_at=until
        )
        assert can_access(stranger, media, Action.EDIT)
        Grant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert not can_access(stranger, media)

    def test_a_second_grant_changes_the_first(
        self, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        until = timezone.now() + timedelta(days=1)
        first = services.grant_access(user=owner, media=media, to=stranger, expires_at=until)
        second = services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        assert (second.pk, second.permission, second.expires_at) == (first.pk, "edit", None)
        assert Grant.objects.count() == 1

    def test_what_is_changed_changes_and_the_rest_stays(
        self, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        until = timezone.now() + timedelta(days=1)
        grant = services.grant_access(user=owner, media=media, to=stranger, expires_at=until)
        changed = services.change_grant(user=owner, grant=grant, permission="edit")
        assert (changed.pk, changed.permission, changed.expires_at) == (grant.pk, "edit", until)
        assert can_access(stranger, media, Action.EDIT)
        assert services.change_grant(user=owner, grant=grant, expires_at=None).expires_at is None
        services.change_grant(user=owner, grant=grant, expires_at=None)  # which it says already
        assert _acts() == [Act.GRANTED, Act.GRANT_CHANGED, Act.GRANT_CHANGED]
        said = AuditEvent.objects.order_by("pk").last().details
        assert (said["permission"], said["expires_at"]) == ("edit", None)

    def test_what_cannot_be_changed(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        grant = services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        past = timezone.now() - timedelta(seconds=1)
        for user, terms, error in (
            (owner, {"expires_at": past}, ExpiryInPastError),
            (owner, {"permission": "rule"}, BadRequestError),
            (stranger, {"permission": "view"}, ForbiddenError),
        ):
            with pytest.raises(error):
                services.change_grant(user=user, grant=grant, **terms)
        grant.refresh_from_db()
        assert (grant.permission, grant.expires_at) == ("edit", None)
        assert _acts() == [Act.GRANTED]
        services.revoke_access(user=owner, grant=grant)
        with pytest.raises(NotVisibleError):
            services.change_grant(user=owner, grant=grant, permission="view")

    def test_what_has_ended_goes_on_once_its_end_is_changed(
        self, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        grant = services.grant_access(user=owner, media=media, to=stranger)
        Grant.objects.update(expires_at=timezone.now() - timedelta(days=1))
        grant.refresh_from_db()
        services.change_grant(user=owner, grant=grant, permission="edit")
        assert not can_access(stranger, media)
        services.change_grant(user=owner, grant=grant, expires_at=None)
        assert can_access(stranger, media, Action.EDIT)

    def test_works_for_a_collection(self, album: Collection, owner: Any, stranger: Any) -> None:
        grant = services.grant_access(user=owner, media=album, to=stranger)
        assert can_access_collection(stranger, album)
        assert _acts(collection_id=album.pk, media_id=None) == [Act.GRANTED]
        services.revoke_access(user=owner, grant=grant)
        assert not can_access_collection(stranger, album)
        assert _acts(collection_id=album.pk) == [Act.GRANTED, Act.REVOKED]
        with pytest.raises(ForbiddenError):
            services.grant_access(user=stranger, media=album, to=owner)

    def test_revoking_ends_it_at_once(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        grant = services.grant_access(user=owner, media=media, to=stranger)
        services.revoke_access(user=owner, grant=grant)
        assert not can_access(stranger, media)
        assert _acts() == [Act.GRANTED, Act.REVOKED]
        with pytest.raises(NotVisibleError):
            services.revoke_access(user=owner, grant=grant)
        assert _acts() == [Act.GRANTED, Act.REVOKED]

    def test_grantees_cannot_pass_it_on(
        self, media: MediaFile, owner: Any, stranger: Any, django_user_model: Any
    ) -> None:
        third = django_user_model.objects.create_user(username="theo")
        grant = services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        AuditEvent.objects.all().delete()
        with pytest.raises(ForbiddenError):
            services.grant_access(user=stranger, media=media, to=third)
        with pytest.raises(ForbiddenError):
            services.revoke_access(user=stranger, grant=grant)
        assert list(Grant.objects.all()) == [grant]
        assert _acts() == []

    def test_refusals_leave_nothing(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        over = timezone.now() - timedelta(seconds=1)
        naive = datetime(2999, 1, 1)  # noqa: DTZ001  # what is tested
        for error, terms in (
            (ExpiryInPastError, {"to": stranger, "expires_at": over}),
            (ExpiryInPastError, {"to": stranger, "expires_at": naive}),
            (OwnerHasAccessError, {"to": owner}),
            (BadRequestError, {"to": stranger, "permission": "delete"}),
        ):
            with pytest.raises(error):
                services.grant_access(user=owner, media=media, **terms)
        assert not Grant.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_a_file_that_is_gone(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        MediaFile.objects.filter(pk=media.pk).delete()
        with pytest.raises(NotVisibleError):
            services.grant_access(user=owner, media=media, to=stranger)


@pytest.mark.django_db(transaction=True)
def test_grants_that_come_at_once_are_one(
    upload: Callable[..., MediaFile], owner: Any, stranger: Any
) -> None:
    media = upload(b"words", "words.txt")
    start, failures = threading.Barrier(4), []

    def give(permission: str) -> None:
        try:
            start.wait(timeout=30)
            services.grant_access(user=owner, media=media, to=stranger, permission=permission)
        except Exception as error:  # told by the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=give, args=(name,)) for name in ("view", "edit") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert Grant.objects.count() == 1
    assert sorted(_acts()) == [Act.GRANT_CHANGED] * 3 + [Act.GRANTED]
    connection.close()


class TestRecipients:
    def test_by_name_and_by_id(self, stranger: Any, group: Group) -> None:
        assert selectors.find_recipient(user="sam") == stranger
        assert selectors.find_recipient(user=stranger.pk) == stranger
        assert selectors.find_recipient(user=str(stranger.pk)) == stranger
        assert selectors.find_recipient(group="Choir") == group
        assert selectors.find_recipient(group=group.pk) == group

    def test_a_text_is_a_name_first(self, stranger: Any, django_user_model: Any) -> None:
        named = django_user_model.objects.create_user(username=str(stranger.pk))
        assert selectors.find_recipient(user=str(stranger.pk)) == named
        assert selectors.find_recipient(user=stranger.pk) == stranger

    def test_by_name_alone(self, stranger: Any, group: Group) -> None:
        assert selectors.find_recipient(user="sam", by_id=False) == stranger
        assert selectors.find_recipient(group="Choir", by_id=False) == group
        for named in ({"user": str(stranger.pk)}, {"group": str(group.pk)}):
            with pytest.raises(UnknownRecipientError):
                selectors.find_recipient(**named, by_id=False)

    @pytest.mark.parametrize("name", ["nobody", "", "\0", "sa%", -1, 10**30, "9" * 200])
    def test_nobody(self, stranger: Any, name: Any) -> None:
        for kind in ("user", "group"):
            with pytest.raises(UnknownRecipientError):
                selectors.find_recipient(**{kind: name})

    def test_whose_account_is_off_is_nobody(self, stranger: Any) -> None:
        stranger.is_active = False
        stranger.save()
        with pytest.raises(UnknownRecipientError):
            selectors.find_recipient(user="sam")


class TestSharingByEditing:
    def test_visibility_needs_the_right_to_share(
        self, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        AuditEvent.objects.all().delete()
        for change in ({"visibility": "public"}, {"share_location": True}):
            with pytest.raises(ForbiddenError):
                services.update_media(user=stranger, media=media, title="Mine now", **change)
        media.refresh_from_db()
        assert (media.title, media.visibility, media.share_location) == ("", "private", False)
        assert _acts() == []

    def test_editors_may_say_what_it_is_already(
        self, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        services.update_media(user=stranger, media=media, title="Words", visibility="private")
        assert MediaFile.objects.get(pk=media.pk).title == "Words"
        assert _acts(act=Act.VISIBILITY) == []

    def test_a_change_is_written_down(self, media: MediaFile, owner: Any) -> None:
        services.update_media(user=owner, media=media, visibility="public", share_location=True)
        event = AuditEvent.objects.get()
        assert (event.act, event.actor, event.media_id) == (Act.VISIBILITY, owner, media.pk)
        assert event.details == {
            "before": {"visibility": "private", "share_location": False},
            "after": {"visibility": "public", "share_location": True},
        }

    def test_a_value_that_there_is_not_leaves_no_trace(self, media: MediaFile, owner: Any) -> None:
        with pytest.raises(Exception, match="visibility"):
            services.update_media(user=owner, media=media, visibility="secret")
        assert not AuditEvent.objects.exists()

    def test_managers_share_what_moderators_do_not(
        self, media: MediaFile, django_user_model: Any
    ) -> None:
        person = django_user_model.objects.create_user(username="mona")
        person.user_permissions.add(Permission.objects.get(codename="change_mediafile"))
        person = django_user_model.objects.get(pk=person.pk)
        services.update_media(user=person, media=media, title="Looked at")
        with pytest.raises(ForbiddenError):
            services.update_media(user=person, media=media, visibility="public")
        person.user_permissions.add(Permission.objects.get(codename="share_mediafile"))
        person = django_user_model.objects.get(pk=person.pk)
        services.update_media(user=person, media=media, visibility="public")
        assert AuditEvent.objects.get(act=Act.VISIBILITY).actor == person


class TestDeletionIsWrittenDown:
    def test_trash_restore_and_for_good(self, media: MediaFile, owner: Any) -> None:
        services.delete_media(user=owner, media=media)
        services.delete_media(user=owner, media=media)
        services.restore_media(user=owner, media=media)
        services.delete_media(user=owner, media=media, permanent=True)
        assert _acts(media_id=media.pk, actor=owner) == [Act.TRASHED, Act.RESTORED, Act.DELETED]

    def test_the_end_of_the_trash_is_nobodys_act(self, media: MediaFile, owner: Any) -> None:
        services.delete_media(user=owner, media=media)
        MediaFile.objects.update(deleted_at=timezone.now() - timedelta(days=365))
        assert services.empty_trash() == 1
        event = AuditEvent.objects.get(act=Act.DELETED)
        assert (event.actor, event.actor_name, event.media_id) == (None, "", media.pk)

    def test_refusals_are_not(self, media: MediaFile, stranger: Any) -> None:
        for act in (services.delete_media, services.restore_media):
            with pytest.raises(ForbiddenError):
                act(user=stranger, media=media)
        assert not AuditEvent.objects.exists()


class TestLooks:
    def test_only_what_the_role_opens(self, media: MediaFile, staff: Any, owner: Any) -> None:
        services.maybe_note_look(user=owner, media=media)
        assert _acts() == []
        services.maybe_note_look(user=staff, media=media)
        services.maybe_note_look(user=staff, media=media)
        assert _acts(actor=staff, media_id=media.pk) == [Act.VIEWED]

    def test_once_in_a_while(self, media: MediaFile, staff: Any) -> None:
        services.maybe_note_look(user=staff, media=media)
        AuditEvent.objects.update(created_at=timezone.now() - timedelta(hours=1))
        services.maybe_note_look(user=staff, media=media)
        assert _acts() == [Act.VIEWED, Act.VIEWED]

    def test_also_what_lies_in_a_collection_that_only_the_role_opens(
        self, media: MediaFile, album: Collection, staff: Any, owner: Any
    ) -> None:
        CollectionItem.objects.create(collection=album, media=media, position=1, added_by=owner)
        Grant.objects.create(collection=album, user=staff, granted_by=owner)
        services.maybe_note_look(user=staff, media=media)
        assert _acts() == []
        Grant.objects.all().delete()
        services.maybe_note_look(user=staff, media=media)
        assert _acts() == [Act.VIEWED]

    def test_not_what_everybody_sees_or_what_was_granted(
        self, media: MediaFile, staff: Any, owner: Any
    ) -> None:
        Grant.objects.create(media=media, user=staff, granted_by=owner)
        services.maybe_note_look(user=staff, media=media)
        Grant.objects.all().delete()
        services.update_media(user=owner, media=media, visibility="unlisted")
        media.refresh_from_db()
        services.maybe_note_look(user=staff, media=media)
        assert _acts(act=Act.VIEWED) == []
