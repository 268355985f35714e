from django.db import migrations, models


class Migration(migrations.Migration):
    """Renames in the code only: tables and columns keep the names that older versions use."""

    dependencies = [
        ('feedback', '0002_arrivals'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel(old_name='WayIn', new_name='Receiver'),
                migrations.AlterModelTable(name='receiver', table='feedback_wayin'),
                migrations.RenameField(
                    model_name='incomingmail', old_name='way', new_name='receiver'
                ),
                migrations.AlterField(
                    model_name='incomingmail',
                    name='receiver',
                    field=models.CharField(db_column='way', help_text='name of the receiver that took it in', max_length=100),
                ),
                migrations.RenameField(
                    model_name='incomingmail', old_name='deed', new_name='done'
                ),
                migrations.AlterField(
                    model_name='incomingmail',
                    name='done',
                    field=models.CharField(blank=True, db_column='deed', help_text='left, complained, …', max_length=16),
                ),
            ],
        ),
    ]
