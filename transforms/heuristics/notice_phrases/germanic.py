"""English, German and Dutch; the meaning of the fields: row.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from transforms.heuristics.notice_phrases.row import Row

GERMANIC: Final[Mapping[str, Row]] = {
    "en": Row(
        reader=(
            r"\b(?:we|us|our|you|your|(?:this|the|our) (?:web)?sites?|i (?:agree|accept)|these cookies|this "
            r"cookie|not consenting)\b"
        ),
        consent=(
            r"\b(?:we|(?:web)?sites?|partners|third parties|vendors|[\w-]+\.\w{2,4})\b(?:,? (?!use)[\w-]+){0,6},? "
            r"(?:us(?:es?|ing)|stores?|sets?|plac(?:es?|ing)|employs?|deploys?)\b(?:,? [\w/-]+){0,6} cookies?\b",
            r"\b(?:accept|reject|decline|refuse|agree(?:ing)? to|consent(?:ing)? to)\b(?: [\w-]+){0,7} cookies?\b",
            r"\bcookies?\b.{0,100}\b(?:your consent|you (?:agree|accept|consent)|your (?:\w+ )?experience|"
            r"personali[sz]e|analy[sz]e|(?:our|site|web) traffic)\b",
            r"\b(?:your consent|you (?:agree|accept|consent)|by (?:continuing|clicking|browsing|"
            r"using))\b.{0,120}\bcookies?\b",
            r"\b(?:our|your|manage|change|see|view|read|in the) (?:\w+ ){0,3}cookie (?:settings|preferences|policy|"
            r"notice|choices|list|declaration|statement)\b",
            r"\b(?:these|this|necessary|essential|functional|analytical|analytics|performance|advertis\w+|targeting|"
            r"marketing|preference|statistics?|tracking) cookies?\b.{0,30}\b(?:necessary|essential|used|set by|"
            r"required|allow|enabled?|help|collect|ensure|provide|track|remember|may be|should be|cannot be)\b",
            r"\bconsenting to (?:these|our)\b",
            r"\bcookies? (?:information )?(?:is|are|may be|will be) (?:placed|stored|set|saved) (?:on|in) your\b",
            r"\bour (?:\d+ )?(?:partners|vendors)\b.{0,60}\b(?:stor|access|process|use|set|cookies)",
            r"\bpartners\b.{0,60}\b(?:your|personal) data\b|\bwe (?:value|respect|care about) your privacy\b",
            r"\byour (?:privacy|consent) (?:choices|preferences|settings)",
            r"\b(?:withdraw|change|give|manage|revoke) (?:your|or withdraw your) (?:consent|preferences|choices)\b",
            r"\bpersonali[sz]ed (?:ads|advertising|content)\b|\b(?:our|on) legitimate interest",
            r"\b(?:not consenting|withdrawing consent|your consent|your choices?)\b.{0,60}\b(?:features|functions|"
            r"preferences|website|device|apply|will be|withdrawn?)\b",
        ),
        buttons=(
            "(?:accept|reject|allow|decline|refuse)(?: all)?(?: cookies)?(?: (?:and|&) (?:close|continue))?",
            "(?:manage |change |show |your )?(?:cookie |privacy |consent )?(?:preferences|settings|choices|options)",
            "(?:manage|more) options|save (?:my |and )?(?:preferences|choices|settings|close|exit)|always active",
            "(?:strictly )?(?:necessary|functional|analytics|performance|advertisement|targeting|marketing)(?: "
            "cookies)?",
            "cookie policy|privacy policy|privacy overview|i (?:agree|accept)|necessary only",
            "(?:our |view )?(?:partners|vendors)(?: list)?|got it|(?:only |use )?necessary cookies(?: only)?",
        ),
        error=(
            r"the resource you are looking for .{0,30}(?:removed|moved|deleted|unavailable)\b.{0,60}",
            r"(?:please )?complete the security check\b.{0,40}|error establishing a database connection|4\d\d gone",
            "(?:web)?(?:site|page) coming soon|coming soon|we(?:['’]re| are) sorry but .{0,80}java ?script.{0,40}",
            "java ?script is not available",
            "(?:the |this |that |requested |your )*(?:page|file|document|url|content|article|site|resource)(?: you"
            r"(?:'re| are|'ve| have)?(?: \w+){1,4})? (?:was |is |could |can ?)?not (?:be )?found(?: on this server)?",
            r"(?:we(?:'re| are) )?(?:very |so )?sorry\b.{0,40}\b(?:page|find|found|wrong|exist|available)\b.{0,40}",
            r"(?:oops|whoops|uh.oh)\b.{0,40}\b(?:page|find|found|wrong|exist|available)\b.{0,40}",
            "(?:access denied|forbidden|just a moment|attention required|bad gateway|internal server error)(?: "
            ".{1,30})?",
            r"(?:checking your browser|checking if the site)\b.{0,60}|enable cookies",
            r"(?:please )?verify(?:ing)? (?:that )?you are (?:a )?(?:human|not a robot)\b.{0,50}|are you a robot",
            "(?:sorry, )?you(?:r request)? (?:have|has) been blocked|something went wrong",
            r"service (?:temporarily )?unavailable|(?:this )?account (?:has been )?suspended|index of /\S*",
            "(?:(?:this|our) )?(?:web)?(?:site|page) (?:is )?(?:currently )?(?:under (?:construction|maintenance)|"
            "offline)",
            "under (?:construction|maintenance)|it works|.{0,40}default (?:web )?page|placeholder page",
            r"(?:the|this|that) (?:\w+ )?(?:page|site|website|link|content|listing|ad|item|product|post|document)"
            "(?: (?:that )?you.{0,60}?)?(?: (?:has been (?:removed|moved|deleted)|is no longer|no longer exists|do"
            "(?:es)?(?: not|n['’]t) exist|is(?: not|n['’]t) available|has expired|can(?: not|not|['’]t) be "
            "(?:found|displayed))).{0,40}",
            "(?:(?:we|i) (?:can(?:not|['’]t)|could(?: not|n['’]t)) find|nothing (?:was )?found at) (?:the|that|"
            r"this)\b.{0,50}",
            r"(?:please )?(?:enable|activate|turn on) java ?script\b.{0,60}",
            r"java ?script (?:is )?(?:required|disabled|not enabled)\b.{0,60}",
            r"java ?script (?:must|needs to) be enabled\b.{0,60}",
            "(?:you need|you must|please|(?:this|our) (?:web)?(?:site|page|app)|it (?:looks|seems) like|your "
            r"browser)\b.{0,60}\bjava ?script\b.{0,60}",
        ),
        parked=(
            "this (?:domain|webpage|site) (?:is registered|was generated by the domain owner|has been "
            r"parked)\b.{0,80}",
            r"[\w-]+(?:\.[\w-]+)+ is your first and best source .{0,120}",
            r"(?:welcome to )?[\w-]+(?:\.[\w-]+)+(?:[ –—-]+this domain| and)?(?: name)? (?:is|may be) (?:for sale|"
            r"parked|available)\b.{0,40}",
            r"(?:the |this |buy this )?domain (?:name )?(?:\S+ )?(?:is |may be |has been )?(?:now |currently )?"
            r"(?:for sale|parked|registered|expired|available|pending|suspended)\b.{0,30}",
            r"[\w-]+(?:\.[\w-]+)+ (?:is|may be) (?:for sale|parked)\b.{0,30}|buy this domain\b.{0,30}",
            r"(?:future home of|coming soon to|welcome to) .{0,40}\bdomain\b.{0,30}|domain for sale",
            r"the owner of \S+ (?:is offering it|has parked)\b.{0,60}",
        ),
        no_results=(
            "(?:sorry, ?)?(?:but )?(?:(?:we|your search) (?:found|have|returned|produced) |there (?:were|are) |we "
            "(?:could(?: not|n['’]t)|can(?:not|['’]t)) find )?(?:no|0|zero|any) (?:search )?(?:results?|matches|"
            "products|posts|items|listings|documents|articles)(?: (?:were|was))?(?: found)?(?: (?:for|matching|"
            r"that match\w*)\b.{0,80})?",
            r"(?:sorry, ?)?(?:but )?nothing (?:(?:was )?found(?: for\b.{0,60})?|matched your\b.{0,60})",
            r"(?:sorry, ?)?(?:but )?(?:your search|no \w+)\b.{0,60}\b(?:match(?:es|ed)?|did not match|didn['’]t "
            r"match)\b.{0,60}",
        ),
        advice=(
            r"\b(?:\.\w{2,4}|domain) has it all\b|\bwe hope you find what you are searching\b",
            r"\b(?:page|link|address|url|file|content|item)\b.{0,60}\b(?:you|may|might|has|have|was|no longer|does "
            r"not|doesn)\b",
            r"\b(?:check|verify|correct|double.check)\b.{0,20}\b(?:url|address|spelling|link|typed)\b|\bmistyped\b",
            r"\b(?:go|return|head|back|visit|continue)\b.{0,25}\b(?:home|main|previous|front|start)",
            r"\b(?:try|use|using)\b.{0,30}\b(?:search|navigation|menu|links?|again|keywords?|terms?|browser)\b",
            r"\bwe(?:['’]re| are)? (?:very )?(?:sorry|apologi[sz]e|couldn|could not|can['’]?t|cannot)\b",
            r"\b(?:contact|e-?mail) (?:us|the|our)\b|\bjava ?script\b.{0,60}\b(?:browser|enable|site|page|you)\b",
            r"\b(?:enable|your browser)\b.{0,60}\bjava ?script",
            r"\bdomain\b.{0,80}\b(?:owner|registr|sale|buy|purchase|price|offer|parked|inquir|broker|transfer)",
            r"\b(?:security|bots?|robots?|human|ray id|cloudflare|automated)\b.{0,60}\b(?:you|your|this site|check|"
            "verif)",
            r"\b(?:password|username|e-?mails?)\b.{0,80}\b(?:case.sensitive|sent|send|will be|reset|valid|address|"
            r"field)\b",
            r"\b(?:log ?in|sign ?in) with\b|\b(?:spaces|punctuation) (?:are|is) (?:not )?allowed",
        ),
        password=("password",),
        labels=(
            "(?:your |enter (?:your )?)?(?:e-?mail|user ?name|login|user id|phone number)(?: address| name)?(?: or "
            "(?:your )?(?:e-?mail|user ?name|phone)(?: address| number)?)?",
            "(?:confirm |repeat |new |show |enter (?:your )?|your |hide |reset )?passwords?",
            "(?:i )?(?:forgot(?:ten)?|lost|reset)(?: (?:your|my|the))?(?: user ?name or| e-?mail or)? password",
            r"remember (?:me|my \w+)(?: (?:on|for) .{1,25})?|(?:keep me|stay) (?:logged|signed) in",
            "(?:sign|log)[ -]?(?:in|up|on)(?: (?:to|with|using|via) .{1,30})?",
            r"(?:create|register)(?: \w+){0,2} account",
            "(?:not (?:a member|registered)|no account|don['’]?t have an account|new (?:here|user|customer))(?: "
            "yet)?",
            "register(?: now| here)?|join now|submit|continue with (?:google|facebook|apple|e-?mail)|required|or",
        ),
    ),
    "de": Row(
        reader=(
            r"\b(?:wir|uns|unsere\w*|sie|ihre?\w?|du|deine?\w?|diese\w? (?:web|internet)?\w*seite|ich "
            r"(?:stimme|bin))\b"
        ),
        consent=(
            r"\b(?:verwende[nt]|verwendung|nutz(?:en|t)|nutzung|setz(?:en|t)|speicher[nt]|benutz(?:en|t)|"
            r"einsatz)\b.{0,80}\bcookies?\b",
            r"\bcookies?\b.{0,60}\b(?:verwende[nt]|nutzen|setzen|einsetzen|gesetzt|gespeichert|eingesetzt)\b",
            r"\bcookies?\b.{0,120}\b(?:akzeptier\w+|zustimm\w+|zu$|einwillig\w+|einverstanden|ablehn\w+|erlaub\w+|"
            r"zulass\w+)",
            r"\b(?:akzeptier\w+|stimm\w+|einwillig\w+|einverstanden|zustimmung)\b.{0,120}\bcookies?\b",
            r"\bcookie-?\s?(?:einstellungen|richtlinie|hinweis\w*|erklärung|präferenzen)",
            r"\b(?:ihre|deine|ihrer|deiner) (?:einwilligung|zustimmung|cookie|privatsphäre|auswahl)",
            r"\bunsere\w? (?:\d+ )?(?:\w+ )?partner\w?\b.{0,80}\b(?:daten|informationen|cookies|analysen|"
            r"speicher\w*|gerät)",
            r"\b(?:daten|informationen)\b.{0,80}\bunsere\w? (?:\d+ )?partner",
            r"\bpersonalisierte (?:anzeigen|werbung|inhalte)",
            r"\b(?:diese|notwendige|essenzielle|funktionale|statistik|marketing|technische|unbedingt "
            r"erforderliche)[ -]cookies\b.{0,40}\b(?:sind|helfen|ermöglichen|erfassen|werden|ermöglicht|sammeln)",
        ),
        buttons=(
            "(?:alle |nur |auswahl |notwendige |essenzielle )*(?:cookies? )?(?:akzeptieren|ablehnen|zulassen|"
            "erlauben)(?: und (?:schließen|weiter))?",
            "(?:cookie-?|datenschutz-?|individuelle )?(?:einstellungen|hinweise|erklärung|datenschutzeinstellungen)"
            "(?: (?:speichern|verwalten|anpassen|ändern))?",
            "impressum|datenschutz|(?:ich )?stimme zu|einverstanden",
            r"(?:unbedingt )?(?:notwendig|essenziell|erforderlich|funktional|statistik|marketing)\w*(?: cookies)?",
            "auswahl (?:speichern|bestätigen)|mehr (?:erfahren|informationen|optionen)|zwecke anzeigen",
        ),
        error=(
            r"(?:die |diese )?(?:\w+ )?(?:url|adresse|seite) wurde .{0,40}nicht gefunden",
            "java ?script ist .{0,40}(?:deaktiviert|ausgeschaltet|nicht aktiviert)",
            "(?:die |diese )?(?:web)?(?:seite|site) ist (?:derzeit |momentan |leider )?nicht (?:erreichbar|"
            "verfügbar)",
            r"(?:die |diese |ihre )?(?:\w+ )?(?:seite|datei|adresse|url|inhalt|artikel|dokument)(?:,? (?:die )?"
            "(?:sie|du) .{0,40}?,?)? (?:konnte |wurde |kann )?(?:leider )?nicht (?:mehr )?(?:gefunden|verfügbar|"
            "vorhanden|existiert)(?: werden)?.{0,30}",
            r"(?:die |diese )?(?:\w+ )?(?:seite|url|adresse) (?:existiert|gibt es) (?:leider )?nicht(?: mehr)?",
            r"(?:hoppla|ups|huch|entschuldigung|es tut uns leid)\b.{0,50}\b(?:seite|gefunden|schief|nicht)\b.{0,40}",
            "zugriff (?:verweigert|nicht erlaubt)",
            r"(?:diese |unsere )?(?:web)?seite .{0,30}(?:wartungsarbeiten|wartung|aufbau|bearbeitung)\b.{0,20}",
            "nichts gefunden auf dieser seite",
            r"(?:bitte )?(?:aktivieren|aktiviere|schalten) (?:sie |du )?(?:bitte )?java ?script\b.{0,80}",
            r"java ?script (?:ist )?(?:deaktiviert|nicht aktiviert|erforderlich|muss aktiviert)\b.{0,60}",
            r"(?:um|für|diese|sie|ihr|dein) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:diese )?(?:web)?(?:seite|site) steht zum verkauf.{0,30}",
            r"(?:die |diese )?domain (?:\S+ )?(?:steht |ist |wird |wurde )?(?:hier )?(?:zum verkauf|zu verkaufen|"
            r"geparkt|registriert|reserviert|abgelaufen|verfügbar)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ (?:steht zum verkauf|ist zu verkaufen|ist geparkt)\b.{0,40}",
            "hier entsteht .{0,60}|(?:diese )?domain (?:jetzt )?(?:kaufen|erwerben)",
            r"(?:die )?domain\b.{0,60}\bzu verkaufen",
        ),
        no_results=(
            r"(?:entschuldigung, |leider )*.{0,40}such\w+ .{0,40}nichts gefunden",
            r"(?:leider )?(?:wurden |haben wir |konnten )?(?:keine|0) (?:\w+ )?(?:ergebnisse|treffer|suchergebnisse|"
            r"artikel|produkte|einträge|beiträge)\b(?: (?:zu|für) .{0,60}?)?(?: (?:gefunden|vorhanden)(?: werden)?)?",
            r"(?:ihre|deine|die) suche\b.{0,60}\b(?:keine|kein|0)\b.{0,40}|nichts gefunden",
            "es wurden? (?:leider )?(?:keine?|nichts) .{0,60}gefunden",
        ),
        advice=(
            r"\b(?:seite|link|adresse|url|inhalt|suche)\b.{0,80}\b(?:sie|du|ihre?|verschoben|gelöscht|entfernt|"
            r"existiert|umbenannt)\b",
            r"\b(?:prüfen|überprüfen|versuchen|kehren|gehen|nutzen|verwenden|zurück)\b.{0,60}\b(?:adresse|"
            r"schreibweise|startseite|suche|suchbegriff\w*|url|link|navigation|erneut|eingabe)\b",
            r"\bvertippt\b|\bjava ?script\b.{0,80}\b(?:browser|aktivier\w+|seite|sie)\b",
            r"\bbrowser\b.{0,60}\bjava ?script",
            r"\bdomain\b.{0,80}\b(?:inhaber\w*|kauf\w*|verkauf\w*|preis|angebot|erwerben|registr\w+)",
            r"\b(?:passworts?|e-?mail\w*)\b.{0,80}\b(?:zugesandt|senden|zurücksetzen|gesendet|eingeben|ein$|adresse)",
            r"\bkontaktieren sie\b|\bentschuldig\w+|\bes tut uns leid\b",
        ),
        password=("passwort", "kennwort"),
        labels=(
            r"(?:ihre |deine )?(?:e-?mail(?:-?\s?adresse)?|benutzername|nutzername|kundennummer|benutzer)(?: oder "
            r"(?:e-?mail(?:-?\s?adresse)?|benutzername))?",
            "(?:ihr |dein |neues )?(?:passwort|kennwort)(?: (?:anzeigen|wiederholen|bestätigen|zurücksetzen))?",
            "(?:haben sie (?:ihr )?|hast du dein |ich habe mein )?(?:passwort|kennwort) (?:vergessen|verloren)",
            "(?:an|ein)geloggt bleiben|angemeldet bleiben|eingeloggt bleiben",
            "(?:mich )?(?:an|daran )?(?:merken|erinnern)|login merken|(?:benutzer)?daten merken",
            r"(?:jetzt |mit \w+ )?(?:anmelden|einloggen|login|log-in|registrieren|anmeldung|kostenlos registrieren)",
            "(?:neues )?(?:kunden)?konto (?:erstellen|anlegen)",
            "(?:noch )?(?:kein konto|nicht registriert|neu hier)|oder",
        ),
    ),
    "nl": Row(
        reader=r"\b(?:wij|we|ons|onze|uw?|je|jij|jouw|deze (?:web)?site|ik ga akkoord)\b",
        consent=(
            r"\b(?:gebruik\w*|maakt gebruik|plaats\w*|opsla\w*|slaan)\b.{0,80}\bcookies?\b",
            r"\bcookies?\b.{0,60}\b(?:gebruik\w*|geplaatst|plaatsen|opgeslagen)\b",
            r"\bcookies?\b.{0,120}\b(?:accept\w+|akkoord|weiger\w+|toestemming|(?:uw|je|jouw) (?:ervaring|bezoek|"
            r"voorkeuren)|personaliser\w+|analyser\w+)",
            r"\b(?:accept\w+|akkoord|weiger\w+|toestemming|door (?:verder|gebruik|op))\b.{0,120}\bcookies?\b",
            r"\b(?:uw|je|jouw) (?:toestemming|privacy|cookie\w*)\b",
            r"\bonze (?:\d+ )?partners\b.{0,60}\b(?:gegevens|informatie)",
            r"\bcookie-?(?:instellingen|beleid|voorkeuren|verklaring)\b",
            r"\bgepersonaliseerde (?:advertenties|inhoud|content)\b",
            r"\b(?:deze|noodzakelijke|functionele|analytische|statistische|marketing)[ -]?cookies\b.{0,30}\b(?:zijn|"
            r"zorgen|helpen|maken|verzamelen|worden)\b",
        ),
        buttons=(
            "(?:alle |alles )?(?:cookies )?(?:accepteren|weigeren|toestaan|afwijzen|accepteer|weiger)(?: alle| "
            "alles)?(?: cookies)?",
            r"akkoord|(?:cookie-?|mijn )?(?:instellingen|voorkeuren|cookievoorkeuren)(?: \w+)?",
            "(?:meer|lees) (?:informatie|meer|opties)",
            "(?:strikt )?(?:noodzakelijk|functioneel|statistieken|analytisch|marketing)e?(?: cookies)?",
            "altijd actief|(?:cookie|privacy)(?:beleid|verklaring)|selectie (?:toestaan|opslaan)",
        ),
        error=(
            "(?:oeps )?(?:die |deze |de )?pagina (?:is |kan |kon |werd )?niet (?:worden )?gevonden",
            r"(?:de |deze )?(?:\w+ )?(?:pagina|url|bestand|artikel|inhoud)(?: die (?:u|je) .{0,40}?)? (?:kon |is |"
            "kan |werd |bestaat )?(?:helaas )?(?:niet|verwijderd)(?: meer)?(?: (?:worden )?(?:gevonden|beschikbaar|"
            "bestaat))?(?: worden)?",
            r"(?:oeps|oops|sorry|helaas)\b.{0,60}\b(?:pagina|gevonden|bestaat|mis|fout)\b.{0,40}|toegang geweigerd",
            r"(?:deze |onze )?(?:web)?site .{0,20}(?:onderhoud|in aanbouw|under construction)\b.{0,30}",
            r"(?:schakel |zet |gelieve )?java ?script (?:in|aan|is uitgeschakeld|is vereist|moet)\b.{0,80}",
            r"(?:activeer|schakel) java ?script\b.{0,80}|(?:om|voor|uw|je|deze) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:deze )?(?:web)?site is te koop.{0,30}",
            r"(?:de |deze |het )?domein(?:naam)? (?:\S+ )?(?:is |staat |werd )?(?:te koop|geparkeerd|geregistreerd|"
            r"gereserveerd|verlopen|beschikbaar)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ (?:is|staat) (?:te koop|geparkeerd)\b.{0,40}|koop deze domeinnaam",
        ),
        no_results=(
            r"(?:helaas )?(?:zijn er |er zijn |we hebben |geen |0 )+(?:geen )?(?:\w+ )?(?:zoek)?(?:resultaten|"
            r"producten|artikelen|treffers)\b(?: (?:gevonden|voor|die)\b.{0,70})?",
            r"(?:uw|je|de) zoekopdracht\b.{0,50}\b(?:geen|niets|0)\b.{0,50}|(?:er is )?niets gevonden\b.{0,20}",
        ),
        advice=(
            r"\b(?:pagina|link|adres|url|inhoud|zoekopdracht)\b.{0,80}\b(?:u|je|verplaatst|verwijderd|bestaat|"
            r"zoekt)\b",
            r"\b(?:controleer|ga|keer|probeer|gebruik|terug)\b.{0,60}\b(?:adres|spelling|homepage|home|startpagina|"
            r"zoek\w*|woorden|menu|link|opnieuw|url|termen)\b",
            r"\bexcuses\b|\bhet spijt ons\b|\bneem contact\b",
            r"\bjava ?script\b.{0,80}\b(?:browser|site|schakel|website)\b|\bbrowser\b.{0,60}\bjava ?script",
            r"\bdomein\w*\b.{0,80}\b(?:eigenaar|kop\w+|koop|verkoop|prijs|bod|geregistreerd|houder)",
            r"\b(?:wachtwoord|e-?mail\w*)\b.{0,80}\b(?:sturen|gestuurd|herstel\w+|ontvang\w+|vul|adres)",
        ),
        password=("wachtwoord",),
        labels=(
            r"(?:uw |je |jouw )?(?:e-?mail(?:-?\s?adres)?|gebruikersnaam|klantnummer)(?: of (?:e-?mail"
            r"(?:-?\s?adres)?|gebruikersnaam))?",
            "(?:uw |je |nieuw |toon |bevestig |herhaal )?wachtwoord(?: (?:tonen|vergeten|herstellen|kwijt|"
            "bevestigen))?",
            "(?:ben je |heb je |bent u )?(?:uw |je )?wachtwoord (?:vergeten|kwijt)",
            r"(?:onthoud|herinner) (?:mij|mijn \w+|me)|(?:aan|in)gelogd blijven|(?:blijf )?ingelogd|inloggen",
            "log in|aanmelden|login|registreren|registreer|(?:nieuw )?account (?:aanmaken|maken)",
            "(?:maak|nog geen|heb je geen)(?: een)? account|of",
        ),
    ),
}  # fmt: skip
