"""Whatever validates by the IPTC's schemas is read: items that are generated, and the listings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morefollows.ingest.item import ItemStatus, NewsItem, UnreadableItem
from morefollows.ingest.reading import read_items

WIRES = Path(__file__).parents[3] / "shared" / "input" / "wires"
NINJS = ("1.4", "2.2", "3.0", "3.1")
WORDS = st.text(max_size=30)
SEVERAL: dict[str, Any] = {"max_size": 3}


def _schema(version: str) -> Any:
    return json.loads((WIRES / "ninjs" / f"schema_{version}.json").read_text())


def values_of(schema: Any, root: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that a part of a ninjs schema allows, as far as these schemas go."""
    if "$ref" in schema:
        name = schema["$ref"]
        if not name.startswith("#") or depth > 3:
            return st.just({})
        part = root
        for step in name.lstrip("#/").split("/"):
            part = part[step] if step else part
        return values_of(part, root, depth + 1)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            if schema.get("format") == "date-time":
                return st.datetimes().map(lambda at: at.isoformat() + "Z")
            if "format" in schema:
                return st.just("https://wire.example/1")
            return WORDS if "pattern" not in schema else st.just("1")
        case "number" | "integer":
            most = schema.get("maximum", 1000)
            return st.integers(schema.get("minimum", 0), most)
        case "boolean":
            return st.booleans()
        case "array":
            if depth > 3:
                return st.just([])
            return st.lists(values_of(schema.get("items", {}), root, depth + 1), **SEVERAL)
        case "object":
            return _objects(schema, root, depth)
    return WORDS


def _objects(schema: Any, root: Any, depth: int) -> st.SearchStrategy[Any]:
    parts = {} if depth > 3 else schema.get("properties", {})
    made = {name: values_of(part, root, depth + 1) for name, part in parts.items()}
    required = {name: made[name] for name in schema.get("required", ()) if name in made}
    return st.fixed_dictionaries(
        required, optional={name: one for name, one in made.items() if name not in required}
    )


@pytest.mark.skipif(not WIRES.exists(), reason="the schemas do not come with the project")
@pytest.mark.parametrize("version", NINJS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_valid_ninjs_is_read(version: str, data: st.DataObject) -> None:
    schema = _schema(version)
    item = data.draw(_objects(schema, schema, 0))
    item.setdefault("uri", "urn:a")
    import jsonschema  # loads a grammar, for two seconds

    validator = jsonschema.validators.validator_for(schema)
    without_ids = json.loads(json.dumps(schema).replace('"$id"', '"$comment"'))
    try:
        valid = validator(without_ids).is_valid(item)
    except Exception:  # a reference to another schema, which is not looked up
        valid = True
    if not valid:
        return
    for found in read_items(json.dumps(item).encode(), file_name="item.json"):
        assert isinstance(found, NewsItem)


@pytest.mark.parametrize("raw", ['{"uri": 1}', '{"uri": "a", "headlines": {"value": 3}}', "[{}]"])
def test_what_is_not_valid_is_refused_by_name_or_read_with_doubt(raw: str) -> None:
    try:
        items = read_items(raw.encode(), file_name="item.json")
    except UnreadableItem as error:
        assert error.part == "JSON" and "ninjs" in error.reason
        return
    assert all(item.doubts for item in items)


FIELDS_BY_GENERATION = [
    '{"uri": "urn:a", "version": "7", "pubstatus": "withheld", "urgency": 2,'
    ' "byline": "By Jane Doe",'
    ' "headline": "Bridge falls", "body_xhtml": "<p>Six <b>missing</b>.</p>",'
    ' "ednote": "Call 123"}',
    '{"uri": "urn:a", "version": "7", "pubstatus": "withheld", "urgency": 2, "by": "Jane Doe",'
    ' "headlines": [{"role": "main", "value": "Bridge falls"}],'
    ' "bodies": [{"contenttype": "text/html", "value": "<p>Six <b>missing</b>.</p>"}],'
    ' "ednote": "Call 123"}',
    '{"uri": "urn:a", "version": "7", "pubStatus": "withheld", "urgency": 2, "by": "Jane Doe",'
    ' "headlines": [{"role": "main", "value": "Bridge falls"}],'
    ' "bodies": [{"contentType": "text/html", "value": "<p>Six <b>missing</b>.</p>"}],'
    ' "edNote": "Call 123"}',
]


@pytest.mark.parametrize("raw", FIELDS_BY_GENERATION)
def test_the_three_generations_say_the_same(raw: str) -> None:
    [item] = read_items(raw.encode())
    assert (item.headline, item.text, item.byline) == (
        "Bridge falls",
        "Six **missing**.",
        "Jane Doe",
    )
    assert (item.version, item.urgency, item.status) == (7, 2, ItemStatus.WITHHELD)
    assert item.notes == ("Call 123",) and "Call" not in item.text


G2 = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:a" version="3"
 standard="NewsML-G2" standardversion="2.35" conformance="power" xml:lang="en">
<itemMeta><itemClass qcode="ninat:text"/><provider literal="WNS"/>
<versionCreated>2026-11-28T20:06:00Z</versionCreated>{embargo}<pubStatus qcode="{status}"/>
<edNote>Call 123</edNote>{signal}</itemMeta>
<contentMeta><urgency>1</urgency><by>By Jane Doe</by><headline>Bridge falls</headline></contentMeta>
<contentSet><inlineXML contenttype="application/xhtml+xml">
<html xmlns="http://www.w3.org/1999/xhtml"><body><p>PORT ELLERY (WNS) - Six are missing tonight.</p>
<script>alert(1)</script></body></html></inlineXML></contentSet></newsItem>"""


@pytest.mark.parametrize(
    ("status", "embargo", "signal", "expected"),
    [
        ("stat:usable", "", "", ItemStatus.USABLE),
        ("pubst:canceled", "", "", ItemStatus.CANCELED),
        ("stat:usable", "<embargoed/>", "", ItemStatus.WITHHELD),
        ("stat:usable", "", '<signal qcode="sig:correction"/>', ItemStatus.USABLE),
        ("stat:unheard-of", "", "", ItemStatus.WITHHELD),
    ],
)
def test_newsml_g2(status: str, embargo: str, signal: str, expected: ItemStatus) -> None:
    raw = G2.format(status=status, embargo=embargo, signal=signal)
    [item] = read_items(raw.encode())
    assert (item.id, item.version, item.urgency, item.status) == ("urn:a", 3, 1, expected)
    assert (item.headline, item.byline, item.dateline) == (
        "Bridge falls",
        "Jane Doe",
        "Port Ellery",
    )
    assert item.text == "Six are missing tonight."
    assert "Call 123" in item.notes
    assert bool(item.correction) == bool(signal)


def test_several_items_in_one_message() -> None:
    item = G2.format(status="stat:usable", embargo="", signal="")
    second = item.replace("urn:a", "urn:b")
    raw = f'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{item}{second}'
    items = read_items(f"{raw}</itemSet></newsMessage>".encode())
    assert [one.id for one in items] == ["urn:a", "urn:b"]


@pytest.mark.skipif(not WIRES.exists(), reason="the listings do not come with the project")
def test_the_listings_of_the_specification() -> None:
    for path in sorted((WIRES / "newsml-g2").glob("LISTING*.xml")):
        assert read_items(path.read_bytes(), file_name=path.name)


def test_what_is_no_news_is_named() -> None:
    with pytest.raises(UnreadableItem, match="is a conceptItem, which is no news"):
        read_items(b'<conceptItem xmlns="http://iptc.org/std/nar/2006-10-01/"/>')
