"""Names of fields and models stand where these are made; sites that ran this before know its name."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0017_names_of_fields'),
        ('users', '0003_pictures'),
    ]

    operations = []
