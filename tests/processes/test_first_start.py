"""What `up` prepares before its processes start."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from morefollows.audience import seeds
from morefollows.processes.supervision import first_start


@pytest.mark.django_db
@pytest.mark.parametrize(("percent", "wanted"), [(90.0, True), (0.0, False)])
def test_an_objective_set_by_the_environment_starts_the_watcher(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, percent: float, wanted: bool
) -> None:
    for module, names in (
        (first_start.bootstrap, ("start_django", "migrate", "replay_departures")),
        (first_start.up_jobs, ("release_claims_of_last_run",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, lambda **_options: None)
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, data=tmp_path, objective_percent=percent
    )
    first_start.prepare_data(sample=False, administrator="ada@herald.example")
    assert seeds.watcher_wanted_file(tmp_path).exists() is wanted
