"""Lines of pages below or amid a story: left out or asked about, never mailed unseen."""

from __future__ import annotations

import pytest

from morefollows.ingest.item import SURE
from morefollows.ingest.reading import read_items

STORIES = {
    "en": (
        "Ship hits harbour bridge, six missing",
        "Six people are missing after a container ship hit the harbour bridge on Saturday.",
        "The port is closed to all traffic, the harbour master said.",
        "Divers searched the water below the broken span until dusk.",
    ),
    "de": (
        "Schiff rammt Hafenbrücke, sechs Menschen vermisst",
        "Ein Containerschiff hat am Samstag die Brücke gerammt, sechs Menschen werden vermisst.",
        "Der Hafen ist gesperrt, sagte der Hafenmeister am Abend.",
        "Taucher suchten bis zur Dämmerung unter der Brücke.",
    ),
    "fr": (
        "Un navire percute le pont du port, six disparus",
        "Six personnes ont disparu après qu'un navire a percuté le pont du port samedi.",
        "Le port est fermé à toute navigation, a indiqué le capitaine du port.",
        "Des plongeurs ont fouillé les eaux jusqu'à la tombée de la nuit.",
    ),
    "es": (
        "Un carguero choca contra el puente del puerto y deja seis desaparecidos",
        "Seis personas han desaparecido tras chocar un carguero contra el puente este sábado.",
        "El puerto permanece cerrado al tráfico, según el capitán marítimo.",
        "Los buzos buscaron bajo el puente hasta el anochecer.",
    ),
}
STRAY = {
    "en": [
        "This article was amended on 30 November 2026 to correct a figure.",
        "Read more: What we know about the bridge",
        "Get the day's headlines delivered to your inbox every morning.",
        "Our journalism needs your support.",
        "For more stories like this, follow us on X and Facebook.",
        "You can send us your story ideas.",
        "Additional reporting by Jane Doe.",
        "Reporting by Jane Doe; Editing by John Roe",
        "Copyright 2026 Herald Media. All rights reserved.",
        "To comment, you must be logged in.",
        "This story was first published at 09:30.",
        "Watch: The moment the ship hit the bridge",
        "More on this story: Mayor knew of faults",
        "Support independent journalism from £1 a week",
        "Sponsored by Harbour Bank",
        "Advertisement",
        "Story by Jane Doe",
        "What do you think? Have your say in the comments below",
        "Listen to the best of our podcast here.",
        "Correction: An earlier version gave the wrong name.",
        "Most of our readers also read this:",
        "Contact the newsroom on 020 7946 0000",
        "Sign up here for our breaking news email",
        "Why you can trust us",
        "Join thousands of readers who get our newsletter",
        "Editor’s picks",
        "Image: The bridge on Saturday",
        "A longer version of this story appears in tomorrow's paper.",
        "Get unlimited access for just 99p",
        "Recommended reading",
        "Related: A history of the bridge",
        "Follow Jane Doe on Twitter @janedoe",
        "Jane Doe is a reporter in Norwick.",
        "Update 14:30: The headline was changed.",
    ],
    "de": [
        "Mehr Nachrichten aus der Region finden Sie in unserer App.",
        "Das könnte Sie auch interessieren",
        "Lesen Sie auch: Wie sicher sind unsere Brücken?",
        "Dieser Artikel wurde zuerst am Samstag veröffentlicht.",
        "Mit Material der dpa",
        "© dpa-infocom, dpa:261130-930-1/2",
        "Quelle: dpa",
        "Zur Startseite",
        "Abonnieren Sie unseren Newsletter",
        "Sie haben einen Fehler gefunden? Schreiben Sie uns.",
        "Jetzt weiterlesen mit F+",
        "Kommentare sind geschlossen.",
        "Folgen Sie uns auf WhatsApp",
        "Diese Meldung wurde automatisch erstellt.",
        "Transparenzhinweis: In einer früheren Version stand ein falscher Name.",
        "Weitere Videos",
        "Im Video: Die Brücke nach dem Aufprall",
        "Redaktion: Jana Doe",
        "(jdo/dpa)",
        "Von Jana Doe",
        "Anzeige",
        "Alle Artikel zum Thema",
        "Was denken Sie? Diskutieren Sie mit",
        "Testen Sie jetzt vier Wochen kostenlos",
        "Bild: Die Brücke am Samstag",
        "Hören Sie dazu auch unseren Podcast",
        "Stand: 30.11.2026, 14:20 Uhr",
        "Mehr Informationen zu diesem Thema erhalten Sie um 18 Uhr im Radio.",
    ],
    "fr": [
        "Lire aussi : Le pont, un ouvrage fragile",
        "Abonnez-vous à partir de 1 €",
        "Cet article a été publié le 30 novembre.",
        "Avec AFP",
        "(avec AFP)",
        "Suivez-nous sur WhatsApp",
        "Retrouvez toute l'actualité sur notre application",
        "Découvrez notre newsletter quotidienne",
        "Vous souhaitez réagir ? Laissez un commentaire",
        "À voir également sur Le Phare :",
        "Nos articles les plus lus",
        "La rédaction vous recommande",
        "Votre avis nous intéresse",
        "Photo : le pont samedi",
        "Signaler une erreur",
        "Tous droits réservés",
        "Contenu réservé aux abonnés",
        "Il vous reste 70 % de cet article à lire.",
        "Par Jeanne Doe",
        "Plus d'informations à venir",
        "Pour aller plus loin",
        "Recevez chaque matin l'essentiel de l'actualité",
        "Publié le 30 novembre 2026 à 14h20",
        "Ajouter à mes favoris",
        "Voir les commentaires",
    ],
    "es": [
        "Lea también: Un puente frágil",
        "Suscríbete para seguir leyendo",
        "Síguenos en WhatsApp",
        "Con información de EFE",
        "Puedes seguir toda la actualidad en nuestro canal",
        "Más información en breve",
        "Noticia en ampliación",
        "Te puede interesar",
        "Archivado en: Sucesos",
        "Regístrate gratis y recibe nuestro boletín",
        "Foto: el puente el sábado",
        "Reporta un error",
        "Ver más noticias",
        "Publicado el 30 de noviembre",
        "Por Juana Pérez",
        "© Reproducción reservada",
        "Todos los derechos reservados",
        "Puede consultar la última Carta del director",
        "Temas relacionados",
        "Normas de uso de los comentarios",
        "Esta noticia se ha actualizado a las 14.20",
        "Únete a nuestra comunidad de lectores",
        "La noticia sigue tras la publicidad",
    ],
}


