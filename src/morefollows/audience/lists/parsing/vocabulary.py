"""Words in lists of readers: headings, statuses, yes and no, in the languages of Western Europe.

They are compared in compact form (`compact`): without accents, capitals, blanks and punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from morefollows.audience.models import Reader

State = Reader.State


@lru_cache(4096)
def compact(text: str) -> str:
    """Keep only letters and digits, lower case, without accents: "E-Mail" becomes "email"."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _set(words: str) -> frozenset[str]:
    """The words in compact form. They are separated by commas."""
    return frozenset(map(compact, words.split(",")))


_ADDRESS = _set(
    "email, e-mail address, email adress, mail, mail address, recipient, e-mail-adresse, "
    "mailadresse, mail-adresse, "
    "e-post, e-postadresse, courriel, adresse e-mail, adresse mail, adresse courriel, adresse de "
    "messagerie, correo, "
    "correo electrónico, dirección de correo, dirección de correo electrónico, dirección email, "
    "e-mailadres, mailadres, "
    "posta elettronica, indirizzo email, indirizzo e-mail, indirizzo mail, indirizzo di posta "
    "elettronica, "
    "endereço de e-mail, adres e-mail, subscriber email, contact email, contactemail, user email, "
    "member email, "
    "primary email, email 1, e-mail 1 - value, emails, email id, customer email, reader email"
)
_VAGUE_ADDRESS = _set(
    "address, adresse, adres, indirizzo, dirección, subscriber, contact, abonnent, abonné"
)


def is_address_heading(name: str) -> bool:
    """Whether a column of this name may hold email addresses."""
    return compact(name) in _ADDRESS or compact(name) in _VAGUE_ADDRESS


def address_rank(heading: str) -> int:
    """How certain it is that a column holds addresses: 0 is most certain, 9 unknown.

    `heading`: in compact form.
    """
    if heading in ("email", "emailaddress"):
        return 0
    return 1 if heading in _ADDRESS else 2 if heading in _VAGUE_ADDRESS else 9


GIVEN_AT = _set(
    "given at, subscribed at, subscription date, subscription time, subscribe date, subscribed on, "
    "subscribed, "
    "date subscribed, date of subscription, sign-up date, signup time, signed up at, signed up, "
    "sign-up at, signed up on, "
    "opt-in time, opt-in date, opt-in at, opted in at, opt-in timestamp, opt-in datum, joined, "
    "joined at, join date, "
    "date joined, consent date, consent at, consent given at, consented at, date of consent, gdpr "
    "consent date, "
    "Anmeldedatum, angemeldet am, angemeldet seit, Anmeldezeit, Anmeldezeitpunkt, "
    "Eintragungsdatum, eingetragen am, "
    "Einwilligung am, Einwilligungsdatum, Datum der Einwilligung, date d'inscription, date "
    "inscription, inscrit le, "
    "abonné le, date d'abonnement, date de consentement, date du consentement, fecha de "
    "suscripción, fecha de alta, "
    "fecha alta, suscrito el, fecha de consentimiento, inschrijfdatum, aanmelddatum, aangemeld op, "
    "ingeschreven op, "
    "datum inschrijving, data di iscrizione, data iscrizione, iscritto il, data consenso, data del "
    "consenso"
) - {"subscribed"}
CONFIRMED_AT = _set(
    "confirmed at, confirmation time, confirm time, confirmation date, confirm date, confirmed on, "
    "date confirmed, "
    "double opt-in at, double opt-in date, double opt-in time, DOI-Datum, DOI date, verified at, "
    "bestätigt am, "
    "Bestätigungsdatum, Bestätigungszeit, confirmé le, date de confirmation, confirmado el, fecha "
    "de confirmación, bevestigd op, confermato il, data di conferma, data conferma"
)
GIVEN_FROM = _set(
    "given from, opt-in ip, optin ip address, signup ip, subscription ip, subscribed ip, consent ip"
)
CONFIRMED_FROM = _set("confirmed from, confirm ip, confirmation ip, confirmed ip, double opt-in ip")
LANGUAGE = _set("language, lang, locale, Sprache, langue, idioma, taal, lingua")
TOPICS = _set("topics, topic, Themen, Thema")
STATUS = _set("status, state, subscription status, email status, statut, estado, stato")

