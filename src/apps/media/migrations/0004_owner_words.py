"""Finds words that only owners may find files by, by index on PostgreSQL."""

from django.db import migrations

CREATE = (
    "CREATE INDEX media_owner_words ON media_mediafile USING gin (owner_text gin_trgm_ops)"
    " WHERE owner_text <> ''"
)
DROP = "DROP INDEX media_owner_words"


def _on_postgresql(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("media", "0003_processing")]

    operations = [migrations.RunPython(_on_postgresql(CREATE), _on_postgresql(DROP))]
