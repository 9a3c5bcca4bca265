"""German: the verb comes second, so "{v} {x}" parts it from its rest."""

from __future__ import annotations

from demo_web.lexicons.lexicon import Lexicon, phrases

_WHO = """
der Fährmann; das Hafenamt; eine pensionierte Lehrerin; die Witwe des Müllers; der Gemeinderat; der Steinmetz;
ein Ingenieur aus der Hauptstadt; der jüngere der beiden Brüder; das Museum; der Leuchtturmwärter; die Botanikerin;
eine Gruppe von Studenten; der Besitzer der Bäckerei; die örtliche Zeitung; der Zimmermann; das Orchester; der Förster;
der Landvermesser; ein alter Fischer; die Wetterstation; die Bibliothekarin; der Schachverein; der Astronom;
die Dorfärztin; ein wandernder Drucker; die Bahngesellschaft; der Imker; der Chorleiter; die Schulbehörde; der Geologe;
der Glasmacher; eine junge Historikerin; der Uhrmacher; die Übersetzerin; ein Bauer mit neun Ziegen; der Nachtwächter
"""
_DOES = """
maß|die Tiefe der Fahrrinne mit einem geknoteten Seil; führte|ein genaues Verzeichnis aller Stürme;
baute|die hölzerne Brücke in einem einzigen Sommer wieder auf; lehrte|die Kinder, die Sterne zu lesen;
pflanzte|zwei Reihen Birnbäume; schrieb|einen langen Brief an das Ministerium; verkaufte|das letzte der Segelboote;
zeichnete|eine Karte der unterirdischen Quellen; eröffnete|eine kleine Werkstatt für Musikinstrumente;
verweigerte|die Unterschrift unter den Vertrag; sammelte|Samen von den hohen Wiesen; bezahlte|ein neues Dach;
reparierte|die Uhr am Marktplatz; beschrieb|den Zug der Reiher; fand|eine Kiste mit unveröffentlichten Fotografien;
verglich|die beiden Handschriften Zeile für Zeile; gab|das erste öffentliche Konzert;
zählte|die Schwalben unter der Traufe;
errichtete|einen Brennofen aus zerbrochenen Ziegeln; bat|um eine zweite Meinung; rettete|den Obstgarten vor dem Frost;
übersetzte|das Tagebuch in drei Sprachen; restaurierte|die bemalte Decke;
brachte|das Rezept von einer langen Reise mit;
erfand|eine Lampe, die ohne Rauch brannte; trug|die Post über den gefrorenen See; lernte|das Handwerk von einem Vetter;
veröffentlichte|einen kurzen Führer zu den Höhlen; grub|einen Brunnen, der nie versiegte; forderte|niedrigere Zölle;
fotografierte|den Kometen durch eine geliehene Linse; buk|Brot für das ganze Tal;
prüfte|die Festigkeit des neuen Kabels;
richtete|eine Bücherei mit vierzig Bänden ein; markierte|den sicheren Weg mit weißen Steinen; kaufte|den Steinbruch;
stimmte|die Orgel vor jedem Fest; entwarf|eine leise Maschine zum Spinnen von Wolle;
schlug|gerade noch rechtzeitig Alarm;
mischte|die Farben aus zerriebenen Muscheln; untersuchte|die Ringe gefällter Eichen;
ersetzte|das eiserne Tor durch eine Hecke;
warnte|den Rat vor den Rissen im Damm; strich|den Rumpf in einem tiefen Grün; bildete|ein Dutzend Lehrlinge aus;
gewann|den Preis für den besten Käse; webte|einen Teppich für das Rathaus; senkte|den Preis für Salz
"""
_WHERE = """
am anderen Ufer des Flusses; am Rand des Kiefernwaldes; in einer engen Gasse hinter dem Bahnhof; oberhalb des Hafens;
im Keller des Rathauses; entlang der alten Handelsstraße; nahe der Mündung; unter den Bögen des Viadukts;
im oberen Tal;
auf einer Insel ohne Bäume; neben dem Wehr; am Fuß des Gletschers; zwischen den beiden Kirchen; jenseits der Grenze;
im Schatten der Nussbäume; am Ende der Mole; auf der windigen Seite des Hügels; im Lesesaal des Instituts;
in der verfallenen Festung; auf dem Weg zum Kloster; auf dem Dachboden eines Kaufmannshauses;
in den Gärten des Schlosses;
hinter den Salzwiesen; an der belebtesten Kreuzung; am östlichen Tor; zwischen den Dünen; im Maschinenraum;
auf einem Kahn voller Bauholz; in einem Labor ohne Fenster; an der Quelle des Baches; auf der Terrasse des Gasthofs
"""
_WHEN = """
im Frühling des Jahres {y}; spät im Herbst {y}; während des trockenen Sommers {y}; kurz nach {y}; einige Jahre vor {y};
in der zweiten Maiwoche; an einem kalten Morgen im Jahr {y}; gegen Ende des Jahrhunderts; nach {n} Monaten;
jeden Winter seit {y}; am ersten Sonntag des Monats; im Alter von {n} Jahren; innerhalb von {n} Tagen;
im Jahr der großen Flut; vor der Ankunft der Eisenbahn; nach dem Ende des Krieges; bis Ende {y}; vor über {n} Jahren;
in weniger als {n} Wochen; am Abend des Festes; zu Beginn der Ernte; seit dem Winter {y}
"""
_BECAUSE = """
weil die Straße unterspült war; obwohl der Winter lang und hart gewesen war; was die Nachbarn sehr freute;
damit die Boote auch bei Ebbe fahren konnten; da sonst niemand dazu bereit war; während der Rest der Stadt schlief;
obwohl das Geld knapp war; wie es die alte Urkunde verlangte; bevor der erste Schnee den Pass schloss;
bis das Geld ausging; was die seltsame Form des Daches erklärt; um die jungen Bäume zu schützen;
wenn man den Erzählungen der Alten trauen darf; weil der Ton für Stein zu weich war; nach einem Streit um die Grenze;
soweit man es den Briefen entnehmen kann; auch wenn es damals kaum jemand bemerkte; wo die Strömung am schwächsten ist;
was in jenen Tagen selten vorkam; damit das Licht auf den Schreibtisch fiel; weil die Ernte zweimal ausgefallen war;
ohne einen Lohn zu verlangen; während der Rat noch über den Preis verhandelte; sobald sich der Nebel gelichtet hatte;
was später zum Brauch der Gegend wurde; weil zwei der Brunnen salzig geworden waren; entgegen dem Rat der Ärztin;
sehr zur Freude der Kinder; da ein Feuer die Mühle zerstört hatte; was der Grund für den Namen sein mag;
wie man es in manchen Dörfern noch heute tut; nachdem die Erlaubnis eingetroffen war;
als Gefallen für einen alten Freund
"""
_CLAUSE = """
niemand im Dorf war überrascht; die Ergebnisse waren besser als erwartet; die Arbeit dauerte fast ein Jahr;
der Bericht wurde nie veröffentlicht; der Brotpreis blieb unverändert;
es gibt mindestens drei Fassungen der Geschichte;
die Zeichnungen sind heute im Museum zu sehen; das Verfahren verbreitete sich in den Nachbarstädten;
der Fluss änderte bald darauf seinen Lauf; viele der älteren Häuser zeigen noch die Spuren;
nur wenige Exemplare sind erhalten; die Belege deuten in die andere Richtung;
der Streit ist bis heute nicht entschieden;
die Zahl der Besucher hat sich seither verdoppelt; das meiste Lob bekam ein anderer; die Idee war ihrer Zeit voraus;
es erwies sich als nützlicher Irrtum; der Garten ist wieder für alle geöffnet;
die ganze Sache geriet bald in Vergessenheit;
die ersten Versuche schlugen fehl; der Klang war in der ganzen Bucht zu hören; selbst die Kritiker mussten zustimmen;
die Bienen kehrten im dritten Jahr zurück; die Kosten wurden unter sieben Familien geteilt;
die neuen Regeln änderten nur wenig; eine kleine Tafel erinnert an den Ort; die Antwort lag im Aufbau des Gesteins;
die Karte war von Anfang an falsch gewesen; das Papier bestand aus alten Lumpen;
der Ausschuss tagte nur ein einziges Mal;
der Blick vom Turm lohnt den Aufstieg; die Tinte ist zu einem hellen Braun verblasst; der Weg ist steil, aber sicher;
das Wasser ist klar und sehr kalt
"""
_OPEN = """
nach Angaben des Kirchenbuchs; allem Anschein nach; am Ende; in der Regel; zunächst; auf ganz ähnliche Weise;
lange Zeit; merkwürdigerweise; auf der anderen Seite; wenig später; auf den ersten Blick; mit etwas Glück und Geduld;
von wenigen Ausnahmen abgesehen; Jahr für Jahr; aus praktischer Sicht; gegen den Rat der Fachleute;
nach Ansicht der meisten Besucher; dank eines kleinen Zuschusses; ohne viel Aufhebens
"""
_HOOKS = """
jetzt zugreifen und sparen; der Hammer des Jahres; nur heute gratis; Schluss mit teuren Preisen; so wirst du reich;
unglaublich, aber wahr; der geheime Trick der Profis; Mega Rabatt für alle; schnell abnehmen ohne Sport; Top Angebot;
gewinne sofort; nur solange der Vorrat reicht
"""
_CLAIMS = """
unsere billigen Markenuhren sind morgen schon bei dir; diese eine Pille lässt die Pfunde schmelzen;
das beste Casino im Netz schenkt dir die ersten Spiele; Tausende haben ihren Bonus schon kassiert;
du verdienst von zu Hause ein riesiges Einkommen; die Wundercreme macht dich zehn Jahre jünger;
Kredit in jeder Höhe ohne lästige Fragen; alle reden über diesen genialen Schlankmacher;
echte Follower und Likes in wenigen Minuten; der Roboter macht Geld, während du schläfst;
unsere Gutscheine funktionieren garantiert immer; Luxustaschen zu Preisen, die fast verboten sind
"""
_CALLS = """
bestell gleich und spar noch mehr; melde dich an und hol dir den Gewinn; klick auf den Knopf da unten;
ruf uns kostenlos an;
teile das mit allen Freunden; leg es in den Warenkorb; gib deine Karte ein und gewinne; abonniere den Newsletter;
hol dir den Code im Shop; lade die App und sammle Münzen
"""

