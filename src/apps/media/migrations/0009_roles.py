"""Two roles as ordinary groups; what they hold is the operator's to change afterwards."""

from typing import Any

from django.db import migrations

ROLES = {
    "Media managers": (
        "add_mediafile",
        "view_mediafile",
        "change_mediafile",
        "delete_mediafile",
        "share_mediafile",
    ),
    "Media moderators": ("view_mediafile", "delete_mediafile", "review_quarantine"),
}
NAMES = {
    "add_mediafile": "Can add media file",
    "view_mediafile": "Can view media file",
    "change_mediafile": "Can change media file",
    "delete_mediafile": "Can delete media file",
    "share_mediafile": "Can change who sees a media file",
    "review_quarantine": "Can fetch files that are in quarantine",
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    """Permissions are else made after all migrations, too late for this one."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="media", model="mediafile"
    )
    permissions = apps.get_model("auth", "Permission").objects
    groups = apps.get_model("auth", "Group").objects
    for role, held in ROLES.items():
        group, is_new = groups.get_or_create(name=role)
        if not is_new:
            continue  # a group of that name was there: it is not ours to change
        for codename in held:
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": NAMES[codename]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("media", "0008_access"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
