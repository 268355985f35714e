BEGIN TRANSACTION;
CREATE TABLE "accounts_editor" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "email" varchar(254) NOT NULL UNIQUE, "name" varchar(100) NOT NULL, "role" varchar(20) NOT NULL, "writes_offers" bool NOT NULL, "is_active" bool NOT NULL, "created_at" datetime NOT NULL);
INSERT INTO "accounts_editor" VALUES(1,'!bi8jIxqhosYu8Pjcte4sJWsIv3J4WyH3u8dRJIjg',NULL,'desk@newsroom.example','Administrator','administrator',0,1,'2026-11-29 11:37:32.850772');
CREATE TABLE "accounts_failedsignins" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "key" varchar(64) NOT NULL UNIQUE, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "last_at" datetime NOT NULL, "wait_until" datetime NULL);
CREATE TABLE "audience_bounce" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "first_at" datetime NOT NULL, "counted_at" datetime NOT NULL, "last_at" datetime NOT NULL, "count" smallint unsigned NOT NULL CHECK ("count" >= 0), "status" varchar(12) NOT NULL, "relay" varchar(300) NOT NULL, "provider" varchar(255) NOT NULL, "reader_id" bigint NOT NULL UNIQUE);
CREATE TABLE "audience_consent" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "purpose" varchar(10) NOT NULL, "event" varchar(10) NOT NULL, "how" varchar(12) NOT NULL, "at" datetime NOT NULL, "words" text NOT NULL, "version" integer unsigned NULL CHECK ("version" >= 0), "privacy_version" integer unsigned NULL CHECK ("privacy_version" >= 0), "language" varchar(10) NOT NULL, "page" varchar(500) NOT NULL, "form_version" varchar(20) NOT NULL, "client_address" varchar(45) NOT NULL, "reader_id" bigint NOT NULL REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED, "topic_id" bigint NULL REFERENCES "audience_topic" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "audience_consent" VALUES(1,'alerts','confirmed','import','2026-05-04 00:00:00','Paper form at the fair',NULL,NULL,'en','','','',1,1);
INSERT INTO "audience_consent" VALUES(2,'alerts','confirmed','import','2026-05-04 00:00:00','Paper form at the fair',NULL,NULL,'en','','','',2,1);
INSERT INTO "audience_consent" VALUES(3,'alerts','confirmed','import','2026-05-04 00:00:00','Paper form at the fair',NULL,NULL,'en','','','',3,1);
INSERT INTO "audience_consent" VALUES(4,'alerts','confirmed','import','2026-05-04 00:00:00','Paper form at the fair',NULL,NULL,'en','','','',4,1);
INSERT INTO "audience_consent" VALUES(5,'alerts','withdrawn','link','2026-11-29 11:37:41.958165','',NULL,NULL,'','','','',3,1);
CREATE TABLE "audience_departuremark" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "log" varchar(40) NOT NULL UNIQUE, "at_ms" bigint NOT NULL);
CREATE TABLE "audience_drillreader" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "added_at" datetime NOT NULL, "confirmed_at" datetime NULL, "added_by_id" bigint NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "reader_id" bigint NOT NULL UNIQUE REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "audience_erasedreader" ("number" bigint NOT NULL PRIMARY KEY, "uid" BLOB DEFAULT (randomblob(16)) NOT NULL);
CREATE TABLE "audience_erasure" ("reader_id" bigint NOT NULL PRIMARY KEY REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "audience_keycheck" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(40) NOT NULL UNIQUE, "value" varchar(64) NOT NULL);
INSERT INTO "audience_keycheck" VALUES(1,'address','8a49b958841d3654da86c5984907ce9d1e65bde750aac900d73672e697b42dd5');
INSERT INTO "audience_keycheck" VALUES(2,'generation 1','d8105f3af0b1bb8b195c513bef8a96678d85344738be315cd72ef4f4ebec668b');
CREATE TABLE "audience_letter" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "kind" varchar(14) NOT NULL, "bulk" bool NOT NULL, "address" varchar(320) NOT NULL, "domain" varchar(255) NOT NULL, "since_ms" bigint NULL, "until_ms" bigint NULL, "uid" BLOB DEFAULT (randomblob(16)) NOT NULL, "offers" bool NOT NULL, "created_at" datetime NOT NULL, "state" varchar(10) NOT NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "due_at_ms" bigint NOT NULL, "unanswered" smallint unsigned DEFAULT 0 NOT NULL CHECK ("unanswered" >= 0), "worker" varchar(40) NOT NULL, "lease_version" integer unsigned DEFAULT 0 NOT NULL CHECK ("lease_version" >= 0), "reader_id" bigint NOT NULL REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED, "topic_id" bigint NULL REFERENCES "audience_topic" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "audience_newsroom" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(100) NOT NULL, "sender_name" varchar(100) NOT NULL, "sender_address" varchar(254) NOT NULL, "postal_address" varchar(300) NOT NULL, "time_zone" varchar(60) NOT NULL, "language" varchar(10) NOT NULL);
INSERT INTO "audience_newsroom" VALUES(1,'The Harbour Herald','The Harbour Herald','alerts@herald.example','12 Ropewalk, Port Ellery','Europe/London','en');
CREATE TABLE "audience_reader" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "address" varchar(320) NOT NULL, "key" varchar(64) NOT NULL UNIQUE, "domain" varchar(255) NOT NULL, "language" varchar(10) NOT NULL, "uid" BLOB DEFAULT (randomblob(16)) NOT NULL, "state" varchar(12) NOT NULL, "created_at" datetime NOT NULL, "confirmed_at" datetime NULL, "offers" bool NOT NULL, "has_preferences" bool NOT NULL, "frequency" varchar(6) NOT NULL, "quiet_from" smallint unsigned NULL CHECK ("quiet_from" >= 0), "quiet_to" smallint unsigned NULL CHECK ("quiet_to" >= 0), "time_zone" varchar(60) NOT NULL, "flash_passes" bool NOT NULL, "most_a_day" smallint unsigned NULL CHECK ("most_a_day" >= 0), "paused_until" datetime NULL, "summary_from_ms" bigint NULL, "summary_at_ms" bigint NULL, "links_version" integer unsigned NOT NULL CHECK ("links_version" >= 0), CONSTRAINT "confirmed_reader_has_an_address" CHECK ((NOT ("state" = 'confirmed') OR NOT ("address" = '' OR "domain" = ''))));
INSERT INTO "audience_reader" VALUES(1,'cy@reader.example','003582fdc77f6bbce6d1b76ee82a84233dec788fa3e720093c165fdf4993a1ab','reader.example','en',X'430F106CD0F1568AE159DC6615C05CF1','confirmed','2026-11-29 11:37:38.929691','2026-05-04 00:00:00',0,0,'every',NULL,NULL,'',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "audience_reader" VALUES(2,'dee@reader.example','be9e3046a82527e0937fba35d186a515d8f4063ce9438f6ed5d1dfca65e5d089','reader.example','en',X'33AC7596A16A27D3E1D3691568C64529','hard bounced','2026-11-29 11:37:38.929691','2026-05-04 00:00:00',0,0,'every',NULL,NULL,'',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "audience_reader" VALUES(3,'eve@reader.example','b3f9adcb26509a4b0cb74edddf3d6895ca1a6c90200d4f3ed68e1be55fe514c0','reader.example','en',X'B9FAC32D8DF4BD939298252288597307','unsubscribed','2026-11-29 11:37:38.929691','2026-05-04 00:00:00',0,0,'every',NULL,NULL,'',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "audience_reader" VALUES(4,'flo@reader.example','f41e3855b9e773b6c461e0548acdcf197fa8a9c4a49d40fc69e7e5337be4f9e0','reader.example','en',X'CE87CBB8833194992015D103EED81BD3','confirmed','2026-11-29 11:37:38.929691','2026-05-04 00:00:00',0,1,'digest',NULL,NULL,'',0,NULL,NULL,NULL,NULL,0);
CREATE TABLE "audience_seal" ("number" bigint NOT NULL PRIMARY KEY, "table" varchar(40) NOT NULL, "last" bigint NOT NULL, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "format" smallint unsigned NOT NULL CHECK ("format" >= 0), "leaves" BLOB NOT NULL, "previous" varchar(64) NOT NULL, "hash" varchar(64) NOT NULL, "mac" varchar(64) NOT NULL, "at" datetime NOT NULL);
INSERT INTO "audience_seal" VALUES(1,'stories_update',1,1,1,X'789C636440050000200002DA2375A5ACD50A4453B5BE94304E5A02','','4d5ca31c6a100d2b29776f08f63151298e83b89bdb70bbee25ad7edb9848efde','906b601bad87764fc5db32038013ee36dfca0fae05bf618b6ad960c3f4bce8b9','2026-11-29 11:37:42.009821');
CREATE TABLE "audience_sealmark" ("table" varchar(40) NOT NULL PRIMARY KEY, "last" bigint NOT NULL, "at" datetime NOT NULL);
INSERT INTO "audience_sealmark" VALUES('audience_wording',6,'2026-11-29 11:37:41.977119');
INSERT INTO "audience_sealmark" VALUES('audience_consent',5,'2026-11-29 11:37:41.984147');
INSERT INTO "audience_sealmark" VALUES('audit_auditentry',4,'2026-11-29 11:37:41.990472');
CREATE TABLE "audience_signuptally" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "key" varchar(64) NOT NULL UNIQUE, "since" datetime NOT NULL, "count" integer unsigned NOT NULL CHECK ("count" >= 0));
CREATE TABLE "audience_site" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "origin" varchar(261) NOT NULL UNIQUE, "added_at" datetime NOT NULL);
CREATE TABLE "audience_spentwork" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "challenge" varchar(64) NOT NULL UNIQUE, "expires_at" datetime NOT NULL);
CREATE TABLE "audience_subscription" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "state" varchar(8) NOT NULL, "since" datetime NOT NULL, "reader_id" bigint NOT NULL REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED, "topic_id" bigint NOT NULL REFERENCES "audience_topic" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_subscription" UNIQUE ("topic_id", "reader_id"));
INSERT INTO "audience_subscription" VALUES(1,'active','2026-11-29 11:37:38.929691',1,1);
INSERT INTO "audience_subscription" VALUES(2,'active','2026-11-29 11:37:38.929691',2,1);
INSERT INTO "audience_subscription" VALUES(3,'ended','2026-11-29 11:37:41.958165',3,1);
INSERT INTO "audience_subscription" VALUES(4,'active','2026-11-29 11:37:38.929691',4,1);
CREATE TABLE "audience_suppression" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "key" varchar(64) NOT NULL UNIQUE, "reason" varchar(20) NOT NULL, "at" datetime NOT NULL, "domain" varchar(255) NOT NULL, "from_list" bool DEFAULT 0 NOT NULL);
INSERT INTO "audience_suppression" VALUES(1,'be9e3046a82527e0937fba35d186a515d8f4063ce9438f6ed5d1dfca65e5d089','bounced','2026-11-29 11:37:41.946394','reader.example',0);
CREATE TABLE "audience_topic" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "slug" varchar(50) NOT NULL UNIQUE, "name" varchar(100) NOT NULL, "description" varchar(300) NOT NULL, "position" smallint unsigned NOT NULL CHECK ("position" >= 0), "uid" BLOB DEFAULT (randomblob(16)) NOT NULL);
INSERT INTO "audience_topic" VALUES(1,'breaking','Breaking news','The moment it happens, and what follows.',0,X'0457008DD90DC68F51BDE8AF4B12FB7A');
INSERT INTO "audience_topic" VALUES(2,'politics','Politics','Decisions of the city and the country, as they are taken.',1,X'209CB1BD9F65F6F366057229EE30657F');
INSERT INTO "audience_topic" VALUES(3,'weather','Weather warnings','Storms and floods, in time to do something about them.',2,X'2E650F34FA7BA0C3595B3F0360ED243D');
CREATE TABLE "audience_unfinishedimport" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "key" varchar(64) NOT NULL UNIQUE, "line" bigint unsigned NOT NULL CHECK ("line" >= 0), "position" bigint unsigned NOT NULL CHECK ("position" >= 0), "counts" text NOT NULL CHECK ((JSON_VALID("counts") OR "counts" IS NULL)), "changed_at" datetime NOT NULL);
CREATE TABLE "audience_wording" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "kind" varchar(20) NOT NULL, "language" varchar(10) NOT NULL, "version" integer unsigned NOT NULL CHECK ("version" >= 0), "text" text NOT NULL, "digest" varchar(64) NOT NULL, "created_at" datetime NOT NULL, CONSTRAINT "wording_version" UNIQUE ("kind", "language", "version"));
INSERT INTO "audience_wording" VALUES(1,'alerts','en',1,'For free real time alerts sent straight to your inbox sign up to our {topic} emails.','b49b1d51f1d7a83971c7f10413e3d2e1bbe35d24e33ba3b0218bcf09bbd2df97','2026-11-29 11:37:32.698664');
INSERT INTO "audience_wording" VALUES(2,'alerts','de',1,'Kostenlose Eilmeldungen in Echtzeit, direkt in Ihr Postfach: Melden Sie sich für unsere E-Mails „{topic}“ an.','867d6295b33595ab1db19a1863b1360416768e34b15ddfeaa7940188034b522a','2026-11-29 11:37:32.704685');
INSERT INTO "audience_wording" VALUES(3,'offers','en',1,'I would like to be emailed about offers, events and updates.','6324abfb27af2a96af758237007c62fe120681daf9ed038f3d3504b545ced279','2026-11-29 11:37:32.712898');
INSERT INTO "audience_wording" VALUES(4,'offers','de',1,'Ich möchte per E-Mail über Angebote, Veranstaltungen und Neuigkeiten informiert werden.','6ce2e930124afa3cd803017191afb51363d2c55f54ce824dfb1a594771803e3e','2026-11-29 11:37:32.715089');
INSERT INTO "audience_wording" VALUES(5,'privacy','en',1,'## Who is responsible

The Harbour Herald, 12 Ropewalk, Port Ellery. Write to us about anything on this page: [alerts@herald.example](mailto:alerts@herald.example).

## What we use your data for

**Alerts.** We keep your email address, your language and the topics you chose, to send you the news you
signed up to.

**Offers, events and updates.** Only if you ticked that box. It is a separate choice and never a condition of
getting the news.

**Proof.** We keep when, where and how you agreed and confirmed, the words you were shown, and the network address
that you did it from, because we have to be able to show that you agreed. After 90 days we cut that
address down to a part that many people share.

We don’t track whether you open our emails or which links you follow.

## Why we may

You agreed to it (Art. 6(1)(a) GDPR). Keeping the proof of that is our legal obligation and our legitimate
interest (Art. 6(1)(c) and (f), Art. 7(1) GDPR).

## Who else gets it

Only those who work for us on sending these emails, such as the company that runs our mail server, and only
for that. We don’t sell or rent addresses.

## How long we keep it

Your address: while you are signed up. If you don’t confirm your sign-up within 7 days, we delete it.
After you leave we keep it with the proof of your consent only, for as long as a claim could be made about
that. If a mailbox is gone or its owner complained, we also keep a keyed fingerprint of
the address, so that we never write to it again.

## What you can do

**Leave** at any time: one click on *Unsubscribe* in any of our emails ends it at once, without a password.
What we did until then stays lawful.

**Your rights:** ask us what we hold about you, have it corrected or deleted, have its use restricted, get a
copy to take along, and object. Write to [alerts@herald.example](mailto:alerts@herald.example).

**Complain:** you can turn to the data protection authority where you live or work, or where we are.

You don’t have to give us your address; without it we can’t send you email. No decision about you is made by a
machine.
','c705c97a8954d516337d728df3800616c5f38aef4932cffd62ae387785f0c0cf','2026-11-29 11:37:32.721788');
INSERT INTO "audience_wording" VALUES(6,'privacy','de',1,'## Wer verantwortlich ist

The Harbour Herald, 12 Ropewalk, Port Ellery. Schreiben Sie uns zu allem auf dieser Seite: [alerts@herald.example](mailto:alerts@herald.example).

## Wofür wir Ihre Daten verwenden

**Eilmeldungen.** Wir speichern Ihre E-Mail-Adresse, Ihre Sprache und die gewählten Themen, um Ihnen die
Nachrichten zu schicken, für die Sie sich angemeldet haben.

**Angebote, Veranstaltungen und Neuigkeiten.** Nur, wenn Sie dieses Kästchen angekreuzt haben. Das ist eine
eigene Entscheidung und nie Bedingung für die Nachrichten.

**Nachweis.** Wir speichern, wann, wo und wie Sie eingewilligt und bestätigt haben, den Wortlaut, der Ihnen gezeigt
wurde, und die Netzadresse, von der aus Sie es taten, denn wir müssen Ihre Einwilligung nachweisen können. Nach
90 Tagen kürzen wir diese Adresse auf einen Teil, den sich viele teilen.

Wir verfolgen nicht, ob Sie unsere E-Mails öffnen oder welchen Links Sie folgen.

## Warum wir das dürfen

Sie haben eingewilligt (Art. 6 Abs. 1 lit. a DSGVO). Den Nachweis darüber aufzubewahren ist unsere rechtliche
Pflicht und unser berechtigtes Interesse (Art. 6 Abs. 1 lit. c und f, Art. 7 Abs. 1 DSGVO).

## Wer sie sonst erhält

Nur wer in unserem Auftrag beim Versand dieser E-Mails hilft, etwa der Betreiber unseres Mailservers, und nur
dafür. Wir verkaufen und vermieten keine Adressen.

## Wie lange wir sie speichern

Ihre Adresse: solange Sie angemeldet sind. Bestätigen Sie Ihre Anmeldung nicht innerhalb von 7 Tagen,
löschen wir sie. Nach der Abmeldung bleibt sie nur beim Nachweis Ihrer Einwilligung, so lange, wie daraus
Ansprüche entstehen können. Gibt es ein Postfach nicht mehr oder hat sich sein Inhaber beschwert, so behalten
wir auch einen verschlüsselten Fingerabdruck der Adresse, um nie wieder dorthin zu schreiben.

## Was Sie tun können

**Sich abmelden**, jederzeit: Ein Klick auf *Abmelden* in jeder unserer E-Mails genügt, sofort und ohne
Passwort. Was bis dahin geschah, bleibt rechtmäßig.

**Ihre Rechte:** Auskunft, Berichtigung, Löschung, Einschränkung der Verarbeitung, Datenübertragbarkeit und
Widerspruch. Schreiben Sie an [alerts@herald.example](mailto:alerts@herald.example).

**Sich beschweren:** bei der Datenschutzbehörde Ihres Wohn- oder Arbeitsorts oder unseres Sitzes.

Sie müssen uns Ihre Adresse nicht geben; ohne sie können wir Ihnen keine E-Mails schicken. Über Sie
entscheidet kein Automat.
','c50631bb7b5bf8d0fbb5e63c89a9cfac21bb8d02a01756c6ddf9f27b353cf5d1','2026-11-29 11:37:32.727300');
CREATE TABLE "audit_auditentry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at" datetime NOT NULL, "what" varchar(40) NOT NULL, "details" text NOT NULL CHECK ((JSON_VALID("details") OR "details" IS NULL)), "alert_id" bigint NULL REFERENCES "stories_alert" ("id") DEFERRABLE INITIALLY DEFERRED, "editor_id" bigint NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "story_id" bigint NULL REFERENCES "stories_story" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "audit_auditentry" VALUES(1,'2026-11-29 11:37:32.851557','add editor','{"name": "Administrator", "role": "administrator"}',NULL,NULL,NULL);
INSERT INTO "audit_auditentry" VALUES(2,'2026-11-29 11:37:32.932906','save','{"revision": 1}',NULL,1,1);
INSERT INTO "audit_auditentry" VALUES(3,'2026-11-29 11:37:40.457278','save','{"revision": 1}',NULL,1,2);
INSERT INTO "audit_auditentry" VALUES(4,'2026-11-29 11:37:40.472896','send','{"audience": "topic", "kind": "first"}',1,1,2);
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
INSERT INTO "auth_permission" VALUES(1,1,'add_permission','Can add permission');
INSERT INTO "auth_permission" VALUES(2,1,'change_permission','Can change permission');
INSERT INTO "auth_permission" VALUES(3,1,'delete_permission','Can delete permission');
INSERT INTO "auth_permission" VALUES(4,1,'view_permission','Can view permission');
INSERT INTO "auth_permission" VALUES(5,2,'add_group','Can add group');
INSERT INTO "auth_permission" VALUES(6,2,'change_group','Can change group');
INSERT INTO "auth_permission" VALUES(7,2,'delete_group','Can delete group');
INSERT INTO "auth_permission" VALUES(8,2,'view_group','Can view group');
INSERT INTO "auth_permission" VALUES(9,3,'add_contenttype','Can add content type');
INSERT INTO "auth_permission" VALUES(10,3,'change_contenttype','Can change content type');
INSERT INTO "auth_permission" VALUES(11,3,'delete_contenttype','Can delete content type');
INSERT INTO "auth_permission" VALUES(12,3,'view_contenttype','Can view content type');
INSERT INTO "auth_permission" VALUES(13,4,'add_session','Can add session');
INSERT INTO "auth_permission" VALUES(14,4,'change_session','Can change session');
INSERT INTO "auth_permission" VALUES(15,4,'delete_session','Can delete session');
INSERT INTO "auth_permission" VALUES(16,4,'view_session','Can view session');
INSERT INTO "auth_permission" VALUES(17,5,'add_editor','Can add editor');
INSERT INTO "auth_permission" VALUES(18,5,'change_editor','Can change editor');
INSERT INTO "auth_permission" VALUES(19,5,'delete_editor','Can delete editor');
INSERT INTO "auth_permission" VALUES(20,5,'view_editor','Can view editor');
INSERT INTO "auth_permission" VALUES(21,6,'add_failedsignins','Can add failed sign ins');
INSERT INTO "auth_permission" VALUES(22,6,'change_failedsignins','Can change failed sign ins');
INSERT INTO "auth_permission" VALUES(23,6,'delete_failedsignins','Can delete failed sign ins');
INSERT INTO "auth_permission" VALUES(24,6,'view_failedsignins','Can view failed sign ins');
INSERT INTO "auth_permission" VALUES(25,7,'add_auditentry','Can add audit entry');
INSERT INTO "auth_permission" VALUES(26,7,'change_auditentry','Can change audit entry');
INSERT INTO "auth_permission" VALUES(27,7,'delete_auditentry','Can delete audit entry');
INSERT INTO "auth_permission" VALUES(28,7,'view_auditentry','Can view audit entry');
INSERT INTO "auth_permission" VALUES(29,8,'add_bounce','Can add bounce');
INSERT INTO "auth_permission" VALUES(30,8,'change_bounce','Can change bounce');
INSERT INTO "auth_permission" VALUES(31,8,'delete_bounce','Can delete bounce');
INSERT INTO "auth_permission" VALUES(32,8,'view_bounce','Can view bounce');
INSERT INTO "auth_permission" VALUES(33,9,'add_consent','Can add consent');
INSERT INTO "auth_permission" VALUES(34,9,'change_consent','Can change consent');
INSERT INTO "auth_permission" VALUES(35,9,'delete_consent','Can delete consent');
INSERT INTO "auth_permission" VALUES(36,9,'view_consent','Can view consent');
INSERT INTO "auth_permission" VALUES(37,10,'add_departuremark','Can add departure mark');
INSERT INTO "auth_permission" VALUES(38,10,'change_departuremark','Can change departure mark');
INSERT INTO "auth_permission" VALUES(39,10,'delete_departuremark','Can delete departure mark');
INSERT INTO "auth_permission" VALUES(40,10,'view_departuremark','Can view departure mark');
INSERT INTO "auth_permission" VALUES(41,11,'add_erasedreader','Can add erased reader');
INSERT INTO "auth_permission" VALUES(42,11,'change_erasedreader','Can change erased reader');
INSERT INTO "auth_permission" VALUES(43,11,'delete_erasedreader','Can delete erased reader');
INSERT INTO "auth_permission" VALUES(44,11,'view_erasedreader','Can view erased reader');
INSERT INTO "auth_permission" VALUES(45,12,'add_reader','Can add reader');
INSERT INTO "auth_permission" VALUES(46,12,'change_reader','Can change reader');
INSERT INTO "auth_permission" VALUES(47,12,'delete_reader','Can delete reader');
INSERT INTO "auth_permission" VALUES(48,12,'view_reader','Can view reader');
INSERT INTO "auth_permission" VALUES(49,13,'add_keycheck','Can add key check');
INSERT INTO "auth_permission" VALUES(50,13,'change_keycheck','Can change key check');
INSERT INTO "auth_permission" VALUES(51,13,'delete_keycheck','Can delete key check');
INSERT INTO "auth_permission" VALUES(52,13,'view_keycheck','Can view key check');
INSERT INTO "auth_permission" VALUES(53,14,'add_letter','Can add letter');
INSERT INTO "auth_permission" VALUES(54,14,'change_letter','Can change letter');
INSERT INTO "auth_permission" VALUES(55,14,'delete_letter','Can delete letter');
INSERT INTO "auth_permission" VALUES(56,14,'view_letter','Can view letter');
INSERT INTO "auth_permission" VALUES(57,15,'add_newsroom','Can add newsroom');
INSERT INTO "auth_permission" VALUES(58,15,'change_newsroom','Can change newsroom');
INSERT INTO "auth_permission" VALUES(59,15,'delete_newsroom','Can delete newsroom');
INSERT INTO "auth_permission" VALUES(60,15,'view_newsroom','Can view newsroom');
INSERT INTO "auth_permission" VALUES(61,16,'add_seal','Can add seal');
INSERT INTO "auth_permission" VALUES(62,16,'change_seal','Can change seal');
INSERT INTO "auth_permission" VALUES(63,16,'delete_seal','Can delete seal');
INSERT INTO "auth_permission" VALUES(64,16,'view_seal','Can view seal');
INSERT INTO "auth_permission" VALUES(65,17,'add_sealmark','Can add seal mark');
INSERT INTO "auth_permission" VALUES(66,17,'change_sealmark','Can change seal mark');
INSERT INTO "auth_permission" VALUES(67,17,'delete_sealmark','Can delete seal mark');
INSERT INTO "auth_permission" VALUES(68,17,'view_sealmark','Can view seal mark');
INSERT INTO "auth_permission" VALUES(69,18,'add_signuptally','Can add sign up tally');
INSERT INTO "auth_permission" VALUES(70,18,'change_signuptally','Can change sign up tally');
INSERT INTO "auth_permission" VALUES(71,18,'delete_signuptally','Can delete sign up tally');
INSERT INTO "auth_permission" VALUES(72,18,'view_signuptally','Can view sign up tally');
INSERT INTO "auth_permission" VALUES(73,19,'add_site','Can add site');
INSERT INTO "auth_permission" VALUES(74,19,'change_site','Can change site');
INSERT INTO "auth_permission" VALUES(75,19,'delete_site','Can delete site');
INSERT INTO "auth_permission" VALUES(76,19,'view_site','Can view site');
INSERT INTO "auth_permission" VALUES(77,20,'add_spentwork','Can add spent work');
INSERT INTO "auth_permission" VALUES(78,20,'change_spentwork','Can change spent work');
INSERT INTO "auth_permission" VALUES(79,20,'delete_spentwork','Can delete spent work');
INSERT INTO "auth_permission" VALUES(80,20,'view_spentwork','Can view spent work');
INSERT INTO "auth_permission" VALUES(81,21,'add_subscription','Can add subscription');
INSERT INTO "auth_permission" VALUES(82,21,'change_subscription','Can change subscription');
INSERT INTO "auth_permission" VALUES(83,21,'delete_subscription','Can delete subscription');
INSERT INTO "auth_permission" VALUES(84,21,'view_subscription','Can view subscription');
INSERT INTO "auth_permission" VALUES(85,22,'add_suppression','Can add suppression');
INSERT INTO "auth_permission" VALUES(86,22,'change_suppression','Can change suppression');
INSERT INTO "auth_permission" VALUES(87,22,'delete_suppression','Can delete suppression');
INSERT INTO "auth_permission" VALUES(88,22,'view_suppression','Can view suppression');
INSERT INTO "auth_permission" VALUES(89,23,'add_topic','Can add topic');
INSERT INTO "auth_permission" VALUES(90,23,'change_topic','Can change topic');
INSERT INTO "auth_permission" VALUES(91,23,'delete_topic','Can delete topic');
INSERT INTO "auth_permission" VALUES(92,23,'view_topic','Can view topic');
INSERT INTO "auth_permission" VALUES(93,24,'add_unfinishedimport','Can add unfinished import');
INSERT INTO "auth_permission" VALUES(94,24,'change_unfinishedimport','Can change unfinished import');
INSERT INTO "auth_permission" VALUES(95,24,'delete_unfinishedimport','Can delete unfinished import');
INSERT INTO "auth_permission" VALUES(96,24,'view_unfinishedimport','Can view unfinished import');
INSERT INTO "auth_permission" VALUES(97,25,'add_wording','Can add wording');
INSERT INTO "auth_permission" VALUES(98,25,'change_wording','Can change wording');
INSERT INTO "auth_permission" VALUES(99,25,'delete_wording','Can delete wording');
INSERT INTO "auth_permission" VALUES(100,25,'view_wording','Can view wording');
INSERT INTO "auth_permission" VALUES(101,26,'add_drillreader','Can add drill reader');
INSERT INTO "auth_permission" VALUES(102,26,'change_drillreader','Can change drill reader');
INSERT INTO "auth_permission" VALUES(103,26,'delete_drillreader','Can delete drill reader');
INSERT INTO "auth_permission" VALUES(104,26,'view_drillreader','Can view drill reader');
INSERT INTO "auth_permission" VALUES(105,27,'add_erasure','Can add erasure');
INSERT INTO "auth_permission" VALUES(106,27,'change_erasure','Can change erasure');
INSERT INTO "auth_permission" VALUES(107,27,'delete_erasure','Can delete erasure');
INSERT INTO "auth_permission" VALUES(108,27,'view_erasure','Can view erasure');
INSERT INTO "auth_permission" VALUES(109,28,'add_story','Can add story');
INSERT INTO "auth_permission" VALUES(110,28,'change_story','Can change story');
INSERT INTO "auth_permission" VALUES(111,28,'delete_story','Can delete story');
INSERT INTO "auth_permission" VALUES(112,28,'view_story','Can view story');
INSERT INTO "auth_permission" VALUES(113,29,'add_presence','Can add presence');
INSERT INTO "auth_permission" VALUES(114,29,'change_presence','Can change presence');
INSERT INTO "auth_permission" VALUES(115,29,'delete_presence','Can delete presence');
INSERT INTO "auth_permission" VALUES(116,29,'view_presence','Can view presence');
INSERT INTO "auth_permission" VALUES(117,30,'add_storypreference','Can add story preference');
INSERT INTO "auth_permission" VALUES(118,30,'change_storypreference','Can change story preference');
INSERT INTO "auth_permission" VALUES(119,30,'delete_storypreference','Can delete story preference');
INSERT INTO "auth_permission" VALUES(120,30,'view_storypreference','Can view story preference');
INSERT INTO "auth_permission" VALUES(121,31,'add_update','Can add update');
INSERT INTO "auth_permission" VALUES(122,31,'change_update','Can change update');
INSERT INTO "auth_permission" VALUES(123,31,'delete_update','Can delete update');
INSERT INTO "auth_permission" VALUES(124,31,'view_update','Can view update');
INSERT INTO "auth_permission" VALUES(125,32,'add_image','Can add image');
INSERT INTO "auth_permission" VALUES(126,32,'change_image','Can change image');
INSERT INTO "auth_permission" VALUES(127,32,'delete_image','Can delete image');
INSERT INTO "auth_permission" VALUES(128,32,'view_image','Can view image');
INSERT INTO "auth_permission" VALUES(129,33,'add_alert','Can add alert');
INSERT INTO "auth_permission" VALUES(130,33,'change_alert','Can change alert');
INSERT INTO "auth_permission" VALUES(131,33,'delete_alert','Can delete alert');
INSERT INTO "auth_permission" VALUES(132,33,'view_alert','Can view alert');
INSERT INTO "auth_permission" VALUES(133,34,'add_lastheartbeat','Can add last heartbeat');
INSERT INTO "auth_permission" VALUES(134,34,'change_lastheartbeat','Can change last heartbeat');
INSERT INTO "auth_permission" VALUES(135,34,'delete_lastheartbeat','Can delete last heartbeat');
INSERT INTO "auth_permission" VALUES(136,34,'view_lastheartbeat','Can view last heartbeat');
INSERT INTO "auth_permission" VALUES(137,35,'add_relay','Can add relay');
INSERT INTO "auth_permission" VALUES(138,35,'change_relay','Can change relay');
INSERT INTO "auth_permission" VALUES(139,35,'delete_relay','Can delete relay');
INSERT INTO "auth_permission" VALUES(140,35,'view_relay','Can view relay');
INSERT INTO "auth_permission" VALUES(141,36,'add_restores','Can add restores');
INSERT INTO "auth_permission" VALUES(142,36,'change_restores','Can change restores');
INSERT INTO "auth_permission" VALUES(143,36,'delete_restores','Can delete restores');
INSERT INTO "auth_permission" VALUES(144,36,'view_restores','Can view restores');
INSERT INTO "auth_permission" VALUES(145,37,'add_statenumber','Can add state number');
INSERT INTO "auth_permission" VALUES(146,37,'change_statenumber','Can change state number');
INSERT INTO "auth_permission" VALUES(147,37,'delete_statenumber','Can delete state number');
INSERT INTO "auth_permission" VALUES(148,37,'view_statenumber','Can view state number');
INSERT INTO "auth_permission" VALUES(149,38,'add_relayatwork','Can add relay at work');
INSERT INTO "auth_permission" VALUES(150,38,'change_relayatwork','Can change relay at work');
INSERT INTO "auth_permission" VALUES(151,38,'delete_relayatwork','Can delete relay at work');
INSERT INTO "auth_permission" VALUES(152,38,'view_relayatwork','Can view relay at work');
INSERT INTO "auth_permission" VALUES(153,39,'add_relaycount','Can add relay count');
INSERT INTO "auth_permission" VALUES(154,39,'change_relaycount','Can change relay count');
INSERT INTO "auth_permission" VALUES(155,39,'delete_relaycount','Can delete relay count');
INSERT INTO "auth_permission" VALUES(156,39,'view_relaycount','Can view relay count');
INSERT INTO "auth_permission" VALUES(157,40,'add_senderprocess','Can add sender process');
INSERT INTO "auth_permission" VALUES(158,40,'change_senderprocess','Can change sender process');
INSERT INTO "auth_permission" VALUES(159,40,'delete_senderprocess','Can delete sender process');
INSERT INTO "auth_permission" VALUES(160,40,'view_senderprocess','Can view sender process');
INSERT INTO "auth_permission" VALUES(161,41,'add_batch','Can add batch');
INSERT INTO "auth_permission" VALUES(162,41,'change_batch','Can change batch');
INSERT INTO "auth_permission" VALUES(163,41,'delete_batch','Can delete batch');
INSERT INTO "auth_permission" VALUES(164,41,'view_batch','Can view batch');
INSERT INTO "auth_permission" VALUES(165,42,'add_brake','Can add brake');
INSERT INTO "auth_permission" VALUES(166,42,'change_brake','Can change brake');
INSERT INTO "auth_permission" VALUES(167,42,'delete_brake','Can delete brake');
INSERT INTO "auth_permission" VALUES(168,42,'view_brake','Can view brake');
INSERT INTO "auth_permission" VALUES(169,43,'add_composition','Can add composition');
INSERT INTO "auth_permission" VALUES(170,43,'change_composition','Can change composition');
INSERT INTO "auth_permission" VALUES(171,43,'delete_composition','Can delete composition');
INSERT INTO "auth_permission" VALUES(172,43,'view_composition','Can view composition');
INSERT INTO "auth_permission" VALUES(173,44,'add_digestitem','Can add digest item');
INSERT INTO "auth_permission" VALUES(174,44,'change_digestitem','Can change digest item');
INSERT INTO "auth_permission" VALUES(175,44,'delete_digestitem','Can delete digest item');
INSERT INTO "auth_permission" VALUES(176,44,'view_digestitem','Can view digest item');
INSERT INTO "auth_permission" VALUES(177,45,'add_refusal','Can add refusal');
INSERT INTO "auth_permission" VALUES(178,45,'change_refusal','Can change refusal');
INSERT INTO "auth_permission" VALUES(179,45,'delete_refusal','Can delete refusal');
INSERT INTO "auth_permission" VALUES(180,45,'view_refusal','Can view refusal');
INSERT INTO "auth_permission" VALUES(181,46,'add_replycount','Can add reply count');
INSERT INTO "auth_permission" VALUES(182,46,'change_replycount','Can change reply count');
INSERT INTO "auth_permission" VALUES(183,46,'delete_replycount','Can delete reply count');
INSERT INTO "auth_permission" VALUES(184,46,'view_replycount','Can view reply count');
INSERT INTO "auth_permission" VALUES(185,47,'add_ping','Can add ping');
INSERT INTO "auth_permission" VALUES(186,47,'change_ping','Can change ping');
INSERT INTO "auth_permission" VALUES(187,47,'delete_ping','Can delete ping');
INSERT INTO "auth_permission" VALUES(188,47,'view_ping','Can view ping');
CREATE TABLE "courier_batch" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "size" integer unsigned NOT NULL CHECK ("size" >= 0), "readers" BLOB NOT NULL, "first" bigint NOT NULL, "last" bigint NOT NULL, "outcomes" BLOB NOT NULL, "times" BLOB NOT NULL, "lease_version" integer unsigned NOT NULL CHECK ("lease_version" >= 0), "handed_out_to" integer unsigned NOT NULL CHECK ("handed_out_to" >= 0), "worker" varchar(40) NOT NULL, "due_at_ms" bigint NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "accepted" integer unsigned NOT NULL CHECK ("accepted" >= 0), "deferred" integer unsigned NOT NULL CHECK ("deferred" >= 0), "refused" integer unsigned NOT NULL CHECK ("refused" >= 0), "skipped" integer unsigned NOT NULL CHECK ("skipped" >= 0), "uncertain" integer unsigned NOT NULL CHECK ("uncertain" >= 0), "expired" integer unsigned NOT NULL CHECK ("expired" >= 0), "repeated" integer unsigned NOT NULL CHECK ("repeated" >= 0), "changed_at_ms" bigint NOT NULL, "packed" bool DEFAULT 0 NOT NULL, "alert_id" bigint NOT NULL REFERENCES "stories_alert" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "batch_number" UNIQUE ("alert_id", "number"));
INSERT INTO "courier_batch" VALUES(1,1,2,X'03000000000000000400000000000000',3,4,X'0101',X'F0000000F0000000',1,0,'',NULL,0,2,0,0,0,0,0,0,1795952260721,0,1);
INSERT INTO "courier_batch" VALUES(2,2,2,X'01000000000000000200000000000000',1,2,X'0101',X'0901000009010000',1,0,'',NULL,0,2,0,0,0,0,0,0,1795952260779,0,1);
CREATE TABLE "courier_brake" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "scope" varchar(8) NOT NULL, "name" varchar(300) NOT NULL, "answered" integer unsigned DEFAULT 0 NOT NULL CHECK ("answered" >= 0), "refused" integer unsigned DEFAULT 0 NOT NULL CHECK ("refused" >= 0), "on_since_ms" bigint NULL, "alert_id" bigint NOT NULL, CONSTRAINT "one_brake" UNIQUE ("alert_id", "scope", "name"));
CREATE TABLE "courier_composition" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "language" varchar(10) NOT NULL, "parts" BLOB NOT NULL, "alert_id" bigint NOT NULL REFERENCES "stories_alert" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_composition" UNIQUE ("alert_id", "language"));
INSERT INTO "courier_composition" VALUES(1,'en',X'4D464331000D000201010606050101060605010000003746726F6D3A2054686520486172626F757220486572616C64203C616C6572747340686572616C642E6578616D706C653E0D0A546F3A203C000000373E0D0A446174653A2053756E2C203239204E6F7620323032362031313A33373A3430202B303030300D0A4D6573736167652D49443A203C0000016940686572616C642E6578616D706C653E0D0A5375626A6563743A2042726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A4175746F2D5375626D69747465643A206175746F2D67656E6572617465640D0A582D4175746F2D526573706F6E73652D53757070726573733A20416C6C0D0A5265666572656E6365733A203C38666564636135632D646666612D343434612D613931352D37656435363834313063316340686572616C642E6578616D706C653E0D0A5468726561642D546F7069633A2042726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A5468726561642D496E6465783A204164312F396770736A2B334B584E2F3652457170465837566145454D48413D3D0D0A436F6E74656E742D4C616E67756167653A20656E0D0A4C6973742D556E7375627363726962653A203C687474703A2F2F3132372E302E302E313A33343837332F6C656176652F000003102F3E0D0A4C6973742D556E7375627363726962652D506F73743A204C6973742D556E7375627363726962653D4F6E652D436C69636B0D0A4C6973742D49643A2022427265616B696E67206E65777322203C627265616B696E672E686572616C642E6578616D706C653E0D0A4C6973742D48656C703A203C687474703A2F2F3132372E302E302E313A33343837332F707269766163792F3E0D0A4C6973742D4F776E65723A203C6D61696C746F3A616C6572747340686572616C642E6578616D706C653E0D0A4C6973742D417263686976653A203C687474703A2F2F3132372E302E302E313A33343837332F3E0D0A507265636564656E63653A2062756C6B0D0A466565646261636B2D49443A20616C6572742D3531396265623739653764303A73746F72792D3866656463613563646666613A746F7069632D627265616B696E673A6D66373530333436326366310D0A4D494D452D56657273696F6E3A20312E300D0A436F6E74656E742D547970653A206D756C7469706172742F616C7465726E61746976653B20626F756E646172793D223D5F6D6F7265666F6C6C6F7773220D0A0D0A2D2D3D5F6D6F7265666F6C6C6F77730D0A436F6E74656E742D547970653A20746578742F706C61696E3B20636861727365743D7574662D380D0A436F6E74656E742D5472616E736665722D456E636F64696E673A2071756F7465642D7072696E7461626C650D0A0D0A427265616B696E67203D43323D42372054686520486172626F757220486572616C640D0A0D0A42726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A0D0A427265616B696E67206E657773203D43323D4237203239204E6F76656D62657220323032362C2031313A333720474D540D0A52656164206F6E20746865207765623A20687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643D0D0A3536383431306331632F0D0A556E7375627363726962653A20687474703A2F2F3132372E302E302E313A33343837332F6C656176652F3D0D0A0000008C2F0D0A0D0A5468652062726964676520697320636C6F73656420746F20616C6C20747261666669632E0D0A0D0A4D6F726520666F6C6C6F7773206F6E207468697320627265616B696E67206E6577732073746F72792E0D0A466F6C6C6F7720746869732073746F72793A20687474703A2F2F3132372E302E302E313A33343837332F666F6C6C6F772F3D0D0A000000332F0D0A4D75746520746869732073746F72793A20687474703A2F2F3132372E302E302E313A33343837332F6D7574652F3D0D0A000000B12F0D0A0D0A2D2D2D2D2D2D2D2D0D0A596F75206765742074686973206D61696C206265636175736520796F75207369676E656420757020746F203D45323D38303D3943427265616B696E67206E6577733D0D0A3D45323D38303D39442066726F6D2054686520486172626F757220486572616C642E0D0A486F77206D7563682C20616E64207768656E3A20687474703A2F2F3132372E302E302E313A33343837332F707265666572656E6365732F3D0D0A000000302F0D0A556E7375627363726962653A20687474703A2F2F3132372E302E302E313A33343837332F6C656176652F3D0D0A000013CB2F0D0A50726976616379206E6F746963653A20687474703A2F2F3132372E302E302E313A33343837332F707269766163792F0D0A0D0A54686520486172626F757220486572616C642C20313220526F706577616C6B2C20506F727420456C6C6572790D0A0D0A2D2D3D5F6D6F7265666F6C6C6F77730D0A436F6E74656E742D547970653A20746578742F68746D6C3B20636861727365743D7574662D380D0A436F6E74656E742D5472616E736665722D456E636F64696E673A20376269740D0A0D0A3C21646F63747970652068746D6C3E3C68746D6C206C616E673D22656E22206469723D226C74722220786D6C6E733D22687474703A2F2F7777772E77332E6F72672F313939392F7868746D6C2220786D6C6E733A763D2275726E3A736368656D61732D6D6963726F736F66742D636F6D3A766D6C2220786D6C6E733A6F3D2275726E3A736368656D61732D6D6963726F736F66742D636F6D3A6F66666963653A6F6666696365223E3C686561643E3C7469746C653E42726964676520636C6F7365642061667465720D0A637261636B20697320666F756E643C2F7469746C653E3C212D2D5B696620216D736F5D3E3C212D2D3E3C6D65746120687474702D65717569763D22582D55412D436F6D70617469626C652220636F6E74656E743D2249453D65646765223E3C212D2D3C215B656E6469665D2D2D3E3C6D65746120687474702D65717569763D22436F6E74656E742D547970652220636F6E74656E743D22746578742F68746D6C3B20636861727365743D5554462D38223E3C6D657461206E616D653D2276696577706F7274220D0A636F6E74656E743D2277696474683D6465766963652D77696474682C20696E697469616C2D7363616C653D31223E3C7374796C653E236F75746C6F6F6B20617B70616464696E673A307D626F64797B6D617267696E3A303B70616464696E673A303B2D7765626B69742D746578742D73697A652D61646A7573743A313030253B2D6D732D746578742D73697A652D61646A7573743A313030257D7461626C652C74647B0D0A626F726465722D636F6C6C617073653A636F6C6C617073653B6D736F2D7461626C652D6C73706163653A3070743B6D736F2D7461626C652D7273706163653A3070747D696D677B626F726465723A303B6865696768743A6175746F3B6C696E652D6865696768743A313030253B0D0A6F75746C696E653A6E6F6E653B746578742D6465636F726174696F6E3A6E6F6E653B2D6D732D696E746572706F6C6174696F6E2D6D6F64653A626963756269637D707B646973706C61793A626C6F636B3B6D617267696E3A3133707820307D3C2F7374796C653E3C212D2D5B6966206D736F5D3E3C6E6F7363726970743E3C786D6C3E3C6F3A4F6666696365446F63756D656E7453657474696E67733E3C6F3A416C6C6F77504E472F3E3C6F3A506978656C73506572496E63683E39363C2F6F3A506978656C73506572496E63683E3C2F6F3A4F6666696365446F63756D656E7453657474696E67733E3C2F786D6C3E3C2F6E6F7363726970743E3C215B656E6469665D2D2D3E3C212D2D5B6966206C7465206D736F2031315D3E3C7374796C6520747970653D22746578742F637373223E202E6D6A2D6F75746C6F6F6B2D67726F75702D666978207B2077696474683A313030252021696D706F7274616E743B207D203C2F7374796C653E3C215B656E6469665D2D2D3E3C7374796C653E3A726F6F747B636F6C6F722D736368656D653A6C69676874206461726B3B737570706F727465642D636F6C6F722D736368656D65733A6C69676874206461726B7D2E6D662D7465787420703A6C6173742D6368696C647B6D617267696E2D626F74746F6D3A3021696D706F7274616E747D2E6D662D7465787420612C2E6D662D7465787420636F64657B0D0A6F766572666C6F772D777261703A616E7977686572657D406D65646961206F6E6C792073637265656E20616E6420286D61782D77696474683A203437397078297B2E6D662D686561646C696E657B666F6E742D73697A653A3239707821696D706F7274616E747D2E6D662D6E616D657B0D0A666F6E742D73697A653A3234707821696D706F7274616E747D2E6D662D73686565743E7461626C653E74626F64793E74723E74647B70616464696E673A323070782031387078203238707821696D706F7274616E747D2E6D662D666F6F743E7461626C653E74626F64793E74723E74647B0D0A70616464696E673A323070782031387078203336707821696D706F7274616E747D7D406D656469612028707265666572732D636F6C6F722D736368656D653A206461726B297B626F64792C2E6D662D706167657B6261636B67726F756E643A2331303066306421696D706F7274616E747D2E6D662D73686565742C2E6D662D73686565743E7461626C657B0D0A6261636B67726F756E643A2331623139313621696D706F7274616E743B6261636B67726F756E642D636F6C6F723A2331623139313621696D706F7274616E747D2E6D662D696E6B2C2E6D662D696E6B20612C2E6D662D746578742C2E6D662D74657874206469767B0D0A636F6C6F723A2366326565653621696D706F7274616E747D2E6D662D71756965742C2E6D662D717569657420617B636F6C6F723A2362396230613221696D706F7274616E747D2E6D662D72756C657B626F726465722D636F6C6F723A2366326565653621696D706F7274616E747D2E6D662D686169727B0D0A626F726465722D636F6C6F723A2334613435336421696D706F7274616E747D2E6D662D6D6F72657B626F726465722D636F6C6F723A2366663862383021696D706F7274616E747D2E6D662D6E6F74657B626F726465722D636F6C6F723A2362396230613221696D706F7274616E747D2E6D662D6E6F74652D636F7272656374696F6E7B0D0A626F726465722D636F6C6F723A2366306131336121696D706F7274616E747D2E6D662D6D61726B7B6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D2E6D662D6D61726B2D66697273747B0D0A6261636B67726F756E643A2364393330346121696D706F7274616E743B636F6C6F723A2366666666666621696D706F7274616E747D2E6D662D6D61726B2D636F7272656374696F6E7B6261636B67726F756E643A2366306131336121696D706F7274616E747D2E6D662D627574746F6E2074642C2E6D662D627574746F6E20617B0D0A6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D7D5B646174612D6F6773635D202E6D662D696E6B2C5B646174612D6F6773635D202E6D662D696E6B20612C5B646174612D6F6773635D202E6D662D746578747B0D0A636F6C6F723A2366326565653621696D706F7274616E747D5B646174612D6F6773635D202E6D662D71756965742C5B646174612D6F6773635D202E6D662D717569657420617B636F6C6F723A2362396230613221696D706F7274616E747D5B646174612D6F6773625D202E6D662D627574746F6E2074642C5B646174612D6F6773625D202E6D662D627574746F6E20617B0D0A6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D3C2F7374796C653E3C6D657461206E616D653D22636F6C6F722D736368656D652220636F6E74656E743D226C69676874206461726B223E3C6D657461206E616D653D22737570706F727465642D636F6C6F722D736368656D65732220636F6E74656E743D226C69676874206461726B223E3C6D657461206E616D653D22666F726D61742D646574656374696F6E220D0A636F6E74656E743D2274656C6570686F6E653D6E6F2C20646174653D6E6F2C20616464726573733D6E6F2C20656D61696C3D6E6F223E3C2F686561643E3C626F6479207374796C653D22776F72642D73706163696E673A6E6F726D616C3B6261636B67726F756E642D636F6C6F723A23656665626532223E3C64697620617269612D6C6162656C3D2242726964676520636C6F73656420616674657220637261636B20697320666F756E64220D0A617269612D726F6C656465736372697074696F6E3D22656D61696C2220636C6173733D226D662D706167652220726F6C653D2261727469636C6522206C616E673D22656E22206469723D226C747222207374796C653D226261636B67726F756E642D636F6C6F723A23656665626532223E3C646976207374796C653D22646973706C61793A6E6F6E653B6D61782D6865696768743A303B6F766572666C6F773A68696464656E3B6D736F2D686964653A616C6C223E427265616B696E673A205468650D0A62726964676520697320636C6F73656420746F20616C6C0D0A747261666669632E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E22206267636F6C6F723D22236666666466382220616C69676E3D2263656E746572222077696474683D223632302220636C6173733D226D662D73686565742D6F75746C6F6F6B22207374796C653D2277696474683A3632307078223E3C74723E3C7464207374796C653D226C696E652D6865696768743A3070783B666F6E742D73697A653A3070783B6D736F2D6C696E652D6865696768742D72756C653A65786163746C79223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D662D736865657422207374796C653D226261636B67726F756E643A236666666466383B6261636B67726F756E642D636F6C6F723A236666666466383B6D617267696E3A307078206175746F3B6D61782D77696474683A3632307078223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E746572220D0A7374796C653D226261636B67726F756E643A236666666466383B6261636B67726F756E642D636F6C6F723A236666666466383B77696474683A31303025223E3C74626F64793E3C74723E3C74640D0A7374796C653D22646972656374696F6E3A6C74723B666F6E742D73697A653A3070783B70616464696E673A32367078203430707820333670783B746578742D616C69676E3A63656E746572223E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E223E3C74723E3C7464207374796C653D22766572746963616C2D616C69676E3A746F703B77696474683A3534307078223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D6A2D6F75746C6F6F6B2D67726F75702D666978206D6A2D636F6C756D6E2D7065722D31303022207374796C653D22666F6E742D73697A653A3070783B746578742D616C69676E3A6C6566743B646972656374696F6E3A6C74723B646973706C61793A696E6C696E652D626C6F636B3B766572746963616C2D616C69676E3A746F703B77696474683A31303025223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D2230220D0A726F6C653D2270726573656E746174696F6E222077696474683D223130302522207374796C653D22766572746963616C2D616C69676E3A746F70223E3C74626F64793E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C64697620636C6173733D226D662D72756C65220D0A7374796C653D22626F726465722D626F74746F6D3A33707820646F75626C6520233136313330653B70616464696E673A30203020313270783B746578742D616C69676E3A63656E746572223E203C646976206469723D226175746F2220636C6173733D226D662D696E6B206D662D6E616D65220D0A7374796C653D22666F6E742D73697A653A323870783B6C696E652D6865696768743A312E31353B666F6E742D7765696768743A626F6C643B6C65747465722D73706163696E673A2D2E3031656D3B636F6C6F723A23313631333065223E54686520486172626F757220486572616C643C2F6469763E203C64697620636C6173733D226D662D7175696574220D0A7374796C653D226D617267696E3A377078203020303B666F6E743A313370782F312E35202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643536383431306331632F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E52656164206F6E20746865207765623C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6C656176652F000008332F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E556E7375627363726962653C2F613E3C2F6469763E203C2F6469763E203C700D0A7374796C653D226D617267696E3A32367078203020313470783B666F6E743A626F6C6420313370782F31202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B6C65747465722D73706163696E673A2E3132656D223E3C7370616E20636C6173733D226D662D6D61726B206D662D6D61726B2D6669727374220D0A7374796C653D22646973706C61793A696E6C696E652D626C6F636B3B70616464696E673A36707820397078203570783B6261636B67726F756E643A236230303032303B636F6C6F723A236666666666663B746578742D7472616E73666F726D3A757070657263617365223E427265616B696E673C2F7370616E3E3C2F703E3C6831206C616E673D22656E22206469723D226175746F2220636C6173733D226D662D686561646C696E65206D662D696E6B220D0A7374796C653D226D617267696E3A303B746578742D616C69676E3A73746172743B666F6E742D73697A653A333770783B6C696E652D6865696768743A312E31323B666F6E742D7765696768743A626F6C643B6C65747465722D73706163696E673A2D2E3031656D3B636F6C6F723A23313631333065223E42726964676520636C6F73656420616674657220637261636B20697320666F756E643C2F68313E203C7020636C6173733D226D662D7175696574206D662D68616972220D0A7374796C653D226D617267696E3A31387078203020323270783B70616464696E673A30203020313670783B626F726465722D626F74746F6D3A31707820736F6C696420236438643163333B666F6E743A313470782F312E34202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E427265616B696E67206E6577732026233138333B203239204E6F76656D6265720D0A323032362C2031313A333720474D543C2F703E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C6566742220636C6173733D226D662D7465787422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C646976206C616E673D22656E22206469723D226175746F22207374796C653D22746578742D616C69676E3A7374617274223E3C700D0A7374796C653D226D617267696E3A30203020312E31656D223E5468652062726964676520697320636C6F73656420746F20616C6C20747261666669632E3C2F703E203C2F6469763E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C7020636C6173733D226D662D696E6B206D662D6D6F7265220D0A7374796C653D226D617267696E3A32367078203020303B70616464696E673A32707820302032707820313470783B626F726465722D6C6566743A34707820736F6C696420236230303032303B666F6E742D73697A653A313870783B6C696E652D6865696768743A312E343B666F6E742D7374796C653A6974616C69633B636F6C6F723A23313631333065223E4D6F726520666F6C6C6F7773206F6E207468697320627265616B696E67206E6577730D0A73746F72792E3C2F703E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C6566742220766572746963616C2D616C69676E3D226D6964646C652220636C6173733D226D662D627574746F6E22207374796C653D22666F6E742D73697A653A3070783B70616464696E673A32367078203020303B776F72642D627265616B3A627265616B2D776F7264223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D2230220D0A726F6C653D2270726573656E746174696F6E22207374796C653D22626F726465722D636F6C6C617073653A73657061726174653B6C696E652D6865696768743A31303025223E3C74626F64793E3C74723E3C746420616C69676E3D2263656E74657222206267636F6C6F723D22233136313330652220726F6C653D2270726573656E746174696F6E222076616C69676E3D226D6964646C65220D0A7374796C653D22626F726465723A6E6F6E653B626F726465722D7261646975733A3270783B637572736F723A6175746F3B6D736F2D70616464696E672D616C743A3133707820323070783B6261636B67726F756E643A23313631333065223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F666F6C6C6F772F000003872F22207461726765743D225F626C616E6B220D0A7374796C653D22646973706C61793A696E6C696E652D626C6F636B3B6261636B67726F756E643A233136313330653B636F6C6F723A236666666466383B666F6E742D66616D696C793A2D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B666F6E742D73697A653A313670783B666F6E742D7765696768743A3630303B6C696E652D6865696768743A313230253B6D617267696E3A303B746578742D6465636F726174696F6E3A6E6F6E653B746578742D7472616E73666F726D3A6E6F6E653B70616464696E673A3133707820323070783B6D736F2D70616464696E672D616C743A3070783B626F726465722D7261646975733A327078223E466F6C6C6F770D0A746869732073746F72793C2F613E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C7020636C6173733D226D662D7175696574220D0A7374796C653D226D617267696E3A31367078203020303B666F6E743A313470782F312E35202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643536383431306331632F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E52656164206974206F6E20746865207765623C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6D7574652F000006772F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E4D75746520746869730D0A73746F72793C2F613E3C2F703E3C2F6469763E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E746572222077696474683D223632302220636C6173733D226D662D666F6F742D6F75746C6F6F6B22207374796C653D2277696474683A3632307078223E3C74723E3C7464207374796C653D226C696E652D6865696768743A3070783B666F6E742D73697A653A3070783B6D736F2D6C696E652D6865696768742D72756C653A65786163746C79223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D662D666F6F7422207374796C653D226D617267696E3A307078206175746F3B6D61782D77696474683A3632307078223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E74657222207374796C653D2277696474683A31303025223E3C74626F64793E3C74723E3C74640D0A7374796C653D22646972656374696F6E3A6C74723B666F6E742D73697A653A3070783B70616464696E673A32327078203430707820343070783B746578742D616C69676E3A63656E746572223E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E223E3C74723E3C7464207374796C653D22766572746963616C2D616C69676E3A746F703B77696474683A3534307078223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D6A2D6F75746C6F6F6B2D67726F75702D666978206D6A2D636F6C756D6E2D7065722D31303022207374796C653D22666F6E742D73697A653A3070783B746578742D616C69676E3A6C6566743B646972656374696F6E3A6C74723B646973706C61793A696E6C696E652D626C6F636B3B766572746963616C2D616C69676E3A746F703B77696474683A31303025223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D2230220D0A726F6C653D2270726573656E746174696F6E222077696474683D223130302522207374796C653D22766572746963616C2D616C69676E3A746F70223E3C74626F64793E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C64697620636C6173733D226D662D7175696574220D0A7374796C653D22666F6E743A313370782F312E36202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E203C70207374796C653D226D617267696E3A30203020387078223E596F75206765742074686973206D61696C206265636175736520796F75207369676E656420757020746F202623383232303B427265616B696E67206E6577732623383232313B2066726F6D0D0A54686520486172626F757220486572616C642E3C2F703E203C70207374796C653D226D617267696E3A30203020387078223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F707265666572656E6365732F000000842F22207374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E486F77206D7563682C20616E640D0A7768656E3C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6C656176652F000001EF2F22207374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E556E7375627363726962653C2F613E20266E6273703B26233138333B266E6273703B203C610D0A687265663D22687474703A2F2F3132372E302E302E313A33343837332F707269766163792F22207374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E50726976616379206E6F746963653C2F613E3C2F703E203C70206469723D226175746F22207374796C653D226D617267696E3A30223E54686520486172626F757220486572616C642C20313220526F706577616C6B2C20506F727420456C6C6572793C2F703E203C2F6469763E0D0A3C2F6469763E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F6469763E3C2F626F64793E3C2F68746D6C3E0D0A2D2D3D5F6D6F7265666F6C6C6F77732D2D0D0A',1);
INSERT INTO "courier_composition" VALUES(2,'de',X'4D464331000D000201010606050101060605010000003746726F6D3A2054686520486172626F757220486572616C64203C616C6572747340686572616C642E6578616D706C653E0D0A546F3A203C000000373E0D0A446174653A2053756E2C203239204E6F7620323032362031313A33373A3430202B303030300D0A4D6573736167652D49443A203C0000016940686572616C642E6578616D706C653E0D0A5375626A6563743A2042726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A4175746F2D5375626D69747465643A206175746F2D67656E6572617465640D0A582D4175746F2D526573706F6E73652D53757070726573733A20416C6C0D0A5265666572656E6365733A203C38666564636135632D646666612D343434612D613931352D37656435363834313063316340686572616C642E6578616D706C653E0D0A5468726561642D546F7069633A2042726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A5468726561642D496E6465783A204164312F396770736A2B334B584E2F3652457170465837566145454D48413D3D0D0A436F6E74656E742D4C616E67756167653A20656E0D0A4C6973742D556E7375627363726962653A203C687474703A2F2F3132372E302E302E313A33343837332F6C656176652F0000030D2F3E0D0A4C6973742D556E7375627363726962652D506F73743A204C6973742D556E7375627363726962653D4F6E652D436C69636B0D0A4C6973742D49643A2022427265616B696E67206E65777322203C627265616B696E672E686572616C642E6578616D706C653E0D0A4C6973742D48656C703A203C687474703A2F2F3132372E302E302E313A33343837332F707269766163792F3E0D0A4C6973742D4F776E65723A203C6D61696C746F3A616C6572747340686572616C642E6578616D706C653E0D0A4C6973742D417263686976653A203C687474703A2F2F3132372E302E302E313A33343837332F3E0D0A507265636564656E63653A2062756C6B0D0A466565646261636B2D49443A20616C6572742D3531396265623739653764303A73746F72792D3866656463613563646666613A746F7069632D627265616B696E673A6D66373530333436326366310D0A4D494D452D56657273696F6E3A20312E300D0A436F6E74656E742D547970653A206D756C7469706172742F616C7465726E61746976653B20626F756E646172793D223D5F6D6F7265666F6C6C6F7773220D0A0D0A2D2D3D5F6D6F7265666F6C6C6F77730D0A436F6E74656E742D547970653A20746578742F706C61696E3B20636861727365743D7574662D380D0A436F6E74656E742D5472616E736665722D456E636F64696E673A2071756F7465642D7072696E7461626C650D0A0D0A45696C6D656C64756E67203D43323D42372054686520486172626F757220486572616C640D0A0D0A42726964676520636C6F73656420616674657220637261636B20697320666F756E640D0A0D0A427265616B696E67206E657773203D43323D42372032392E204E6F76656D62657220323032362C2031313A333720474D540D0A496D20576562206C6573656E3A20687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643536383D0D0A3431306331632F0D0A41626D656C64656E3A20687474703A2F2F3132372E302E302E313A33343837332F6C656176652F3D0D0A000000892F0D0A0D0A5468652062726964676520697320636C6F73656420746F20616C6C20747261666669632E0D0A0D0A4D656872207A75206469657365722045696C6D656C64756E6720666F6C67742E0D0A4469657365204D656C64756E6720766572666F6C67656E3A20687474703A2F2F3132372E302E302E313A33343837332F666F6C6C6F772F3D0D0A0000003F2F0D0A4469657365204D656C64756E67207374756D6D736368616C74656E3A20687474703A2F2F3132372E302E302E313A33343837332F6D7574652F3D0D0A000000C52F0D0A0D0A2D2D2D2D2D2D2D2D0D0A5369652062656B6F6D6D656E206469657365204D61696C2C207765696C20536965207369636820663D43333D424372203D45323D38303D3945427265616B696E67206E6577733D0D0A3D45323D38303D394320766F6E2054686520486172626F757220486572616C6420616E67656D656C64657420686162656E2E0D0A576965207669656C20756E642077616E6E3A20687474703A2F2F3132372E302E302E313A33343837332F707265666572656E6365732F3D0D0A0000002D2F0D0A41626D656C64656E3A20687474703A2F2F3132372E302E302E313A33343837332F6C656176652F3D0D0A000013CE2F0D0A446174656E73636875747A68696E776569733A20687474703A2F2F3132372E302E302E313A33343837332F707269766163792F0D0A0D0A54686520486172626F757220486572616C642C20313220526F706577616C6B2C20506F727420456C6C6572790D0A0D0A2D2D3D5F6D6F7265666F6C6C6F77730D0A436F6E74656E742D547970653A20746578742F68746D6C3B20636861727365743D7574662D380D0A436F6E74656E742D5472616E736665722D456E636F64696E673A20376269740D0A0D0A3C21646F63747970652068746D6C3E3C68746D6C206C616E673D22646522206469723D226C74722220786D6C6E733D22687474703A2F2F7777772E77332E6F72672F313939392F7868746D6C2220786D6C6E733A763D2275726E3A736368656D61732D6D6963726F736F66742D636F6D3A766D6C2220786D6C6E733A6F3D2275726E3A736368656D61732D6D6963726F736F66742D636F6D3A6F66666963653A6F6666696365223E3C686561643E3C7469746C653E42726964676520636C6F7365642061667465720D0A637261636B20697320666F756E643C2F7469746C653E3C212D2D5B696620216D736F5D3E3C212D2D3E3C6D65746120687474702D65717569763D22582D55412D436F6D70617469626C652220636F6E74656E743D2249453D65646765223E3C212D2D3C215B656E6469665D2D2D3E3C6D65746120687474702D65717569763D22436F6E74656E742D547970652220636F6E74656E743D22746578742F68746D6C3B20636861727365743D5554462D38223E3C6D657461206E616D653D2276696577706F7274220D0A636F6E74656E743D2277696474683D6465766963652D77696474682C20696E697469616C2D7363616C653D31223E3C7374796C653E236F75746C6F6F6B20617B70616464696E673A307D626F64797B6D617267696E3A303B70616464696E673A303B2D7765626B69742D746578742D73697A652D61646A7573743A313030253B2D6D732D746578742D73697A652D61646A7573743A313030257D7461626C652C74647B0D0A626F726465722D636F6C6C617073653A636F6C6C617073653B6D736F2D7461626C652D6C73706163653A3070743B6D736F2D7461626C652D7273706163653A3070747D696D677B626F726465723A303B6865696768743A6175746F3B6C696E652D6865696768743A313030253B0D0A6F75746C696E653A6E6F6E653B746578742D6465636F726174696F6E3A6E6F6E653B2D6D732D696E746572706F6C6174696F6E2D6D6F64653A626963756269637D707B646973706C61793A626C6F636B3B6D617267696E3A3133707820307D3C2F7374796C653E3C212D2D5B6966206D736F5D3E3C6E6F7363726970743E3C786D6C3E3C6F3A4F6666696365446F63756D656E7453657474696E67733E3C6F3A416C6C6F77504E472F3E3C6F3A506978656C73506572496E63683E39363C2F6F3A506978656C73506572496E63683E3C2F6F3A4F6666696365446F63756D656E7453657474696E67733E3C2F786D6C3E3C2F6E6F7363726970743E3C215B656E6469665D2D2D3E3C212D2D5B6966206C7465206D736F2031315D3E3C7374796C6520747970653D22746578742F637373223E202E6D6A2D6F75746C6F6F6B2D67726F75702D666978207B2077696474683A313030252021696D706F7274616E743B207D203C2F7374796C653E3C215B656E6469665D2D2D3E3C7374796C653E3A726F6F747B636F6C6F722D736368656D653A6C69676874206461726B3B737570706F727465642D636F6C6F722D736368656D65733A6C69676874206461726B7D2E6D662D7465787420703A6C6173742D6368696C647B6D617267696E2D626F74746F6D3A3021696D706F7274616E747D2E6D662D7465787420612C2E6D662D7465787420636F64657B0D0A6F766572666C6F772D777261703A616E7977686572657D406D65646961206F6E6C792073637265656E20616E6420286D61782D77696474683A203437397078297B2E6D662D686561646C696E657B666F6E742D73697A653A3239707821696D706F7274616E747D2E6D662D6E616D657B0D0A666F6E742D73697A653A3234707821696D706F7274616E747D2E6D662D73686565743E7461626C653E74626F64793E74723E74647B70616464696E673A323070782031387078203238707821696D706F7274616E747D2E6D662D666F6F743E7461626C653E74626F64793E74723E74647B0D0A70616464696E673A323070782031387078203336707821696D706F7274616E747D7D406D656469612028707265666572732D636F6C6F722D736368656D653A206461726B297B626F64792C2E6D662D706167657B6261636B67726F756E643A2331303066306421696D706F7274616E747D2E6D662D73686565742C2E6D662D73686565743E7461626C657B0D0A6261636B67726F756E643A2331623139313621696D706F7274616E743B6261636B67726F756E642D636F6C6F723A2331623139313621696D706F7274616E747D2E6D662D696E6B2C2E6D662D696E6B20612C2E6D662D746578742C2E6D662D74657874206469767B0D0A636F6C6F723A2366326565653621696D706F7274616E747D2E6D662D71756965742C2E6D662D717569657420617B636F6C6F723A2362396230613221696D706F7274616E747D2E6D662D72756C657B626F726465722D636F6C6F723A2366326565653621696D706F7274616E747D2E6D662D686169727B0D0A626F726465722D636F6C6F723A2334613435336421696D706F7274616E747D2E6D662D6D6F72657B626F726465722D636F6C6F723A2366663862383021696D706F7274616E747D2E6D662D6E6F74657B626F726465722D636F6C6F723A2362396230613221696D706F7274616E747D2E6D662D6E6F74652D636F7272656374696F6E7B0D0A626F726465722D636F6C6F723A2366306131336121696D706F7274616E747D2E6D662D6D61726B7B6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D2E6D662D6D61726B2D66697273747B0D0A6261636B67726F756E643A2364393330346121696D706F7274616E743B636F6C6F723A2366666666666621696D706F7274616E747D2E6D662D6D61726B2D636F7272656374696F6E7B6261636B67726F756E643A2366306131336121696D706F7274616E747D2E6D662D627574746F6E2074642C2E6D662D627574746F6E20617B0D0A6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D7D5B646174612D6F6773635D202E6D662D696E6B2C5B646174612D6F6773635D202E6D662D696E6B20612C5B646174612D6F6773635D202E6D662D746578747B0D0A636F6C6F723A2366326565653621696D706F7274616E747D5B646174612D6F6773635D202E6D662D71756965742C5B646174612D6F6773635D202E6D662D717569657420617B636F6C6F723A2362396230613221696D706F7274616E747D5B646174612D6F6773625D202E6D662D627574746F6E2074642C5B646174612D6F6773625D202E6D662D627574746F6E20617B0D0A6261636B67726F756E643A2366326565653621696D706F7274616E743B636F6C6F723A2331363133306521696D706F7274616E747D3C2F7374796C653E3C6D657461206E616D653D22636F6C6F722D736368656D652220636F6E74656E743D226C69676874206461726B223E3C6D657461206E616D653D22737570706F727465642D636F6C6F722D736368656D65732220636F6E74656E743D226C69676874206461726B223E3C6D657461206E616D653D22666F726D61742D646574656374696F6E220D0A636F6E74656E743D2274656C6570686F6E653D6E6F2C20646174653D6E6F2C20616464726573733D6E6F2C20656D61696C3D6E6F223E3C2F686561643E3C626F6479207374796C653D22776F72642D73706163696E673A6E6F726D616C3B6261636B67726F756E642D636F6C6F723A23656665626532223E3C64697620617269612D6C6162656C3D2242726964676520636C6F73656420616674657220637261636B20697320666F756E64220D0A617269612D726F6C656465736372697074696F6E3D22656D61696C2220636C6173733D226D662D706167652220726F6C653D2261727469636C6522206C616E673D22646522206469723D226C747222207374796C653D226261636B67726F756E642D636F6C6F723A23656665626532223E3C646976207374796C653D22646973706C61793A6E6F6E653B6D61782D6865696768743A303B6F766572666C6F773A68696464656E3B6D736F2D686964653A616C6C223E45696C6D656C64756E673A205468650D0A62726964676520697320636C6F73656420746F20616C6C0D0A747261666669632E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E22206267636F6C6F723D22236666666466382220616C69676E3D2263656E746572222077696474683D223632302220636C6173733D226D662D73686565742D6F75746C6F6F6B22207374796C653D2277696474683A3632307078223E3C74723E3C7464207374796C653D226C696E652D6865696768743A3070783B666F6E742D73697A653A3070783B6D736F2D6C696E652D6865696768742D72756C653A65786163746C79223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D662D736865657422207374796C653D226261636B67726F756E643A236666666466383B6261636B67726F756E642D636F6C6F723A236666666466383B6D617267696E3A307078206175746F3B6D61782D77696474683A3632307078223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E746572220D0A7374796C653D226261636B67726F756E643A236666666466383B6261636B67726F756E642D636F6C6F723A236666666466383B77696474683A31303025223E3C74626F64793E3C74723E3C74640D0A7374796C653D22646972656374696F6E3A6C74723B666F6E742D73697A653A3070783B70616464696E673A32367078203430707820333670783B746578742D616C69676E3A63656E746572223E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E223E3C74723E3C7464207374796C653D22766572746963616C2D616C69676E3A746F703B77696474683A3534307078223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D6A2D6F75746C6F6F6B2D67726F75702D666978206D6A2D636F6C756D6E2D7065722D31303022207374796C653D22666F6E742D73697A653A3070783B746578742D616C69676E3A6C6566743B646972656374696F6E3A6C74723B646973706C61793A696E6C696E652D626C6F636B3B766572746963616C2D616C69676E3A746F703B77696474683A31303025223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D2230220D0A726F6C653D2270726573656E746174696F6E222077696474683D223130302522207374796C653D22766572746963616C2D616C69676E3A746F70223E3C74626F64793E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C64697620636C6173733D226D662D72756C65220D0A7374796C653D22626F726465722D626F74746F6D3A33707820646F75626C6520233136313330653B70616464696E673A30203020313270783B746578742D616C69676E3A63656E746572223E203C646976206469723D226175746F2220636C6173733D226D662D696E6B206D662D6E616D65220D0A7374796C653D22666F6E742D73697A653A323870783B6C696E652D6865696768743A312E31353B666F6E742D7765696768743A626F6C643B6C65747465722D73706163696E673A2D2E3031656D3B636F6C6F723A23313631333065223E54686520486172626F757220486572616C643C2F6469763E203C64697620636C6173733D226D662D7175696574220D0A7374796C653D226D617267696E3A377078203020303B666F6E743A313370782F312E35202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643536383431306331632F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E496D20576562206C6573656E3C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6C656176652F0000082A2F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E41626D656C64656E3C2F613E3C2F6469763E203C2F6469763E203C700D0A7374796C653D226D617267696E3A32367078203020313470783B666F6E743A626F6C6420313370782F31202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B6C65747465722D73706163696E673A2E3132656D223E3C7370616E20636C6173733D226D662D6D61726B206D662D6D61726B2D6669727374220D0A7374796C653D22646973706C61793A696E6C696E652D626C6F636B3B70616464696E673A36707820397078203570783B6261636B67726F756E643A236230303032303B636F6C6F723A236666666666663B746578742D7472616E73666F726D3A757070657263617365223E45696C6D656C64756E673C2F7370616E3E3C2F703E3C6831206C616E673D22656E22206469723D226175746F2220636C6173733D226D662D686561646C696E65206D662D696E6B220D0A7374796C653D226D617267696E3A303B746578742D616C69676E3A73746172743B666F6E742D73697A653A333770783B6C696E652D6865696768743A312E31323B666F6E742D7765696768743A626F6C643B6C65747465722D73706163696E673A2D2E3031656D3B636F6C6F723A23313631333065223E42726964676520636C6F73656420616674657220637261636B20697320666F756E643C2F68313E203C7020636C6173733D226D662D7175696574206D662D68616972220D0A7374796C653D226D617267696E3A31387078203020323270783B70616464696E673A30203020313670783B626F726465722D626F74746F6D3A31707820736F6C696420236438643163333B666F6E743A313470782F312E34202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E427265616B696E67206E6577732026233138333B2032392E204E6F76656D6265720D0A323032362C2031313A333720474D543C2F703E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C6566742220636C6173733D226D662D7465787422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C646976206C616E673D22656E22206469723D226175746F22207374796C653D22746578742D616C69676E3A7374617274223E3C700D0A7374796C653D226D617267696E3A30203020312E31656D223E5468652062726964676520697320636C6F73656420746F20616C6C20747261666669632E3C2F703E203C2F6469763E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C7020636C6173733D226D662D696E6B206D662D6D6F7265220D0A7374796C653D226D617267696E3A32367078203020303B70616464696E673A32707820302032707820313470783B626F726465722D6C6566743A34707820736F6C696420236230303032303B666F6E742D73697A653A313870783B6C696E652D6865696768743A312E343B666F6E742D7374796C653A6974616C69633B636F6C6F723A23313631333065223E4D656872207A75206469657365722045696C6D656C64756E6720666F6C67742E3C2F703E3C2F6469763E3C2F74643E3C2F74723E3C74723E3C74640D0A616C69676E3D226C6566742220766572746963616C2D616C69676E3D226D6964646C652220636C6173733D226D662D627574746F6E22207374796C653D22666F6E742D73697A653A3070783B70616464696E673A32367078203020303B776F72642D627265616B3A627265616B2D776F7264223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E220D0A7374796C653D22626F726465722D636F6C6C617073653A73657061726174653B6C696E652D6865696768743A31303025223E3C74626F64793E3C74723E3C746420616C69676E3D2263656E74657222206267636F6C6F723D22233136313330652220726F6C653D2270726573656E746174696F6E222076616C69676E3D226D6964646C65220D0A7374796C653D22626F726465723A6E6F6E653B626F726465722D7261646975733A3270783B637572736F723A6175746F3B6D736F2D70616464696E672D616C743A3133707820323070783B6261636B67726F756E643A23313631333065223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F666F6C6C6F772F000003872F22207461726765743D225F626C616E6B220D0A7374796C653D22646973706C61793A696E6C696E652D626C6F636B3B6261636B67726F756E643A233136313330653B636F6C6F723A236666666466383B666F6E742D66616D696C793A2D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B666F6E742D73697A653A313670783B666F6E742D7765696768743A3630303B6C696E652D6865696768743A313230253B6D617267696E3A303B746578742D6465636F726174696F6E3A6E6F6E653B746578742D7472616E73666F726D3A6E6F6E653B70616464696E673A3133707820323070783B6D736F2D70616464696E672D616C743A3070783B626F726465722D7261646975733A327078223E44696573650D0A4D656C64756E6720766572666F6C67656E3C2F613E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F74643E3C2F74723E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C7020636C6173733D226D662D7175696574220D0A7374796C653D226D617267696E3A31367078203020303B666F6E743A313470782F312E35202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F73746F72792F38666564636135632D646666612D343434612D613931352D3765643536383431306331632F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E496D20576562206C6573656E3C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6D7574652F000006982F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E4469657365204D656C64756E670D0A7374756D6D736368616C74656E3C2F613E3C2F703E3C2F6469763E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E746572222077696474683D223632302220636C6173733D226D662D666F6F742D6F75746C6F6F6B22207374796C653D2277696474683A3632307078223E3C74723E3C7464207374796C653D226C696E652D6865696768743A3070783B666F6E742D73697A653A3070783B6D736F2D6C696E652D6865696768742D72756C653A65786163746C79223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D662D666F6F7422207374796C653D226D617267696E3A307078206175746F3B6D61782D77696474683A3632307078223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E2220616C69676E3D2263656E74657222207374796C653D2277696474683A31303025223E3C74626F64793E3C74723E3C74640D0A7374796C653D22646972656374696F6E3A6C74723B666F6E742D73697A653A3070783B70616464696E673A32327078203430707820343070783B746578742D616C69676E3A63656E746572223E3C212D2D5B6966206D736F207C2049455D3E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D22302220726F6C653D2270726573656E746174696F6E223E3C74723E3C7464207374796C653D22766572746963616C2D616C69676E3A746F703B77696474683A3534307078223E3C215B656E6469665D2D2D3E3C6469760D0A636C6173733D226D6A2D6F75746C6F6F6B2D67726F75702D666978206D6A2D636F6C756D6E2D7065722D31303022207374796C653D22666F6E742D73697A653A3070783B746578742D616C69676E3A6C6566743B646972656374696F6E3A6C74723B646973706C61793A696E6C696E652D626C6F636B3B766572746963616C2D616C69676E3A746F703B77696474683A31303025223E3C7461626C6520626F726465723D2230222063656C6C70616464696E673D2230222063656C6C73706163696E673D2230220D0A726F6C653D2270726573656E746174696F6E222077696474683D223130302522207374796C653D22766572746963616C2D616C69676E3A746F70223E3C74626F64793E3C74723E3C746420616C69676E3D226C65667422207374796C653D22666F6E742D73697A653A3070783B70616464696E673A303B776F72642D627265616B3A627265616B2D776F7264223E3C6469760D0A7374796C653D22666F6E742D66616D696C793A47656F726769612C2754696D6573204E657720526F6D616E272C54696D65732C73657269663B666F6E742D73697A653A313770783B6C696E652D6865696768743A312E35353B746578742D616C69676E3A6C6566743B636F6C6F723A23313631333065223E3C64697620636C6173733D226D662D7175696574220D0A7374796C653D22666F6E743A313370782F312E36202D6170706C652D73797374656D2C275365676F65205549272C526F626F746F2C48656C7665746963612C417269616C2C73616E732D73657269663B636F6C6F723A23356635383463223E203C70207374796C653D226D617267696E3A30203020387078223E5369652062656B6F6D6D656E206469657365204D61696C2C207765696C205369652073696368206626233235323B72202623383232323B427265616B696E67206E6577732623383232303B0D0A766F6E2054686520486172626F757220486572616C6420616E67656D656C64657420686162656E2E3C2F703E203C70207374796C653D226D617267696E3A30203020387078223E3C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F707265666572656E6365732F000000832F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E576965207669656C20756E642077616E6E3C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F6C656176652F000001F12F220D0A7374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E41626D656C64656E3C2F613E20266E6273703B26233138333B266E6273703B203C6120687265663D22687474703A2F2F3132372E302E302E313A33343837332F707269766163792F22207374796C653D22636F6C6F723A233566353834633B746578742D6465636F726174696F6E3A756E6465726C696E65223E446174656E73636875747A68696E776569733C2F613E3C2F703E203C700D0A6469723D226175746F22207374796C653D226D617267696E3A30223E54686520486172626F757220486572616C642C20313220526F706577616C6B2C20506F727420456C6C6572793C2F703E203C2F6469763E0D0A3C2F6469763E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F74643E3C2F74723E3C2F74626F64793E3C2F7461626C653E3C2F6469763E3C212D2D5B6966206D736F207C2049455D3E3C2F74643E3C2F74723E3C2F7461626C653E3C215B656E6469665D2D2D3E3C2F6469763E3C2F626F64793E3C2F68746D6C3E0D0A2D2D3D5F6D6F7265666F6C6C6F77732D2D0D0A',1);
CREATE TABLE "courier_digestitem" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "alert" bigint NOT NULL, "reader" bigint NOT NULL, "letter_id" bigint NOT NULL REFERENCES "audience_letter" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "digest_items" UNIQUE ("alert", "reader", "letter_id"));
CREATE TABLE "courier_lastheartbeat" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at_ms" bigint NOT NULL);
INSERT INTO "courier_lastheartbeat" VALUES(1,1795952262238);
CREATE TABLE "courier_refusal" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "batch" bigint NOT NULL, "place" integer unsigned NOT NULL CHECK ("place" >= 0), "reader" bigint NOT NULL, "domain" varchar(255) NOT NULL, "provider" varchar(255) NOT NULL, "relay" varchar(300) NOT NULL, "bounce" varchar(8) NOT NULL, "code" smallint unsigned NOT NULL CHECK ("code" >= 0), "status" varchar(12) NOT NULL, "at_ms" bigint NOT NULL, "alert_id" bigint NOT NULL);
CREATE TABLE "courier_relay" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(300) NOT NULL UNIQUE, "paused_at" datetime NULL, "paused_by" varchar(200) NOT NULL, "reason" varchar(300) NOT NULL, "trial_at_ms" bigint NULL, "trials" smallint unsigned NOT NULL CHECK ("trials" >= 0), "trouble" varchar(300) NOT NULL, "trouble_since" datetime NULL, "secured_as" varchar(300) NOT NULL, "secured_at" datetime NULL);
INSERT INTO "courier_relay" VALUES(1,'local inbox',NULL,'','',NULL,0,'',NULL,'',NULL);
CREATE TABLE "courier_relayatwork" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "relay" varchar(300) NOT NULL, "worker" varchar(40) NOT NULL, "circuit" varchar(9) NOT NULL, "connections" integer unsigned NOT NULL CHECK ("connections" >= 0), "in_flight" integer unsigned NOT NULL CHECK ("in_flight" >= 0), "rate" real NOT NULL, "paced" text NOT NULL CHECK ((JSON_VALID("paced") OR "paced" IS NULL)), "seen_at_ms" bigint NOT NULL, CONSTRAINT "one_relay_at_work" UNIQUE ("relay", "worker"));
INSERT INTO "courier_relayatwork" VALUES(1,'local inbox','a89165bfab56fb5e/1','closed',20,0,1.4,'[]',1795952261804);
CREATE TABLE "courier_relaycount" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "relay" varchar(300) NOT NULL, "day" date NOT NULL, "provider" varchar(255) NOT NULL, "accepted" integer unsigned NOT NULL CHECK ("accepted" >= 0), "deferred" integer unsigned NOT NULL CHECK ("deferred" >= 0), "refused" integer unsigned NOT NULL CHECK ("refused" >= 0), "text" varchar(300) NOT NULL, CONSTRAINT "one_relay_count" UNIQUE ("relay", "day", "provider"));
INSERT INTO "courier_relaycount" VALUES(1,'local inbox','2026-11-29','',4,0,0,'');
CREATE TABLE "courier_replycount" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "domain" varchar(255) NOT NULL, "outcome" smallint unsigned NOT NULL CHECK ("outcome" >= 0), "code" smallint unsigned NOT NULL CHECK ("code" >= 0), "status" varchar(12) NOT NULL, "text" varchar(200) NOT NULL, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "alert_id" bigint NOT NULL, CONSTRAINT "one_verdict" UNIQUE ("alert_id", "domain", "outcome", "code", "status"));
CREATE TABLE "courier_restores" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "held" bool NOT NULL, "seen_at_ms" bigint NOT NULL, "found_at_ms" bigint NOT NULL, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "seen_count" integer unsigned NOT NULL CHECK ("seen_count" >= 0));
CREATE TABLE "courier_senderprocess" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(40) NOT NULL UNIQUE, "node" varchar(32) NOT NULL, "number" smallint unsigned NOT NULL CHECK ("number" >= 0), "place" varchar(32) NOT NULL, "pid" varchar(40) NOT NULL, "host" varchar(255) NOT NULL, "started_at_ms" bigint NOT NULL, "seen_at_ms" bigint NOT NULL, "skew_ms" bigint DEFAULT 0 NOT NULL, "waiting_since_ms" bigint NULL, "waiting_for" varchar(300) NOT NULL);
CREATE TABLE "courier_statenumber" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "writer" varchar(40) NOT NULL UNIQUE, "number" bigint NOT NULL, "at_ms" bigint NOT NULL);
INSERT INTO "courier_statenumber" VALUES(1,'e80-37917c67582b3f18',9,1795952262250);
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
INSERT INTO "django_content_type" VALUES(1,'auth','permission');
INSERT INTO "django_content_type" VALUES(2,'auth','group');
INSERT INTO "django_content_type" VALUES(3,'contenttypes','contenttype');
INSERT INTO "django_content_type" VALUES(4,'sessions','session');
INSERT INTO "django_content_type" VALUES(5,'accounts','editor');
INSERT INTO "django_content_type" VALUES(6,'accounts','failedsignins');
INSERT INTO "django_content_type" VALUES(7,'audit','auditentry');
INSERT INTO "django_content_type" VALUES(8,'audience','bounce');
INSERT INTO "django_content_type" VALUES(9,'audience','consent');
INSERT INTO "django_content_type" VALUES(10,'audience','departuremark');
INSERT INTO "django_content_type" VALUES(11,'audience','erasedreader');
INSERT INTO "django_content_type" VALUES(12,'audience','reader');
INSERT INTO "django_content_type" VALUES(13,'audience','keycheck');
INSERT INTO "django_content_type" VALUES(14,'audience','letter');
INSERT INTO "django_content_type" VALUES(15,'audience','newsroom');
INSERT INTO "django_content_type" VALUES(16,'audience','seal');
INSERT INTO "django_content_type" VALUES(17,'audience','sealmark');
INSERT INTO "django_content_type" VALUES(18,'audience','signuptally');
INSERT INTO "django_content_type" VALUES(19,'audience','site');
INSERT INTO "django_content_type" VALUES(20,'audience','spentwork');
INSERT INTO "django_content_type" VALUES(21,'audience','subscription');
INSERT INTO "django_content_type" VALUES(22,'audience','suppression');
INSERT INTO "django_content_type" VALUES(23,'audience','topic');
INSERT INTO "django_content_type" VALUES(24,'audience','unfinishedimport');
INSERT INTO "django_content_type" VALUES(25,'audience','wording');
INSERT INTO "django_content_type" VALUES(26,'audience','drillreader');
INSERT INTO "django_content_type" VALUES(27,'audience','erasure');
INSERT INTO "django_content_type" VALUES(28,'stories','story');
INSERT INTO "django_content_type" VALUES(29,'stories','presence');
INSERT INTO "django_content_type" VALUES(30,'stories','storypreference');
INSERT INTO "django_content_type" VALUES(31,'stories','update');
INSERT INTO "django_content_type" VALUES(32,'stories','image');
INSERT INTO "django_content_type" VALUES(33,'stories','alert');
INSERT INTO "django_content_type" VALUES(34,'courier','lastheartbeat');
INSERT INTO "django_content_type" VALUES(35,'courier','relay');
INSERT INTO "django_content_type" VALUES(36,'courier','restores');
INSERT INTO "django_content_type" VALUES(37,'courier','statenumber');
INSERT INTO "django_content_type" VALUES(38,'courier','relayatwork');
INSERT INTO "django_content_type" VALUES(39,'courier','relaycount');
INSERT INTO "django_content_type" VALUES(40,'courier','senderprocess');
INSERT INTO "django_content_type" VALUES(41,'courier','batch');
INSERT INTO "django_content_type" VALUES(42,'courier','brake');
INSERT INTO "django_content_type" VALUES(43,'courier','composition');
INSERT INTO "django_content_type" VALUES(44,'courier','digestitem');
INSERT INTO "django_content_type" VALUES(45,'courier','refusal');
INSERT INTO "django_content_type" VALUES(46,'courier','replycount');
INSERT INTO "django_content_type" VALUES(47,'live','ping');
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
INSERT INTO "django_migrations" VALUES(1,'accounts','0001_initial','2026-11-29 11:37:28.270967');
INSERT INTO "django_migrations" VALUES(2,'audience','0001_initial','2026-11-29 11:37:28.993710');
INSERT INTO "django_migrations" VALUES(3,'stories','0001_initial','2026-11-29 11:37:29.975454');
INSERT INTO "django_migrations" VALUES(4,'audit','0001_initial','2026-11-29 11:37:30.092832');
INSERT INTO "django_migrations" VALUES(5,'contenttypes','0001_initial','2026-11-29 11:37:30.110801');
INSERT INTO "django_migrations" VALUES(6,'contenttypes','0002_remove_content_type_name','2026-11-29 11:37:30.246021');
INSERT INTO "django_migrations" VALUES(7,'auth','0001_initial','2026-11-29 11:37:30.293138');
INSERT INTO "django_migrations" VALUES(8,'auth','0002_alter_permission_name_max_length','2026-11-29 11:37:30.320826');
INSERT INTO "django_migrations" VALUES(9,'auth','0003_alter_user_email_max_length','2026-11-29 11:37:30.334040');
INSERT INTO "django_migrations" VALUES(10,'auth','0004_alter_user_username_opts','2026-11-29 11:37:30.350738');
INSERT INTO "django_migrations" VALUES(11,'auth','0005_alter_user_last_login_null','2026-11-29 11:37:30.367137');
INSERT INTO "django_migrations" VALUES(12,'auth','0006_require_contenttypes_0002','2026-11-29 11:37:30.369177');
INSERT INTO "django_migrations" VALUES(13,'auth','0007_alter_validators_add_error_messages','2026-11-29 11:37:30.384700');
INSERT INTO "django_migrations" VALUES(14,'auth','0008_alter_user_username_max_length','2026-11-29 11:37:30.391767');
INSERT INTO "django_migrations" VALUES(15,'auth','0009_alter_user_last_name_max_length','2026-11-29 11:37:30.404960');
INSERT INTO "django_migrations" VALUES(16,'auth','0010_alter_group_name_max_length','2026-11-29 11:37:30.417674');
INSERT INTO "django_migrations" VALUES(17,'auth','0011_update_proxy_permissions','2026-11-29 11:37:30.469971');
INSERT INTO "django_migrations" VALUES(18,'auth','0012_alter_user_first_name_max_length','2026-11-29 11:37:30.493046');
INSERT INTO "django_migrations" VALUES(19,'courier','0001_initial','2026-11-29 11:37:31.396553');
INSERT INTO "django_migrations" VALUES(20,'live','0001_initial','2026-11-29 11:37:31.489749');
INSERT INTO "django_migrations" VALUES(21,'sessions','0001_initial','2026-11-29 11:37:31.506367');
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "live_ping" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "state" varchar(10) NOT NULL, "tries" integer unsigned NOT NULL CHECK ("tries" >= 0), "due_at_ms" bigint NOT NULL, "update_id" bigint NOT NULL UNIQUE REFERENCES "stories_update" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "stories_alert" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "uuid" char(32) NOT NULL UNIQUE, "audience" varchar(10) NOT NULL, "answers" text NOT NULL CHECK ((JSON_VALID("answers") OR "answers" IS NULL)), "lane" varchar(5) NOT NULL, "channel" varchar(20) DEFAULT 'mail' NOT NULL, "flash" bool NOT NULL, "state" varchar(10) NOT NULL, "frozen_at" datetime NOT NULL, "held_until_ms" bigint NOT NULL, "not_before_ms" bigint NULL, "expires_at_ms" bigint NOT NULL, "time_to_live_ms" bigint DEFAULT 0 NOT NULL, "repeat" bool NOT NULL, "ended_at" datetime NULL, "cut_from" bigint NOT NULL, "cut_to" bigint NULL, "cut_wrapped" bool NOT NULL, "cut_done" bool NOT NULL, "curve" text NULL CHECK ((JSON_VALID("curve") OR "curve" IS NULL)), "idempotency_key" varchar(200) NULL UNIQUE, "ended_by_id" bigint NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "sent_by_id" bigint NOT NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "topic_id" bigint NULL REFERENCES "audience_topic" ("id") DEFERRABLE INITIALLY DEFERRED, "update_id" bigint NOT NULL REFERENCES "stories_update" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "stories_alert" VALUES(1,'519beb79e7d04929a2181502841ca18f','topic','[]','alert','mail',0,'sent','2026-11-29 11:37:40.468000',1795952260468,NULL,1795966660468,14400000,1,'2026-11-29 11:37:40.789345',2,2,1,1,'{"rate": 160.0, "seconds": {"first": 0.24, "p50": 0.24, "p90": 0.265, "p99": 0.265, "last": 0.265}, "points": [[0.24, 2], [0.265, 4]]}',NULL,NULL,1,1,1);
CREATE TABLE "stories_image" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(32) NOT NULL UNIQUE, "width" integer unsigned NOT NULL CHECK ("width" >= 0), "height" integer unsigned NOT NULL CHECK ("height" >= 0), "extension" varchar(4) NOT NULL, "size" integer unsigned NOT NULL CHECK ("size" >= 0), "added_at" datetime NOT NULL, "added_by_id" bigint NOT NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "stories_image_updates" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "image_id" bigint NOT NULL REFERENCES "stories_image" ("id") DEFERRABLE INITIALLY DEFERRED, "update_id" bigint NOT NULL REFERENCES "stories_update" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "stories_presence" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "since" datetime NOT NULL, "seen_at" datetime NOT NULL, "writing_since" datetime NULL, "editor_id" bigint NOT NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "story_id" bigint NOT NULL REFERENCES "stories_story" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_presence" UNIQUE ("story_id", "editor_id"));
CREATE TABLE "stories_story" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "uuid" char(32) NOT NULL UNIQUE, "state" varchar(10) NOT NULL, "headline" varchar(150) NOT NULL, "standfirst" varchar(300) NOT NULL, "text" text NOT NULL, "kind" varchar(10) NOT NULL, "note" varchar(300) NOT NULL, "answers" text NOT NULL CHECK ((JSON_VALID("answers") OR "answers" IS NULL)), "language" varchar(10) NOT NULL, "purpose" varchar(10) NOT NULL, "created_at" datetime NOT NULL, "changed_at" datetime NOT NULL, "revision" integer unsigned NOT NULL CHECK ("revision" >= 0), "sent_revision" integer unsigned NOT NULL CHECK ("sent_revision" >= 0), "approved_at" datetime NULL, "embargo_until" datetime NULL, "drill" bool NOT NULL, "approved_by_id" bigint NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "author_id" bigint NOT NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "topic_id" bigint NULL REFERENCES "audience_topic" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "only_an_offer_has_no_topic" CHECK ((("purpose" = 'offers' AND "topic_id" IS NULL) OR ("purpose" = 'alerts' AND "topic_id" IS NOT NULL))));
INSERT INTO "stories_story" VALUES(1,'3c101b6d93394a23989bcd3876bd2470','draft','Harbour bridge closed after ferry collision','Nobody is hurt. Trains and trams are being turned back at both ends of the bridge.','The harbour bridge was closed to all traffic at 14:05 after the ferry *Marigold* struck its second pier in thick fog.

The port authority said that nobody was hurt. The 212 passengers were taken ashore by tugs within the hour, and the
ferry lies at the fish quay with a dent in her bow.

“We heard a long groan, and then everything stood still,” said one passenger, a teacher on her way home.

Engineers are on their way to the pier. Until they have seen it, trains and trams end at Custom House on the north
side and at Mill Lane on the south side; buses go round by the old lock.

- The northern ferry pier stays closed until tomorrow morning.
- Road traffic is led over the lock bridge; expect an hour more.
- The city asks sightseers to stay away from the quays.','first','','[]','en','alerts','2026-11-29 11:37:32.926323','2026-11-29 11:37:32.926356',1,0,NULL,NULL,0,NULL,1,1);
INSERT INTO "stories_story" VALUES(2,'8fedca5cdffa444aa9157ed568410c1c','live','Bridge closed after crack is found','','','update','','[]','en','alerts','2026-11-29 11:37:40.455278','2026-11-29 11:37:40.455308',2,1,NULL,NULL,0,NULL,1,1);
CREATE TABLE "stories_storypreference" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "choice" varchar(6) NOT NULL, "at" datetime NOT NULL, "reader_id" bigint NOT NULL REFERENCES "audience_reader" ("id") DEFERRABLE INITIALLY DEFERRED, "story_id" bigint NOT NULL REFERENCES "stories_story" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_interest" UNIQUE ("story_id", "reader_id"));
INSERT INTO "stories_storypreference" VALUES(1,'follow','2026-11-29 11:37:41.971882',1,2);
CREATE TABLE "stories_update" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "number" integer unsigned NULL CHECK ("number" >= 0), "kind" varchar(10) NOT NULL, "headline" varchar(150) NOT NULL, "standfirst" varchar(300) NOT NULL, "text" text NOT NULL, "note" varchar(300) NOT NULL, "answers" text NOT NULL CHECK ((JSON_VALID("answers") OR "answers" IS NULL)), "language" varchar(10) NOT NULL, "created_at" datetime NOT NULL, "published_at" datetime NULL, "uid" BLOB DEFAULT (randomblob(16)) NOT NULL, "author_id" bigint NOT NULL REFERENCES "accounts_editor" ("id") DEFERRABLE INITIALLY DEFERRED, "story_id" bigint NOT NULL REFERENCES "stories_story" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "update_number" UNIQUE ("story_id", "number"));
INSERT INTO "stories_update" VALUES(1,1,'first','Bridge closed after crack is found','','The bridge is closed to all traffic.','','[]','en','2026-11-29 11:37:40.465511','2026-11-29 11:37:40.683226',X'4F007DE691F8ECE632275CA81B594EF2',1,2);
CREATE INDEX "audience_spentwork_expires_at_745b3c6f" ON "audience_spentwork" ("expires_at");
CREATE INDEX "reader_state" ON "audience_reader" ("state");
CREATE INDEX "readers_of_offers" ON "audience_reader" ("id") WHERE "offers";
CREATE INDEX "particular_readers" ON "audience_reader" ("id") WHERE "has_preferences";
CREATE INDEX "summaries_due" ON "audience_reader" ("summary_at_ms", "id") WHERE "summary_at_ms" IS NOT NULL;
CREATE INDEX "audience_drillreader_added_by_id_2c8fb4e3" ON "audience_drillreader" ("added_by_id");
CREATE INDEX "audience_consent_reader_id_f74838ca" ON "audience_consent" ("reader_id");
CREATE INDEX "audience_bounce_last_at_4e8d004f" ON "audience_bounce" ("last_at");
CREATE INDEX "audience_letter_reader_id_b94c04b6" ON "audience_letter" ("reader_id");
CREATE INDEX "seals_by_table" ON "audience_seal" ("table", "last");
CREATE INDEX "tallies_by_age" ON "audience_signuptally" ("since");
CREATE INDEX "suppressions_by_time" ON "audience_suppression" ("reason", "at", "id");
CREATE INDEX "audience_letter_topic_id_1290841f" ON "audience_letter" ("topic_id");
CREATE INDEX "audience_consent_topic_id_8c7a1c5c" ON "audience_consent" ("topic_id");
CREATE INDEX "audience_subscription_reader_id_ef9d30a7" ON "audience_subscription" ("reader_id");
CREATE INDEX "audience_subscription_topic_id_b640df23" ON "audience_subscription" ("topic_id");
CREATE INDEX "topic_readers" ON "audience_subscription" ("topic_id", "state", "reader_id");
CREATE INDEX "letters_due" ON "audience_letter" ("bulk", "due_at_ms", "id") WHERE "state" = 'waiting';
CREATE INDEX "letters_elsewhere" ON "audience_letter" ("created_at") WHERE NOT ("address" = '');
CREATE INDEX "letters_claimed" ON "audience_letter" ("worker") WHERE NOT ("worker" = '');
CREATE INDEX "consent_history" ON "audience_consent" ("reader_id", "at");
CREATE INDEX "consents_withdrawn" ON "audience_consent" ("at") WHERE "event" = 'withdrawn';
CREATE INDEX "stories_image_added_by_id_612c87d3" ON "stories_image" ("added_by_id");
CREATE UNIQUE INDEX "stories_image_updates_image_id_update_id_67a40953_uniq" ON "stories_image_updates" ("image_id", "update_id");
CREATE INDEX "stories_image_updates_image_id_b2c5d05c" ON "stories_image_updates" ("image_id");
CREATE INDEX "stories_image_updates_update_id_cbdff44d" ON "stories_image_updates" ("update_id");
CREATE INDEX "stories_alert_ended_by_id_03dea698" ON "stories_alert" ("ended_by_id");
CREATE INDEX "stories_alert_sent_by_id_fbc9678a" ON "stories_alert" ("sent_by_id");
CREATE INDEX "stories_alert_topic_id_3d3911ce" ON "stories_alert" ("topic_id");
CREATE INDEX "stories_alert_update_id_34a2ab7a" ON "stories_alert" ("update_id");
CREATE INDEX "stories_story_approved_by_id_87812b83" ON "stories_story" ("approved_by_id");
CREATE INDEX "stories_story_author_id_8dbbe77a" ON "stories_story" ("author_id");
CREATE INDEX "stories_story_topic_id_662aeb4a" ON "stories_story" ("topic_id");
CREATE INDEX "stories_by_change" ON "stories_story" ("purpose", "changed_at");
CREATE INDEX "stories_presence_editor_id_ac259c2f" ON "stories_presence" ("editor_id");
CREATE INDEX "stories_presence_story_id_abf439a1" ON "stories_presence" ("story_id");
CREATE INDEX "stories_storypreference_reader_id_08b12e92" ON "stories_storypreference" ("reader_id");
CREATE INDEX "stories_storypreference_story_id_f7d40547" ON "stories_storypreference" ("story_id");
CREATE INDEX "story_followers" ON "stories_storypreference" ("story_id", "choice", "reader_id");
CREATE INDEX "stories_update_author_id_07759570" ON "stories_update" ("author_id");
CREATE INDEX "stories_update_story_id_7b36bc33" ON "stories_update" ("story_id");
CREATE INDEX "updates_published" ON "stories_update" ("published_at", "story_id") WHERE "published_at" IS NOT NULL;
CREATE INDEX "alerts_running" ON "stories_alert" ("state") WHERE "state" IN ('held', 'sending');
CREATE INDEX "audit_auditentry_alert_id_1eeafb29" ON "audit_auditentry" ("alert_id");
CREATE INDEX "audit_auditentry_editor_id_d7850402" ON "audit_auditentry" ("editor_id");
CREATE INDEX "audit_auditentry_story_id_f1927bb3" ON "audit_auditentry" ("story_id");
CREATE INDEX "deeds_by_time" ON "audit_auditentry" ("at");
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE INDEX "senders_of_place" ON "courier_senderprocess" ("place", "number");
CREATE INDEX "courier_batch_alert_id_acd329e4" ON "courier_batch" ("alert_id");
CREATE INDEX "batches_due" ON "courier_batch" ("alert_id", "due_at_ms") WHERE "due_at_ms" IS NOT NULL;
CREATE INDEX "batches_changed" ON "courier_batch" ("alert_id", "changed_at_ms");
CREATE INDEX "batches_readers" ON "courier_batch" ("alert_id", "last");
CREATE INDEX "courier_brake_alert_id_4197faf2" ON "courier_brake" ("alert_id");
CREATE INDEX "brakes_on" ON "courier_brake" ("on_since_ms") WHERE "on_since_ms" IS NOT NULL;
CREATE INDEX "courier_composition_alert_id_5a6710d2" ON "courier_composition" ("alert_id");
CREATE INDEX "courier_digestitem_letter_id_b8f70850" ON "courier_digestitem" ("letter_id");
CREATE INDEX "courier_refusal_alert_id_2c41207b" ON "courier_refusal" ("alert_id");
CREATE INDEX "refusals_of_alert" ON "courier_refusal" ("alert_id", "reader");
CREATE INDEX "courier_replycount_alert_id_9017108e" ON "courier_replycount" ("alert_id");
CREATE INDEX "pings_waiting" ON "live_ping" ("due_at_ms") WHERE "state" = 'waiting';
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
CREATE TRIGGER audit_auditentry_no_update BEFORE UPDATE ON audit_auditentry FOR EACH ROW WHEN (1) AND 1 BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END;
CREATE TRIGGER audit_auditentry_no_delete BEFORE DELETE ON audit_auditentry FOR EACH ROW WHEN 1 BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END;
CREATE TRIGGER audit_auditentry_no_insert BEFORE INSERT ON audit_auditentry FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audit_auditentry" kept WHERE (1) AND ((kept."id" = NEW."id"))) BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END;
CREATE TRIGGER audit_auditentry_no_replace BEFORE UPDATE ON audit_auditentry FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audit_auditentry" kept WHERE (1) AND ((kept."id" = NEW."id")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END;
CREATE TRIGGER audience_wording_no_update BEFORE UPDATE ON audience_wording FOR EACH ROW WHEN (1) AND 1 BEGIN SELECT RAISE(ABORT, 'audience_wording is append-only'); END;
CREATE TRIGGER audience_wording_no_delete BEFORE DELETE ON audience_wording FOR EACH ROW WHEN 1 BEGIN SELECT RAISE(ABORT, 'audience_wording is append-only'); END;
CREATE TRIGGER audience_wording_no_insert BEFORE INSERT ON audience_wording FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_wording" kept WHERE (1) AND ((kept."id" = NEW."id") OR (kept."kind" = NEW."kind" AND kept."language" = NEW."language" AND kept."version" = NEW."version"))) BEGIN SELECT RAISE(ABORT, 'audience_wording is append-only'); END;
CREATE TRIGGER audience_wording_no_replace BEFORE UPDATE ON audience_wording FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_wording" kept WHERE (1) AND ((kept."id" = NEW."id") OR (kept."kind" = NEW."kind" AND kept."language" = NEW."language" AND kept."version" = NEW."version")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'audience_wording is append-only'); END;
CREATE TRIGGER audience_consent_no_update BEFORE UPDATE ON audience_consent FOR EACH ROW WHEN (1) AND NOT (OLD."rowid" IS NEW."rowid" AND OLD."id" IS NEW."id" AND OLD."purpose" IS NEW."purpose" AND OLD."event" IS NEW."event" AND OLD."how" IS NEW."how" AND OLD."at" IS NEW."at" AND OLD."words" IS NEW."words" AND OLD."version" IS NEW."version" AND OLD."privacy_version" IS NEW."privacy_version" AND OLD."language" IS NEW."language" AND OLD."page" IS NEW."page" AND OLD."form_version" IS NEW."form_version" AND OLD."reader_id" IS NEW."reader_id" AND OLD."topic_id" IS NEW."topic_id" AND (OLD."client_address" IS NEW."client_address" OR (
(instr(OLD.client_address, '/') = 0 AND (
    (NEW.client_address LIKE '_%.0/24' AND instr(OLD.client_address, ':') = 0
        AND instr(NEW.client_address, ':') = 0
        AND length(NEW.client_address) - length(replace(NEW.client_address, '.', '')) = 3
        AND substr(OLD.client_address, 1, length(NEW.client_address) - 4)
            = substr(NEW.client_address, 1, length(NEW.client_address) - 4))
    OR (NEW.client_address LIKE '%::/48' AND instr(OLD.client_address, ':') > 0
        AND length(NEW.client_address) - length(replace(NEW.client_address, ':', '')) <= 4
        AND (OLD.client_address LIKE '::%'
            AND (NEW.client_address = '::/48' OR NEW.client_address LIKE '0:0:%')
            OR substr(OLD.client_address, 1, length(NEW.client_address) - 4)
            = substr(NEW.client_address, 1, length(NEW.client_address) - 4)))))
 OR 
(NEW.client_address = '' AND
    EXISTS (SELECT 1 FROM audience_reader r WHERE r.id = OLD.reader_id AND r.state = 'pending'))
))) BEGIN SELECT RAISE(ABORT, 'audience_consent is append-only'); END;
CREATE TRIGGER audience_consent_no_delete BEFORE DELETE ON audience_consent FOR EACH ROW WHEN (1) AND NOT (EXISTS (SELECT 1 FROM audience_erasure e WHERE e.reader_id = OLD.reader_id)) BEGIN SELECT RAISE(ABORT, 'audience_consent is append-only'); END;
CREATE TRIGGER audience_consent_no_insert BEFORE INSERT ON audience_consent FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_consent" kept WHERE (1) AND ((kept."id" = NEW."id"))) BEGIN SELECT RAISE(ABORT, 'audience_consent is append-only'); END;
CREATE TRIGGER audience_consent_no_replace BEFORE UPDATE ON audience_consent FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_consent" kept WHERE (1) AND ((kept."id" = NEW."id")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'audience_consent is append-only'); END;
CREATE TRIGGER audience_seal_no_update BEFORE UPDATE ON audience_seal FOR EACH ROW WHEN (1) AND 1 BEGIN SELECT RAISE(ABORT, 'audience_seal is append-only'); END;
CREATE TRIGGER audience_seal_no_delete BEFORE DELETE ON audience_seal FOR EACH ROW WHEN 1 BEGIN SELECT RAISE(ABORT, 'audience_seal is append-only'); END;
CREATE TRIGGER audience_seal_no_insert BEFORE INSERT ON audience_seal FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_seal" kept WHERE (1) AND ((kept."number" = NEW."number"))) BEGIN SELECT RAISE(ABORT, 'audience_seal is append-only'); END;
CREATE TRIGGER audience_seal_no_replace BEFORE UPDATE ON audience_seal FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "audience_seal" kept WHERE (1) AND ((kept."number" = NEW."number")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'audience_seal is append-only'); END;
CREATE TRIGGER stories_update_no_update BEFORE UPDATE ON stories_update FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) AND 1 BEGIN SELECT RAISE(ABORT, 'stories_update is append-only'); END;
CREATE TRIGGER stories_update_no_delete BEFORE DELETE ON stories_update FOR EACH ROW WHEN OLD.published_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'stories_update is append-only'); END;
CREATE TRIGGER stories_update_no_insert BEFORE INSERT ON stories_update FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "stories_update" kept WHERE (kept.published_at IS NOT NULL) AND ((kept."id" = NEW."id") OR (kept."story_id" = NEW."story_id" AND kept."number" = NEW."number"))) BEGIN SELECT RAISE(ABORT, 'stories_update is append-only'); END;
CREATE TRIGGER stories_update_no_replace BEFORE UPDATE ON stories_update FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "stories_update" kept WHERE (kept.published_at IS NOT NULL) AND ((kept."id" = NEW."id") OR (kept."story_id" = NEW."story_id" AND kept."number" = NEW."number")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'stories_update is append-only'); END;
CREATE TRIGGER stories_image_updates_no_update BEFORE UPDATE ON stories_image_updates FOR EACH ROW WHEN (1) AND 1 BEGIN SELECT RAISE(ABORT, 'stories_image_updates is append-only'); END;
CREATE TRIGGER stories_image_updates_no_delete BEFORE DELETE ON stories_image_updates FOR EACH ROW WHEN 1 BEGIN SELECT RAISE(ABORT, 'stories_image_updates is append-only'); END;
CREATE TRIGGER stories_image_updates_no_insert BEFORE INSERT ON stories_image_updates FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "stories_image_updates" kept WHERE (1) AND ((kept."id" = NEW."id") OR (kept."image_id" = NEW."image_id" AND kept."update_id" = NEW."update_id"))) BEGIN SELECT RAISE(ABORT, 'stories_image_updates is append-only'); END;
CREATE TRIGGER stories_image_updates_no_replace BEFORE UPDATE ON stories_image_updates FOR EACH ROW WHEN EXISTS (SELECT 1 FROM "stories_image_updates" kept WHERE (1) AND ((kept."id" = NEW."id") OR (kept."image_id" = NEW."image_id" AND kept."update_id" = NEW."update_id")) AND kept.rowid <> OLD.rowid) BEGIN SELECT RAISE(ABORT, 'stories_image_updates is append-only'); END;
CREATE TRIGGER stories_alert_drill_new BEFORE INSERT ON stories_alert FOR EACH ROW WHEN (NEW.audience = 'drill') <> (SELECT s.drill FROM stories_update u JOIN stories_story s ON s.id = u.story_id WHERE u.id = NEW.update_id) BEGIN SELECT RAISE(ABORT, 'a drill goes to its own readers, and nothing else does'); END;
CREATE TRIGGER stories_alert_drill BEFORE UPDATE OF audience, update_id ON stories_alert FOR EACH ROW WHEN (NEW.audience = 'drill') <> (SELECT s.drill FROM stories_update u JOIN stories_story s ON s.id = u.story_id WHERE u.id = NEW.update_id) BEGIN SELECT RAISE(ABORT, 'a drill goes to its own readers, and nothing else does'); END;
CREATE TRIGGER stories_update_drill BEFORE UPDATE OF story_id ON stories_update FOR EACH ROW WHEN (SELECT drill FROM stories_story WHERE id = NEW.story_id) <> (SELECT drill FROM stories_story WHERE id = OLD.story_id) BEGIN SELECT RAISE(ABORT, 'an update of a drill is never one of real news'); END;
CREATE TRIGGER stories_story_drill BEFORE UPDATE OF drill ON stories_story FOR EACH ROW WHEN NEW.drill <> OLD.drill AND EXISTS (SELECT 1 FROM stories_update u WHERE u.story_id = NEW.id) BEGIN SELECT RAISE(ABORT, 'what has been sent stays a drill, or stays none'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('django_migrations',21);
INSERT INTO "sqlite_sequence" VALUES('audience_reader',4);
INSERT INTO "sqlite_sequence" VALUES('audience_drillreader',0);
INSERT INTO "sqlite_sequence" VALUES('audience_consent',5);
INSERT INTO "sqlite_sequence" VALUES('audience_bounce',0);
INSERT INTO "sqlite_sequence" VALUES('audience_letter',0);
INSERT INTO "sqlite_sequence" VALUES('audience_wording',6);
INSERT INTO "sqlite_sequence" VALUES('audience_subscription',4);
INSERT INTO "sqlite_sequence" VALUES('stories_story',2);
INSERT INTO "sqlite_sequence" VALUES('stories_presence',0);
INSERT INTO "sqlite_sequence" VALUES('stories_storypreference',1);
INSERT INTO "sqlite_sequence" VALUES('stories_update',1);
INSERT INTO "sqlite_sequence" VALUES('django_content_type',47);
INSERT INTO "sqlite_sequence" VALUES('auth_permission',188);
INSERT INTO "sqlite_sequence" VALUES('auth_group',0);
INSERT INTO "sqlite_sequence" VALUES('audience_keycheck',2);
INSERT INTO "sqlite_sequence" VALUES('audience_newsroom',1);
INSERT INTO "sqlite_sequence" VALUES('audience_topic',3);
INSERT INTO "sqlite_sequence" VALUES('accounts_editor',1);
INSERT INTO "sqlite_sequence" VALUES('audit_auditentry',4);
INSERT INTO "sqlite_sequence" VALUES('courier_relay',1);
INSERT INTO "sqlite_sequence" VALUES('courier_senderprocess',1);
INSERT INTO "sqlite_sequence" VALUES('courier_statenumber',1);
INSERT INTO "sqlite_sequence" VALUES('courier_lastheartbeat',1);
INSERT INTO "sqlite_sequence" VALUES('courier_relayatwork',1);
INSERT INTO "sqlite_sequence" VALUES('stories_alert',1);
INSERT INTO "sqlite_sequence" VALUES('courier_composition',2);
INSERT INTO "sqlite_sequence" VALUES('courier_batch',2);
INSERT INTO "sqlite_sequence" VALUES('courier_relaycount',1);
INSERT INTO "sqlite_sequence" VALUES('audience_suppression',1);
COMMIT;