@pytest.mark.parametrize("at", [2, 3])
@pytest.mark.parametrize("language", STORIES)
def test_no_line_of_a_page_is_mailed_unseen(language: str, at: int) -> None:
    """Amid the paragraphs and below them. What the story says stays, and so does its headline."""
    headline, *paragraphs = STORIES[language]
    unseen = []
    for stray in STRAY[language]:
        parts = [headline, *paragraphs[:at], stray, *paragraphs[at:]]
        [item] = read_items("\n\n".join(parts).encode(), file_name="page.txt")
        assert item.headline == headline
        assert all(one in item.text for one in paragraphs), stray
        asked = item.confidence < SURE or bool(item.doubts)
        if not asked and stray in f"{item.standfirst} {item.text}":
            unseen.append(stray)
    assert unseen == []


@pytest.mark.parametrize(
    ("below", "asked"),
    [
        (["Read more", "The mayor was told of the faults two years ago."], True),
        (["Read more", "Mayor knew of faults", "The mayor was told of them two years ago."], True),
        (["Read more", "Mayor knew of faults", *STORIES["en"][2:]], False),
    ],
)
def test_a_paragraph_that_may_be_a_boxs_is_asked_about(below: list[str], asked: bool) -> None:
    headline, first = STORIES["en"][:2]
    [item] = read_items("\n\n".join([headline, first, *below]).encode(), file_name="page.txt")
    assert bool(item.doubts) == asked


@pytest.mark.parametrize(
    "sentence",
    [
        "The report was published on Monday, and its authors call for an inquiry.",
        "Der Text wurde am Abend im Parlament verlesen.",
        "A reporter was among the injured, the hospital said.",
        "“You can sign up for the search at the town hall,” the mayor said.",
        "Le rapport est attendu mardi, selon la préfecture.",
        "La información fue confirmada por la policía.",
        "She has written three articles about the bridge.",
    ],
)
def test_a_sentence_of_a_story_is_no_question(sentence: str) -> None:
    headline, *paragraphs = STORIES["en"]
    text = "\n\n".join([headline, *paragraphs[:2], sentence, *paragraphs[2:]])
    [item] = read_items(text.encode(), file_name="page.txt")
    assert sentence in item.text
    assert item.doubts == ()
