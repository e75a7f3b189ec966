"""In every world the one rule gives one answer: for one file, for a set, in lists, for a page.

ASVS V8.2: what is found here in generated worlds, the access matrix finds in addresses.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from apps.media import policies
from apps.media.models import Collection, MediaFile
from apps.media.policies import Action
from apps.media.tests.policies.expectation import Expectation
from apps.media.tests.policies.worlds import Rows, World, worlds, written

generated = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # making a failing world smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.django_db
@generated
@given(world=worlds())
def test_one_rule_for_files(world: World) -> None:
    with written(world) as rows:
        for visitor in range(len(rows.visitors)):
            _check_files(Expectation(world, visitor), rows, visitor)


def _check_files(expected: Expectation, rows: Rows, visitor: int) -> None:
    user, media = rows.visitors[visitor], rows.media
    may = {
        action: {file.pk for file in media if policies.can_access(user, file, action)}
        for action in Action
    }
    for action in Action:
        expectation = {file.pk for at, file in enumerate(media) if expected.may(action, at)}
        assert may[action] == expectation, action
        assert may[action] <= may[Action.VIEW], action
    assert _found(policies.visible_to(user)) == may[Action.VIEW]
    assert _found(policies.editable_by(user)) == may[Action.EDIT]

    listed = _found(policies.listed_for(user))
    assert listed == {file.pk for at, file in enumerate(media) if expected.finds(at)}
    assert listed <= may[Action.VIEW]
    assert listed == set().union(*(_found(way) for way in policies.ways_into_lists(user)))

    newest = _found(policies.listed_for(user, newest=True))
    assert newest == {
        file.pk
        for file in media
        if file.pk in listed and (file.is_settled or file.pk in may[Action.EDIT])
    }

    visible = [file for file in media if file.pk in may[Action.VIEW]]
    rights = policies.rights_among(user, visible)
    asked = set(Action) - {Action.READ}
    assert {key: held & asked for key, held in rights.items()} == {
        file.pk: {action for action in asked if file.pk in may[action]} for file in visible
    }


def _found(condition: object) -> set[object]:
    return set(MediaFile.objects.filter(condition).values_list("pk", flat=True))


@pytest.mark.django_db
@generated
@given(world=worlds())
def test_one_rule_for_collections(world: World) -> None:
    with written(world) as rows:
        for visitor in range(len(rows.visitors)):
            _check_collections(Expectation(world, visitor), rows, visitor)


def _check_collections(expected: Expectation, rows: Rows, visitor: int) -> None:
    user, every = rows.visitors[visitor], rows.collections
    for action in set(Action) - {Action.READ, Action.ATTACH}:
        may = {row.pk for row in every if policies.can_access_collection(user, row, action)}
        wanted = {row.pk for at, row in enumerate(every) if expected.may_with_folder(action, at)}
        assert may == wanted, action
    visible = _collections(policies.collections_visible_to(user))
    assert visible == {
        row.pk for row in every if policies.can_access_collection(user, row, Action.VIEW)
    }
    listed = _collections(policies.collections_listed_for(user))
    assert listed == {row.pk for at, row in enumerate(every) if expected.finds_folder(at)}
    assert listed <= visible


def _collections(condition: object) -> set[object]:
    return set(Collection.objects.filter(condition).values_list("pk", flat=True))