# Parts of compact headings of columns that may say who must not be mailed.
_TELLTALE = re.compile(
    "unsub|subscri|optin|optout|optedin|optedout|opted|bounc|complain|suppress|blacklist|blocklist|"
    "blocked|donot|dontmail|nomail|noemail|consent|permission|permit|marketing|gdpr|rgpd|dsgvo|"
    "status|state|disabled|enabled|active|clean|newsletter|deliverab|spam|abuse|accept|agree|allow|"
    "contactable|mailable|emailok|mailok|okto|canemail|cancontact|receive|wants|stop|remov|delet|"
    "exclu|invalid|revok|withdr|cancel|quit|lapsed|dormant|verified|validat|unreach|refus|reject|"
    "declin|object|ausgetrag|austrag|austritt|abgemeld|abmeld|abbestell|gesperrt|sperr|aktiv|"
    "widerruf|widerspr|zustell|einwillig|zustimm|erlaub|werbung|werbe|kundig|geloscht|beschwerde|"
    "unzustell|ungultig|rucklauf|abonn|desinscri|inscri|consentement|actif|bloqu|plainte|statut|"
    "supprim|resili|rebond|opposition|nepas|exclu|retir|accord|baja|cancelad|suscri|rebot|rechaz|"
    "consentim|activo|activa|queja|estado|nocontact|elimin|acepta|autoriz|uitgeschrev|uitschrij|"
    "afgemeld|afmeld|opgezegd|geblokk|toestemming|actief|klacht|geweigerd|verwijderd|ingeschrev|"
    "abonnee|iscri|cancellat|bloccat|consenso|attiv|stato|reclam|rimbalz|rimoss|revoc|rifiut|"
    "disdett|autorizz|annull|descadastr|avregistr|samtyk|samtyck|zgoda|wypis|robinson|verstorb|"
    "deceased|decede|fallec|overled|decedut|npai|nodesea|recib|nieuwsbrief|opzeg|rundbrief|"
    "infolettre|boletin"
)
_EXACTLY = _set("dnc, out, left, gone, mail ok, ok, news, mailing, mailings, mail?, active?")


def may_tell_who_left(heading: str) -> bool:
    """Whether a column may say who opted out or who may be mailed. `heading`: in compact form."""
    return heading in _EXACTLY or bool(_TELLTALE.search(heading))


_NO_CONSENT = _set(
    "name, first name, last name, full name, surname, middle name, title, salutation, gender, sex, "
    "initials, id, "
    "user id, city, town, country, company, phone, Vorname, Nachname, Name, Anrede, Titel, "
    "Geschlecht, Ort, Land, Firma, "
    "prénom, nom, civilité, genre, sexe, ville, pays, nombre, apellido, apellidos, género, sexo, "
    "ciudad, país, naam, "
    "voornaam, achternaam, aanhef, geslacht, plaats, nome, cognome, titolo, sesso, città, paese"
)


def is_about_the_person(heading: str) -> bool:
    """Whether a column holds a name, a place or the like. `heading`: in compact form."""
    return heading in _NO_CONSENT


_WORDS: dict[State, str] = {
    State.CONFIRMED: (
        "confirmed, active, enabled, subscribed, opted in, opt-in, double opt-in, bestätigt, "
        "aktiv, "
        "angemeldet, abonniert, eingetragen, abonné, abonnée, inscrit, inscrite, confirmé, actif, "
        "activo, suscrito, "
        "confirmado, alta, actief, ingeschreven, bevestigd, aangemeld, attivo, iscritto, confermato"
    ),
    State.PENDING: (
        "pending, unconfirmed, nonsubscribed, non-subscribed, unverified, not confirmed, awaiting "
        "confirmation, awaiting, validating, invited, single opt-in, soft bounced, soft "
        "bounce, softbounce, paused, "
        "unbestätigt, nicht bestätigt, ausstehend, unbekannt, unknown, en attente, non confirmé, "
        "pendiente, "
        "sin confirmar, no confirmado, onbevestigd, niet bevestigd, in afwachting, in attesa, non "
        "confermato"
    ),
    State.UNSUBSCRIBED: (
        "left, unsubscribed, unsubscribe, unsub, not subscribed, no longer subscribed, disabled, "
        "blocklisted, "
        "blacklisted, blocked, suppressed, opted out, opt-out, inactive, deactivated, removed, "
        "deleted, cancelled, "
        "canceled, archived, excluded, revoked, withdrawn, stopped, do not contact, do not mail, "
        "do not email, dnc, "
        "no consent, abgemeldet, abbestellt, ausgetragen, inaktiv, gesperrt, blockiert, gelöscht, "
        "widerrufen, "
        "widersprochen, gekündigt, désabonné, désabonnée, désinscrit, désinscrite, inactif, "
        "bloqué, supprimé, résilié, "
        "dado de baja, de baja, baja, cancelado, inactivo, bloqueado, eliminado, desuscrito, "
        "uitgeschreven, afgemeld, "
        "inactief, geblokkeerd, verwijderd, opgezegd, disiscritto, cancellato, inattivo, bloccato, "
        "rimosso, disabilitato, revocato"
    ),
    State.HARD_BOUNCED: (
        "gone, bounced, bounce, hard bounced, hard bounce, hardbounce, cleaned, invalid, "
        "undeliverable, "
        "unzustellbar, ungültig, rejeté, rebotado, rebote, ongeldig, rimbalzato"
    ),
    State.COMPLAINED: (
        "complained, complaint, marked as spam, spam, spam complaint, spam report, reported spam, "
        "abuse, Beschwerde, als Spam gemeldet, plainte, queja, klacht, reclamo"
    ),
}
# Every word for a status, ours and other tools', in compact form, with its state here.
STATUSES: dict[str, State] = {
    word: state for state, words in _WORDS.items() for word in _set(words)
}

