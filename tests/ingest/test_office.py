"""What word processors write: the story, and nothing of tracked changes, comments and footnotes."""

from __future__ import annotations

import io
import zipfile

from morefollows.ingest.reading import read_items

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KINDS = "http://schemas.openxmlformats.org/package/2006"
DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document {W} xmlns:r="{R}"><w:body>
<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>Ship hits bridge</w:t></w:r></w:p>
<w:p><w:r><w:t>By Jane Doe</w:t></w:r></w:p>
<w:p><w:r><w:t xml:space="preserve">PORT ELLERY (AP) – Six people are </w:t></w:r>
<w:del w:id="1" w:author="x"><w:r><w:delText>dead</w:delText></w:r></w:del>
<w:ins w:id="2" w:author="x"><w:r><w:rPr><w:b/></w:rPr><w:t>missing</w:t></w:r></w:ins>
<w:r><w:t xml:space="preserve"> after a ship hit the bridge, </w:t></w:r>
<w:hyperlink r:id="rId9"><w:r><w:t>police</w:t></w:r></w:hyperlink><w:r><w:t> said.</w:t></w:r>
<w:r><w:footnoteReference w:id="3"/></w:r></w:p>
<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>What we know</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>
<w:r><w:t>The ship lost power</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Ward</w:t></w:r></w:p></w:tc>
<w:tc><w:p><w:r><w:t>Missing</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>Quay</w:t></w:r></w:p></w:tc>
<w:tc><w:p><w:r><w:t>6</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<w:p><w:r><w:t>The port is closed, the harbour master said.</w:t></w:r></w:p>
</w:body></w:document>"""
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{KINDS}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{KINDS}/relationships"><Relationship Id="rId1" '
    f'Type="{R}/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/_rels/document.xml.rels": f'<Relationships xmlns="{KINDS}/relationships">'
    f'<Relationship Id="rId9" Type="{R}/hyperlink" Target="https://police.example/" '
    f'TargetMode="External"/><Relationship Id="rId2" Type="{R}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId3" Type="{R}/numbering" Target="numbering.xml"/>'
    f'<Relationship Id="rId4" Type="{R}/footnotes" Target="footnotes.xml"/></Relationships>',
    "word/styles.xml": f'<w:styles {W}><w:style w:type="paragraph" w:styleId="Title">'
    '<w:name w:val="Title"/></w:style><w:style w:type="paragraph" w:styleId="Heading2">'
    '<w:name w:val="heading 2"/></w:style></w:styles>',
    "word/numbering.xml": f'<w:numbering {W}><w:abstractNum w:abstractNumId="0"><w:lvl '
    'w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1">'
    '<w:abstractNumId w:val="0"/></w:num></w:numbering>',
    "word/footnotes.xml": f'<w:footnotes {W}><w:footnote w:id="3"><w:p><w:r><w:t>Call Ann '
    "first</w:t></w:r></w:p></w:footnote></w:footnotes>",
    "word/document.xml": DOCUMENT,
}  # fmt: skip
STORY = (
    "Six people are **missing** after a ship hit the bridge, [police](https://police.example/)"
    " said.\n\n## What we know\n\n- The ship lost power\n\n| Ward | Missing |\n|---|---|\n"
    "| Quay | 6 |\n\nThe port is closed, the harbour master said."
)
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
CONTENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="{OASIS}:office:1.0" xmlns:text="{OASIS}:text:1.0"
 xmlns:style="{OASIS}:style:1.0" xmlns:fo="{OASIS}:xsl-fo-compatible:1.0"
 xmlns:table="{OASIS}:table:1.0"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/">
<office:automatic-styles><style:style style:name="T1" style:family="text">
<style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles>
<office:body><office:text><text:tracked-changes><text:changed-region><text:deletion>
<text:p>dead</text:p></text:deletion></text:changed-region></text:tracked-changes>
<text:p text:style-name="Title">Ship hits bridge</text:p>
<text:p>By Jane Doe</text:p>
<text:p>PORT ELLERY (AP) – Six people are <text:span text:style-name="T1">missing</text:span>
 after a ship hit the bridge, <text:a xlink:href="https://police.example/">police</text:a>
 said.<office:annotation><dc:creator>Ann</dc:creator><text:p>Sure?</text:p></office:annotation>
<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>
<text:p>Call Ann first</text:p></text:note-body></text:note></text:p>
<text:h text:outline-level="2">What we know</text:h>
<text:list><text:list-item><text:p>The ship lost power</text:p></text:list-item></text:list>
<table:table><table:table-row><table:table-cell><text:p>Ward</text:p></table:table-cell>
<table:table-cell><text:p>Missing</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell><text:p>Quay</text:p></table:table-cell>
<table:table-cell><text:p>6</text:p></table:table-cell></table:table-row></table:table>
<text:p>The port is closed, the harbour master said.</text:p>
</office:text></office:body></office:document-content>"""
RTF = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}}{\colortbl;\red0\green0\blue0;}
{\*\generator Riched20 10.0;}{\info{\author Jane}{\title Draft}}
\pard\b Schiff rammt Br\'fccke\b0\par
\par Port Ellery (dpa) \u8211? Sechs Menschen werden vermisst, sagte die K\'fcstenwache.\par
\par \'84Wir suchen weiter\ldblquote , sagte ein Sprecher.\par}"""


def packed(parts: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def test_a_docx_is_read_with_links_lists_and_tables() -> None:
    [item] = read_items(packed(PARTS), file_name="story.docx")
    assert (item.headline, item.byline, item.dateline) == (
        "Ship hits bridge",
        "Jane Doe",
        "Port Ellery",
    )
    assert item.text == STORY
    assert item.notes == ("Call Ann first",)
    assert len(item.doubts) == 1 and "footnote" in item.doubts[0]


def test_an_odt_is_read_as_the_same() -> None:
    kind = "application/vnd.oasis.opendocument.text"
    [item] = read_items(packed({"mimetype": kind, "content.xml": CONTENT}), file_name="story.odt")
    assert (item.headline, item.byline, item.text) == ("Ship hits bridge", "Jane Doe", STORY)
    assert item.dateline == "Port Ellery" and not item.doubts


def test_an_rtf_is_read_in_its_code_page() -> None:
    [item] = read_items(RTF, file_name="story.rtf")
    assert (item.headline, item.dateline) == ("Schiff rammt Brücke", "Port Ellery")
    assert item.text.startswith("Sechs Menschen werden vermisst, sagte die Küstenwache.")
    assert not item.doubts


def test_an_rtf_with_tracked_changes_is_doubtful() -> None:
    tracked = RTF.replace(b"Sechs Menschen", rb"{\deleted Zehn }Sechs Menschen")
    [item] = read_items(tracked, file_name="story.rtf")
    assert any("tracked changes" in one for one in item.doubts)
