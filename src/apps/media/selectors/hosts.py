"""Apps whose tables use media files: whether all of them are installed.

Uses are found through the installed models. Where one is missing, its files look unused and its
hosts unknown: whoever removes what nothing uses has to ask here first.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connections, router

from apps.media.models import MediaFile


def list_unknown_references() -> list[str]:
    """The foreign keys to media files that the database has and no installed model explains, as
    `table.column`."""
    target = MediaFile._meta.db_table
    connection = connections[router.db_for_read(MediaFile)]
    introspection = connection.introspection
    explained = _explained()
    with connection.cursor() as cursor:
        return sorted(
            f"{table}.{column}"
            for table in introspection.table_names(cursor)
            for column, reference in introspection.get_relations(cursor, table).items()
            if reference[1] == target and (table, column) not in explained
        )


def _explained() -> set[tuple[str, str | None]]:
    return {
        (model._meta.db_table, field.column)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
    }
