"""People around an author, and posts with files, without running an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.core.storage import ObjectStore
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests.views.test_access_matrix import whole_photo
from apps.posts import services
from apps.posts.models import Post
from apps.users.models import User
from apps.users.services import follow_user


@pytest.fixture
def follower(owner: User) -> User:
    person = User.objects.create_user(username="fred")
    follow_user(user=person, person=owner)
    return person


@pytest.fixture
def visit(
    owner: Any, stranger: Any, staff: Any, follower: Any, browser_of: Callable[[Any], Client]
) -> Callable[[str], Client]:
    people = {
        "anonymous": None,
        "stranger": stranger,
        "follower": follower,
        "author": owner,
        "staff": staff,
    }
    return lambda role: browser_of(people[role])


@pytest.fixture
def photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    """A ready, private file of the author with all that a file can have."""
    return whole_photo(upload, own_storage)


@pytest.fixture
def post(owner: User, photo: MediaFile) -> Post:
    """Words and a photo, for followers."""
    return services.create_post(
        author=owner, text="Secret words", attachments=[AttachmentItem(photo)]
    )
