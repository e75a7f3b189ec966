"""Finds words inside texts by index on PostgreSQL; elsewhere the database scans the owner's rows."""

from django.db import migrations

# Trusted since PostgreSQL 13: the owner of the database may create it.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
CREATE = "CREATE INDEX media_search_words ON media_mediafile USING gin (search_text gin_trgm_ops)"
DROP = "DROP INDEX media_search_words"


def _on_postgresql(*statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("media", "0001_initial")]

    operations = [
        migrations.RunPython(_on_postgresql(EXTENSION, CREATE), _on_postgresql(DROP)),
    ]
