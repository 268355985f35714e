"""Groups of settings by subject. `config.settings` puts them together with the rest."""
