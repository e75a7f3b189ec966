"""Names of fields and models stand where these are made; sites that ran this before know its name."""

from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0002_many_are_told'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = []
