import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        ("sync.journal", "False"),
        ("sync.city.service", "False"),
        ("sync.orm, sync.city.postgres", "True"),
    ],
)
def test_psycopg_is_loaded_for_a_city_on_postgres_alone(modules: str, found: str) -> None:
    """It takes longer to import than all the rest of a kiosk's database code."""
    look = f"import sys, {modules}; print('psycopg' in sys.modules)"
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.stdout.strip() == found
