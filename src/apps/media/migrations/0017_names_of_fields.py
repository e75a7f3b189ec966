"""Names of fields and models stand where these are made; sites that ran this before know its name."""

from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('media', '0016_emptying'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = []
