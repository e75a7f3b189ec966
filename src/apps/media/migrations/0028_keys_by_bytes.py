"""Indexes of keys run by bytes on PostgreSQL, as stores list them.

They take the place of those that ran by the language of the database, one by one and while rows are
written: none is locked. What a migration that broke off left half built is built again.
"""

from django.db import migrations, models
from django.db.models import Q

BY_BYTES = "varchar_pattern_ops"


def _meanwhile(schema_editor):
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}


class _Indexing:
    """Adds or removes an index while rows are written."""

    def add(self, app_label, schema_editor, state):
        if not (model := self._model(app_label, schema_editor, state)):
            return
        index = state.models[app_label, self.model_name_lower].get_index_by_name(self.named)
        if meanwhile := _meanwhile(schema_editor):
            schema_editor.remove_index(model, index, **meanwhile)  # if it is there
        schema_editor.add_index(model, index, **meanwhile)

    def remove(self, app_label, schema_editor, state):
        if not (model := self._model(app_label, schema_editor, state)):
            return
        index = state.models[app_label, self.model_name_lower].get_index_by_name(self.named)
        schema_editor.remove_index(model, index, **_meanwhile(schema_editor))

    def _model(self, app_label, schema_editor, state):
        model = state.apps.get_model(app_label, self.model_name)
        return model if self.allow_migrate_model(schema_editor.connection.alias, model) else None


class AddIndex(_Indexing, migrations.AddIndex):
    @property
    def named(self):
        return self.index.name

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self.add(app_label, schema_editor, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        self.remove(app_label, schema_editor, from_state)


class RemoveIndex(_Indexing, migrations.RemoveIndex):
    @property
    def named(self):
        return self.name

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self.remove(app_label, schema_editor, from_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        self.add(app_label, schema_editor, to_state)


def _replaced(model, field, was, condition=None):
    """The new index first, so that there always is one."""
    index = models.Index(
        fields=[field], name=f"{was}_bytes", opclasses=[BY_BYTES], condition=condition
    )
    return [AddIndex(model_name=model, index=index), RemoveIndex(model_name=model, name=was)]


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL builds indexes meanwhile outside of transactions only
    dependencies = [("media", "0027_adoptions")]

    operations = [
        *_replaced("rendition", "key", "rendition_key", ~Q(key="")),
        *_replaced("rendition", "next_key", "rendition_next_key", ~Q(next_key="")),
        *_replaced("caption", "key", "caption_key"),
        *_replaced("tombstone", "key", "tombstone_key"),
        *_replaced("upload", "final_key", "upload_final_key", ~Q(final_key="")),
    ]
