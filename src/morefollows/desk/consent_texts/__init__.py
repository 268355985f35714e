"""The wordings of consent and the privacy notice: those in force, and new versions."""