_SAYS_LITTLE = frozenset({"left", "gone", "unknown", "out", "abuse", "baja", "stopped"})
_AWAY = frozenset(
    word
    for word, state in STATUSES.items()
    if state in (State.UNSUBSCRIBED, State.HARD_BOUNCED, State.COMPLAINED)
    and word not in _SAYS_LITTLE
)
_PIECES = re.compile(r"[;,|/:=()\n\[\]\"]")
_LONGEST_WORD = 40  # characters
_LONGEST_REMARK = 100  # characters; a longer cell is free text and is not searched
_REMARK = re.compile(
    r"unsub|opt(?:ed)?[ _-]?out|\bbounced?\b|do not (?:e-?mail|mail|contact|send)|no (?:more "
    r")?(?:e-?mails?|mailings?)\b|blacklist|blocklist|spam complaint|no longer wants|abgemeld|"
    r"abbestell|keine (?:e-?mails?|newsletter|werbung)|widerruf|d[ée]sabonn|d[ée]sinscri|ne pas "
    r"contacter|plus d'e-?mails?|dad[oa] de baja|no contactar|no enviar|uitgeschreven|afgemeld|"
    r"geen (?:e-?mails?|nieuwsbrief)|disiscritt|non contattare|non inviare|"
    # as people put it in a column of notes
    r"\btak(?:e|en|ing) (?:\w+ ){0,2}off\b|\boff (?:the|our|my|your|this) (?:\w+ )?list|"
    r"\bremov(?:e|ed|al)\b.{0,30}\blist|\b(?:does(?:n['’]t| not)|do(?:n['’]t| not)) want|"
    r"\bstop (?:sending|mailing|e-?mail|writing)|\bno longer\b|nicht mehr|nicht anschreiben|"
    r"(?:will|möchte|wünscht) (?:kein|nicht)|ne (?:veut|souhaite|plus)\b|n['’]en veut plus|"
    r"no quiere|ya no\b|niet meer|wil geen|non vuole|non (?:desidera|scrivere)",
    re.IGNORECASE,
)


def tells_who_left(cell: str) -> bool:
    """Whether a cell says that its reader left, bounced or complained.

    Either the cell or a piece of it (see `_PIECES`) is such a word, or `_REMARK` is found in it.
    """
    if not cell or cell.isdecimal():
        return False
    if len(cell) <= _LONGEST_REMARK and _REMARK.search(cell):
        return True
    if len(cell) <= _LONGEST_WORD and compact(cell) in _AWAY:
        return True
    if not _PIECES.search(cell):
        return False
    return any(
        len(piece) <= _LONGEST_WORD and compact(piece) in _AWAY for piece in _PIECES.split(cell)
    )


_YES = _set(
    "yes, y, true, t, 1, x, on, ja, j, oui, o, si, sí, s, sim, vero, wahr, vrai, verdadero, waar, "
    "ok, checked"
)
_NO = _set("no, n, false, f, 0, off, nein, non, nee, não, falso, falsch, faux, onwaar, unchecked")
_NOTHING = _set(
    "null, none, nil, n/a, na, never, nie, jamais, nunca, nooit, mai, #n/a, keine, leer, empty"
)
_NO_DATE = re.compile(r"0000-00-00.*|1970-01-01T?.*|01[./]01[./]1970.*|\\N")


def is_yes(cell: str) -> bool:
    """Whether a cell is a word or a sign for yes."""
    return compact(cell) in _YES or cell.strip() in ("✓", "✔", "☑", "✅")


def is_no(cell: str) -> bool:
    """Whether a cell is a word or a sign for no."""
    return compact(cell) in _NO or cell.strip() in ("✗", "✘", "☐", "❌")


def is_empty(cell: str) -> bool:
    """Whether a cell is empty, or holds what programs write for an empty value."""
    found = compact(cell)
    return (
        (not found and not is_yes(cell) and not is_no(cell))
        or found in _NOTHING
        or bool(_NO_DATE.fullmatch(cell))
    )


_SUPPRESSED_FILE = re.compile(
    "suppress|unsub|bounce|complain|optout|blacklist|blocklist|abgemeld|abmeld|abbestell|desabonn|"
    "desinscri|uitgeschrev|afgemeld|disiscri|spamreport|donotmail|robinson"
)
_WHY_OR_WHEN = _set(
    "reason, suppression reason, bounce type, bounce reason, bounce class, bounce date, bounced "
    "at, bounced on, "
    "unsubscribe reason, unsubscribed at, unsubscribe date, unsubscribed on, unsubscribe time, "
    "date unsubscribed, "
    "unsub time, opt-out date, opt-out time, opted out at, suppressed at, suppression type, "
    "complained at, "
    "complaint date, complaint type, blocked at, blocklisted at, abgemeldet am, Abmeldedatum, "
    "désinscrit le, "
    "date de désinscription, désabonné le, fecha de baja, uitgeschreven op, data di cancellazione"
)


def names_suppressions(file_name: str) -> bool:
    """Whether the name of a file suggests a list of addresses that must not be mailed."""
    return bool(_SUPPRESSED_FILE.search(compact(file_name)))


def tells_why_or_when(heading: str) -> bool:
    """Whether a column says why or when a reader was suppressed. `heading`: in compact form."""
    return heading in _WHY_OR_WHEN