GERMAN = Lexicon(
    code="de",
    slots={
        "s": phrases(_WHO),
        "v": phrases(_DOES),
        "p": phrases(_WHERE),
        "t": phrases(_WHEN),
        "r": phrases(_BECAUSE),
        "c": phrases(_CLAUSE),
        "o": phrases(_OPEN),
        "a": phrases(_HOOKS),
        "b": phrases(_CLAIMS),
        "k": phrases(_CALLS),
    },
    templates=(
        "{T} {v} {s} {x}, {r}.",
        "{S} {v} {p} {x}, und {c}.",
        "{O} {v} {s} {p} {x}.",
        "{S} {v} {x}; {c}.",
        "{P} {v} {s} {x}, {r}.",
        "{C}, und {s} {v} {t} {x}.",
        "{S} {v} {x}, {r}.",
        "{T} {v} {s} {p} {x}.",
        "{C}, {r}.",
        "Man erzählt sich {p}, {s} und {s} seien verwandt, denn {c}.",
        "Wer {p} wohnt, der weiß: {C}.",
        "Die Leute {p} sagen noch heute, {c}.",
        "Bekannt ist, dass {s} und {s} sich {t} zum ersten Mal trafen, {r}.",
        "{S} {v} {t} {x}, doch {c}.",
    ),
    adverts=("{A}! {B}!", "{A}: {b}, also {k}!", "{B}. {K}!", "{A}! {K}, {b}!"),
    menu=phrases("Startseite; Über uns; Artikel; Galerie; Archiv; Kontakt; Laden; Termine; Anmelden; Hilfe"),
    cookies="Diese Seite verwendet Cookies. Mit der Nutzung stimmen Sie unserer Cookie-Richtlinie zu.",
    footer="Alle Rechte vorbehalten. Nutzungsbedingungen. Datenschutzerklärung.",
    related="Das könnte Sie auch interessieren",
    curse=("zorbelflux", "grimmpfiff", "schnorvadel", "plimmquottel", "vexnogge"),
)
