"""Files and pages as newspapers, press offices and agencies have them, with words of our own.

For each: the headline, byline, standfirst, how the text begins and ends, what editors alone may
see, and whether somebody is asked (the headline is not certain, or there is a doubt).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from morefollows.ingest.doubts_translated import is_known_doubt
from morefollows.ingest.item import SURE, NewsItem
from morefollows.ingest.reading import read_items

PATTERNS = Path(__file__).parent / "patterns"
#: A folder of inputs that failed once, which do not come with the project: `STORY_CASES=…`
CASES = Path(os.environ.get("STORY_CASES", "no such folder"))


@dataclass(frozen=True)
class Expected:
    headline: str
    begins: str
    ends: str
    byline: str = ""
    standfirst: str = ""
    dateline: str = ""
    notes: str = ""  #: words that only editors see
    asked: bool = False
    correction: str = ""


EXPECTED = {
    "afp.txt": Expected(
        "Un navire percute un pont à Port Ellery, six disparus (garde-côtes)",
        "Six personnes sont portées",
        "ont annoncé les garde-côtes.",
        dateline="Port Ellery",
        notes="développement suit",
    ),
    "ansa.txt": Expected(
        "Ship hits bridge in Port Ellery, six missing",
        "Six people were missing",
        "through the night.",
        dateline="Port Ellery",
    ),
    "ap.txt": Expected(
        "Ship hits Norland bridge; 6 people missing",
        "A container ship rammed into a major bridge early Saturday, causing",
        "on Saturday morning.",
        byline="Jane Doe",
        dateline="Port Ellery, Norland",
        notes="Eds: UPDATES with quotes",
    ),
    "bbc.txt": Expected(
        "Ship hits bridge at Port Ellery, leaving six people missing",
        "Six people are missing after",
        "closed to all traffic.",
        byline="Jane Doe",
        asked=True,
    ),
    "dpa.txt": Expected(
        "Schiff rammt Hafenbrücke - Sechs Vermisste",
        "Ein Containerschiff hat",
        "Die Suche dauerte am Abend an.",
        dateline="Port Ellery",
        notes="+49 30 0000",
    ),
    "efe.txt": Expected(
        "Seis desaparecidos tras chocar un carguero contra un puente en Port Ellery",
        "Seis personas están",
        "según las autoridades.",
        dateline="Port Ellery",
        notes="Actualiza con declaraciones",
    ),
    "faz.txt": Expected(
        "Sechs Vermisste nach Brückeneinsturz",
        "Nach dem Einsturz",
        "sagte die Einsatzleiterin.",
        byline="Jana Doe, Port Ellery",
        asked=True,
    ),
    "kicker-local.txt": Expected(
        "Mayor knew of bridge's faults for two years, papers show",
        "The mayor was told",
        "she said on Saturday.",
        byline="Jane Doe",
        asked=True,
    ),
    "lemonde.txt": Expected(
        "Un porte-conteneurs percute un pont à Port Ellery, six personnes portées disparues",
        "Six personnes sont portées",
        "leur commandante, Anne Hale.",
        standfirst="Le navire avait perdu",
    ),
    "nyt.txt": Expected(
        "Ship Strikes Harbor Bridge, Leaving Six Missing",
        "A container ship struck",
        "closed the port.",
        byline="Jane Doe and John Roe",
        standfirst="Divers searched the cold water",
    ),
    "pa.txt": Expected(
        "SIX MISSING AFTER SHIP HITS BRIDGE",
        "Six people are missing",
        "below the broken span.",
        byline="Jane Doe, PA",
    ),
    "prnewswire.txt": Expected(
        "Ellery Shipping Statement on Harbor Bridge Incident",
        "Ellery Shipping Inc. confirmed",
        "with the authorities.",
        dateline="Port Ellery",
        notes="+1 555 0100",
    ),
    "reuters.txt": Expected(
        "Ship hits harbour bridge in Norland, six missing",
        "Six people were missing",
        "the harbour master said.",
        byline="Jane Doe",
        dateline="Port Ellery",
        notes="Adds comment from harbour master",
    ),
    "wrapped.txt": Expected(
        "SHIP HITS HARBOUR BRIDGE, SIX MISSING",
        "A container ship hit the harbour bridge in Port Ellery in the early hours of",
        "away from the waterfront.",
    ),
    "zeit.txt": Expected(
        "Containerschiff bringt Hafenbrücke zum Einsturz",
        "Nach der Kollision eines",
        "kündigte eine Untersuchung an.",
        standfirst="Nach der Kollision werden",
        asked=True,
    ),
    "amp.html": Expected(
        "Ship hits bridge; six missing",
        "Six people are missing",
        "the harbour master said.",
        byline="Jane Doe",
    ),
    "blogger.html": Expected(
        "Bridge falls, six missing",
        "The harbour bridge fell",
        "from my window.",
        byline="Jane Doe",
    ),
    "elpais.html": Expected(
        "Un carguero derriba el puente del puerto y deja seis desaparecidos",
        "Seis personas están",
        "dijo su comandante, Ana Hale.",
        byline="Juana Pérez",
        standfirst="El buque perdió",
    ),
    "ghost.html": Expected(
        "Council votes to rebuild the bridge",
        "The council voted",
        "The vote was 21 to 4.",
        byline="Jane Doe",
        standfirst="Work is to begin",
    ),
    "govuk.html": Expected(
        "Statement on the Port Ellery bridge",
        "The Transport Minister, Ann Hale, said:",
        "An inquiry will begin on Monday.",
        standfirst="The Transport Minister has made",
        notes="Newsdesk: 020 7946 0001",
    ),
    "guardian.html": Expected(
        "Six missing after ship hits harbour bridge",
        "![The broken span](https://i.sentinel.example/1.jpg)\n\nSix people are missing after a"
        " container ship hit the harbour bridge in"
        " [Port Ellery](https://sentinel.example/norland/ellery)",
        "- The ship lost power\n- The port is closed\n\nThe prime minister said there would be an"
        " inquiry.",
        byline="Jane Doe, John Roe",
        standfirst="Rescue teams search",
    ),
    "live.html": Expected(
        "Bridge collapse live: six missing as search goes on",
        "## Search to go on overnight\n\nThe coastguard has said",
        "the harbour master says.",
        byline="Jane Doe",
        asked=True,
    ),
    "spiegel.html": Expected(
        "Schiff rammt Hafenbrücke, sechs Menschen vermisst",
        "![](https://c.merkur.example/1.jpg)\n\nEin Containerschiff",
        "den Antrieb verloren.",
        byline="Jana Doe, Port Ellery",
        standfirst="Die Rettungskräfte suchen",
    ),
    "wordpress.html": Expected(
        "Bridge closed after crash", "The harbour bridge is", "by way of Lock Lane.", "Jane Doe"
    ),
    "hugo.md": Expected(
        "Bridge closed: six missing", "The harbour bridge", "are missing.", "Jane Doe, John Roe"
    ),
    "jekyll.md": Expected(
        "Bridge closed: six missing",
        "The harbour bridge is closed.",
        "Six people are **missing**.",
        byline="Jane Doe",
        standfirst="A ship hit the harbour bridge.",
        asked=True,
    ),
    "forward.eml": Expected(
        "Brücke gesperrt",
        "Die Hafenbrücke in Port Ellery",
        "Sechs Menschen werden vermisst.",
        notes="+49 30 0000",
        asked=True,
    ),
}
FAILED_ONCE = {
    "agency-mail.eml": Expected(
        "Schiff rammt Hafenbrücke", "Ein Containerschiff", "Hafenbrücke gerammt."
    ),
    "byline-first.txt": Expected(
        "A container ship rammed into a major bridge early Saturday,"
        " causing it to collapse in seconds",
        "A container ship rammed",
        "it had begun a search.",
        byline="Jane Doe",
        dateline="Port Ellery",
        notes="A reporter in Norwick",
        asked=True,
    ),
    "fragment.html": Expected(
        "Ship hits bridge", "Six people are missing, police said.", "police said."
    ),
    "kicker.txt": Expected(
        "Ship hits harbour bridge, six missing", "A container ship hit", "hours of Saturday."
    ),
    "one-paragraph-a-line.txt": Expected(
        "Ship hits harbour bridge, six missing",
        "A container ship hit the harbour bridge in Port Ellery in the early hours of Saturday, and"
        " six people are missing, the coastguard said.\n\nThe ship had lost power",
        "- Helpline: 0800 111 222\n- Shelter: Quay Street school\n\nThe mayor asked residents to"
        " stay away from the waterfront while the search continues in the coming hours.",
    ),
    "page-furniture.txt": Expected(
        "Bridge collapse: six missing after container ship hits harbour crossing",
        "Six people are missing after a container ship",
        "early hours of Saturday.\n\nThe coastguard said the search continued.",
        byline="Jane Doe and John Roe",
        standfirst="Rescue teams search",
    ),
    "plain-ninjs.json": Expected("Ship hits bridge", "Six people are missing", "police said."),
    "setext.md": Expected(
        "Ship hits bridge", "Six people", "## What we know\n\n- The ship lost power"
    ),
    "table.md": Expected("Quay ward: first result", "| Ward | Votes", "| Lock | 987 | −0.4 |"),
    "wire-header.txt": Expected(
        "Schiff rammt Hafenbrücke - Sechs Vermisste",
        "Ein Containerschiff hat",
        "Die Suche dauerte am Abend an.",
        byline="Jana Doe, wns",
        dateline="Port Ellery",
        notes="+49 30 0000",
    ),
}


def check(item: NewsItem, expected: Expected) -> None:
    assert item.headline == expected.headline
    assert item.text.startswith(expected.begins)
    assert item.text.endswith(expected.ends)
    assert item.byline == expected.byline
    assert item.dateline == expected.dateline
    assert item.standfirst.startswith(expected.standfirst or item.standfirst[:0])
    assert bool(item.standfirst) == bool(expected.standfirst)
    seen = f"{item.headline} {item.standfirst} {item.text} {item.byline}"
    assert expected.notes in " ".join(item.notes)
    assert not expected.notes or expected.notes not in seen
    assert (item.confidence < SURE or bool(item.doubts)) == expected.asked, item.doubts
    assert [one for one in item.doubts if not is_known_doubt(one)] == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_pattern_comes_out_as_an_editor_would_send_it(name: str) -> None:
    [item] = read_items((PATTERNS / name).read_bytes(), file_name=name)
    check(item, EXPECTED[name])


@pytest.mark.skipif(not CASES.exists(), reason="these inputs do not come with the project")
@pytest.mark.parametrize("name", sorted(FAILED_ONCE))
def test_inputs_that_failed_once(name: str) -> None:
    [item] = read_items((CASES / name).read_bytes(), file_name=name)
    check(item, FAILED_ONCE[name])


def test_every_pattern_has_an_expectation() -> None:
    assert {path.name for path in PATTERNS.iterdir()} == EXPECTED.keys()
