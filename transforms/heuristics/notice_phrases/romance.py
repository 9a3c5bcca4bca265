"""French, Spanish, Italian and Portuguese; the meaning of the fields: row.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from transforms.heuristics.notice_phrases.row import Row

ROMANCE: Final[Mapping[str, Row]] = {
    "fr": Row(
        signs=("cookie", "traceurs"),
        reader=r"\b(?:nous|nos|notre|vous|vos|votre|(?:ce|notre) site|ce service|j['’]accepte)\b",
        consent=(
            r"\b(?:consentir|consentement)\b.{0,60}\b(?:ces technologies|fonctions|fonctionnalités)",
            r"\b(?:utilis\w+|stock\w+|dépos\w+|plac\w+|enregistr\w+|recour\w+)\b.{0,80}\b(?:cookies?|traceurs)\b",
            r"\b(?:cookies?|traceurs)\b.{0,120}\b(?:accept\w+|refus\w+|consent\w+|votre (?:expérience|navigation|"
            r"choix)|personnalis\w+|mesure d['’]audience)",
            r"\b(?:accept\w+|refus\w+|consent\w+|en (?:poursuivant|continuant|cliquant|naviguant)|paramétr\w+|"
            r"gérer)\b.{0,120}\b(?:cookies?|traceurs)\b",
            r"\bvotre (?:consentement|vie privée)\b",
            r"\bnos (?:\d+ )?partenaires\b.{0,60}\b(?:données|informations|stock)|\bvos (?:choix|préférences)\b",
            r"\b(?:publicités?|contenus?|annonces) (?:et (?:du |des )?\w+ )?personnalisée?s?\b",
            r"\b(?:ces|les) cookies(?: \w+){0,3} (?:sont|permettent|nous permettent|aident|collectent|servent)\b",
        ),
        buttons=(
            "(?:tout |tous )?(?:accepter|refuser|autoriser|j['’]accepte)(?: tout| (?:tous )?les cookies)?(?: et "
            r"\w+)?",
            "continuer sans accepter",
            "(?:paramétrer|personnaliser|gérer|paramètres)(?: (?:les |mes |des |de )?(?:cookies|choix|"
            "préférences))?",
            "enregistrer(?: (?:mes |les )?(?:choix|préférences))?|en savoir plus|ok",
            "(?:strictement )?(?:nécessaires?|fonctionnels?|statistiques|marketing|toujours actif)",
            r"politique de (?:confidentialité|cookies)|(?:voir |liste des |nos )*partenaires|cookies \w+",
        ),
        error=(
            "(?:la |cette |votre )?(?:page|ressource|adresse|url|article|fichier|contenu)(?: (?:que vous|"
            "demandée?).{0,50}?)? (?:est |n['’]est |n['’]a |a été )?(?:pas |plus )?(?:été )?(?:introuvable|non "
            r"trouvée?|trouvée?|indisponible|disponible|inexistante?|supprimée?)\b.{0,30}",
            r"(?:la |cette )?(?:page|adresse)\b.{0,50}\bn['’]existe (?:pas|plus)\b.{0,20}",
            "accès (?:refusé|interdit)",
            r"(?:oups|désolée?s?|oh non|nous sommes désolés)\b.{0,60}\b(?:page|trouv\w+|existe|introuvable|"
            r"erreur)\b.{0,40}",
            "(?:le |ce |notre )?site (?:est )?(?:actuellement )?(?:en (?:maintenance|construction|"
            r"travaux))\b.{0,30}",
            r"(?:veuillez |merci d['’]|vous devez )?(?:activer|activez) (?:le )?java ?script\b.{0,80}",
            r"java ?script (?:est )?(?:désactivé|requis|nécessaire|doit être activé)\b.{0,60}",
            r"(?:pour|votre|ce|cette|vous) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:ce )?site (?:web )?est (?:à vendre|en vente).{0,30}",
            r"(?:le |ce )?(?:nom de )?domaine (?:\S+ )?(?:est |a été )?(?:actuellement )?(?:à vendre|en vente|"
            r"parqué|réservé|enregistré|expiré|disponible)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ est (?:à vendre|en vente|parqué)\b.{0,40}|acheter ce (?:nom de )?domaine",
        ),
        no_results=(
            "(?:désolée?,? ?)?(?:nous n['’]avons trouvé |il n['’]y a )?(?:aucun|0|pas de) (?:résultats?|produits?|"
            r"articles?|éléments?)\b(?: (?:n['’](?:a été trouvé|est disponible)|ne correspond|trouvé|pour|"
            r"à)\b.{0,70})?",
            r"(?:votre|la) recherche\b.{0,50}\b(?:aucun|pas|rien)\b.{0,40}|rien (?:n['’]a été )?trouvé",
        ),
        advice=(
            r"\b(?:page|lien|adresse|url|contenu|recherche)\b.{0,80}\b(?:vous|déplacée?|supprimée?|existe|"
            r"renommée?)\b",
            r"\b(?:vérifi\w+|retourn\w+|revenir|essay\w+|utilis\w+|consult\w+)\b.{0,60}\b(?:adresse|orthographe|"
            r"accueil|recherche|mots?|menu|liens?|termes|nouveau|url)\b",
            r"\bnous (?:nous excusons|sommes désolés)\b|\bcontacte[rz]",
            r"\bjava ?script\b.{0,80}\b(?:navigateur|activ\w+|site|vous)\b|\bnavigateur\b.{0,60}\bjava ?script",
            r"\bdomaine\b.{0,80}\b(?:propriétaire|achet\w+|vente|prix|offre|enregistr\w+|titulaire)",
            r"\b(?:mot de passe|e-?mail|courriel)\b.{0,80}\b(?:envoy\w+|réinitialis\w+|recev\w+|adresse|saisi\w+)",
        ),
        password=("mot de passe", "mots de passe"),
        labels=(
            "(?:votre |saisissez votre )?(?:adresse )?(?:e-?mail|courriel|mail|identifiant|nom d['’]utilisateur|"
            "pseudo)(?: ou (?:votre )?(?:adresse )?(?:e-?mail|identifiant|nom d['’]utilisateur))?",
            "(?:votre |nouveau |afficher le |confirmer le |confirmez le )?mot de passe(?: (?:oublié|perdu))?",
            "(?:j['’]ai |vous avez |avez-vous )?(?:oublié|perdu) (?:votre |mon |le )?mot de passe",
            "se souvenir de moi|rester connectée?|(?:se )?connecter|connexion|(?:se )?connexion|s['’]identifier",
            "(?:s['’])?inscri(?:re|ption|vez-vous)|créer (?:un|mon|votre) compte",
            "(?:pas encore|nouveau) (?:de compte|membre|client|inscrit)|pas de compte|ou",
        ),
    ),
    "es": Row(
        reader=(
            r"\b(?:nosotros|nuestr[oa]s?|usted(?:es)?|sus?|tus?|te|le|utilizamos|usamos|est[ea] (?:sitio|"
            r"página|web)|acept(?:o|as|a)|puedes?)\b"
        ),
        consent=(
            r"\b(?:utiliz\w+|us(?:a|amos|o|an)|almacen\w+|instal\w+|emple\w+)\b.{0,80}\bcookies?\b",
            r"\bcookies?\b.{0,120}\b(?:acept\w+|rechaz\w+|consent\w+|(?:su|tu) (?:experiencia|navegación)|"
            r"personaliz\w+|analizar)",
            r"\b(?:acept\w+|rechaz\w+|consent\w+|al (?:continuar|navegar|hacer clic|pulsar)|si contin\w+|"
            r"configur\w+)\b.{0,120}\bcookies?\b",
            r"\b(?:su|tu) (?:consentimiento|privacidad)\b",
            r"\bnuestros (?:\d+ )?socios\b.{0,60}\b(?:datos|información)|\b(?:sus|tus) preferencias\b",
            r"\b(?:anuncios|publicidad|contenidos?) (?:y (?:\w+ ))?personalizad[oa]s?\b",
            r"\b(?:estas|las) cookies(?: \w+){0,3} (?:son|permiten|nos permiten|ayudan|recopilan|se utilizan)\b",
        ),
        buttons=(
            r"(?:aceptar|acepto|rechazar|permitir)(?: (?:todas?|todo))?(?: (?:las )?cookies)?(?: y \w+)?",
            "(?:configurar|gestionar|administrar|configuración|preferencias|guardar)(?: (?:de |las |mis |sus )*"
            "(?:cookies|preferencias|opciones|privacidad))?",
            "más información|leer más|(?:estrictamente )?necesarias?|funcionales|estadísticas|marketing",
            r"siempre activo|política de (?:cookies|privacidad)|cookies \w+|(?:ver |nuestros )*socios",
        ),
        error=(
            "no se ha podido encontrar (?:la|esa|esta) página.{0,30}",
            "(?:la |esta |el |este )?(?:página|recurso|dirección|url|archivo|contenido|artículo)(?: (?:que|"
            "solicitad[oa]).{0,50}?)? (?:no )?(?:se )?(?:ha sido |fue |pudo |ha podido |puede |está |ha )?(?:no )?"
            r"(?:encontr\w+|disponible|existe|eliminad[oa]|ser encontrad[oa])\b.{0,30}",
            r"(?:ups|vaya|oops|lo sentimos|lo siento)\b.{0,60}\b(?:página|encontr\w+|existe|error|mal)\b.{0,40}",
            "acceso denegado",
            r"(?:el |este |nuestro )?sitio (?:web )?(?:está )?en (?:mantenimiento|construcción)\b.{0,30}",
            r"(?:no (?:hemos podido|podemos|pudimos) encontrar|no encontramos) (?:la|esta|esa) página\b.{0,40}",
            "(?:por favor,? )?(?:activ[ae]r?|habilit[ae]r?|debe (?:activar|habilitar))(?: el)? java "
            r"?script\b.{0,80}",
            r"java ?script (?:está )?(?:desactivado|deshabilitado|debe estar|es necesario)\b.{0,60}",
            r"(?:para|su|tu|este|esta|necesitas?) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:este )?sitio (?:web )?está (?:en|a la) venta.{0,30}",
            r"(?:el |este )?(?:nombre de )?dominio (?:\S+ )?(?:está |es |ha )?(?:actualmente )?(?:a la venta|en "
            r"venta|aparcado|estacionado|registrado|reservado|expirado|caducado|disponible)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ está (?:a la venta|en venta|aparcado)\b.{0,40}|compr(?:e|a|ar) este dominio",
        ),
        no_results=(
            "(?:lo sentimos, )?(?:pero )?nada coincide con .{0,60}|nada encontrado",
            r"(?:lo sentimos,? ?)?(?:no (?:se )?(?:han? |hemos )?(?:encontr\w+|hay|existen|hubo)|0|sin|ningún)(?: "
            r"\w+)? (?:resultados?|productos?|artículos?|coincidencias|elementos)\b(?: (?:para|con|que|"
            r"en)\b.{0,70})?",
            r"(?:su|tu|la) búsqueda\b.{0,50}\b(?:ningún|no|0)\b.{0,50}|no (?:se )?(?:ha )?encontr\w+ nada",
        ),
        advice=(
            r"\b(?:página|enlace|dirección|url|contenido|búsqueda)\b.{0,80}\b(?:usted|movid[oa]|eliminad[oa]|existe|"
            r"buscas?|cambiado|solicitad[oa])\b",
            r"\b(?:comprueb\w+|verifi\w+|revis\w+|volver|vuelv\w+|regres\w+|intent\w+|prueb\w+|pruebe|utili[cz]\w+|"
            r"us[ae])\b.{0,60}\b(?:dirección|ortografía|inicio|búsqueda|palabras?|términos|menú|enlaces?|nuevo|url|"
            r"buscador)\b",
            r"\blo sentimos\b|\bdisculp\w+|\bcontact[ae]\b",
            r"\bjava ?script\b.{0,80}\b(?:navegador|activ\w+|habilit\w+|sitio)\b",
            r"\bnavegador\b.{0,60}\bjava ?script",
            r"\bdominio\b.{0,80}\b(?:propietario|compr\w+|venta|precio|oferta|registr\w+|titular)",
            r"\b(?:contraseña|correo)\b.{0,80}\b(?:envi\w+|restablec\w+|recib\w+|introduc\w+|dirección)",
        ),
        password=("contraseña",),
        labels=(
            "(?:su |tu |introduce tu )?(?:correo(?: electrónico)?|e-?mail|usuario|nombre de usuario|dirección de "
            "correo(?: electrónico)?)(?: o (?:correo(?: electrónico)?|e-?mail|nombre de usuario|usuario))?",
            "(?:su |tu |nueva |mostrar |confirmar |repetir )?(?:la )?contraseña",
            "(?:¿?(?:ha|has) )?(?:¿?(?:olvidado|olvidaste|olvidó|olvidé|perdiste|recuperar))(?: (?:su|tu|mi|la))? "
            "contraseña",
            r"recordar(?:me)?(?: (?:mi |en este )?\w+)?|recuérdame|mantener(?:me)? (?:la )?sesión(?: \w+)?",
            "(?:iniciar|inicia|inicio de) sesión|entrar|acceder|ingresar",
            "(?:regístrate|registrarse|registrar|registro|crear (?:una )?cuenta|crea una cuenta)",
            "¿?(?:no tienes|no tiene|aún no tienes)(?: una)? cuenta|o",
        ),
    ),
    "it": Row(
        reader=(
            r"\b(?:noi|nostr[oaie]|tu[oae]?|tuoi|su[oa]|vostr[oaie]|utilizziamo|usiamo|(?:questo|il nostro|il "
            r"presente) sito|questa pagina|accett[oi]|ti|puoi|acconsent\w+)\b"
        ),
        consent=(
            r"\b(?:utilizz\w+|us(?:a|iamo|ano|o)|memorizz\w+|install\w+|impieg\w+|archivi\w+)\b.{0,80}\bcookie\b",
            r"\bcookie\b.{0,120}\b(?:accett\w+|rifiut\w+|consens\w+|acconsent\w+|tua (?:esperienza|navigazione)|"
            r"personalizz\w+|analizzare)",
            r"\b(?:accett\w+|rifiut\w+|consens\w+|acconsent\w+|continuando|proseguendo|cliccando|chiudendo|"
            r"gestisci)\b.{0,120}\bcookie\b",
            r"\b(?:tuo|suo|vostro) consenso\b|\btua privacy\b",
            r"\bnostri (?:\d+ )?partner\b.{0,60}\b(?:dati|inform|archiv)|\b(?:tue|sue) preferenze\b",
            r"\b(?:annunci|pubblicità|contenuti) (?:e (?:\w+ ))?personalizzat[aie]\b",
            r"\b(?:questi|i) cookie(?: \w+){0,3} (?:sono|consentono|permettono|aiutano|raccolgono|vengono)\b",
        ),
        buttons=(
            r"(?:accett[ao]|accettare|rifiuta|consenti)(?: (?:tutti|tutto))?(?: i cookie)?(?: e \w+)?",
            "continua senza accettare",
            "(?:gestisci|personalizza|impostazioni|preferenze|salva)(?: (?:dei |i |le |sui )?(?:cookie|preferenze|"
            "opzioni|scelte))?",
            "(?:maggiori|ulteriori) informazioni|scopri di più|(?:strettamente )?necessari|funzionali",
            r"statistich?e|marketing|sempre attiv[oi]|(?:cookie|privacy) policy|informativa .{1,30}|cookie \w+|ok",
        ),
        error=(
            "impossibile trovare (?:la|questa) pagina.{0,30}",
            "(?:la |questa |il |questo )?(?:pagina|risorsa|indirizzo|url|file|contenuto|articolo)(?: (?:che|"
            "richiest[oa]|cercat[oa]).{0,50}?)? (?:non (?:è |è stat[oa] |può essere )?(?:più )?(?:stat[oa] )?"
            r"(?:trovat[oa]|disponibile|presente|esiste)|(?:è )?(?:stat[oa] )?rimoss[oa]|inesistente)\b.{0,30}",
            r"(?:ops|oops|spiacenti|siamo spiacenti|ci dispiace)\b.{0,60}\b(?:pagina|trovat[oa]|esiste|errore|"
            r"storto)\b.{0,40}",
            "accesso negato",
            r"(?:il |questo |nostro )*sito (?:web )?(?:è )?in (?:manutenzione|costruzione|allestimento)\b.{0,30}",
            r"(?:si prega di |per favore,? )?(?:abilita(?:re)?|attiva(?:re)?) java ?script\b.{0,80}",
            r"java ?script (?:è )?(?:disabilitato|disattivato|richiesto|necessario|deve essere)\b.{0,60}",
            r"(?:per|il tuo|questo|questa|è necessario) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:questo )?sito (?:web )?è in vendita.{0,30}",
            r"(?:il |questo )?(?:nome di )?dominio (?:\S+ )?(?:è |è stato )?(?:in vendita|parcheggiato|registrato|"
            r"scaduto|disponibile|riservato)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ è (?:in vendita|parcheggiato)\b.{0,40}|acquista questo dominio",
        ),
        no_results=(
            r"(?:spiacenti,? ?)?(?:non (?:è |sono |abbiamo |ci sono )?(?:stat[oi] )?(?:trovat\w+ )?|nessun|0)(?: )?"
            r"(?:\w+ )?(?:risultat[oi]|prodott[oi]|articol[oi]|element[oi])\b(?: (?:trovat[oi]|per|corrisponde\w*|"
            r"con)\b.{0,70})?",
            r"(?:la tua|la) ricerca\b.{0,50}\b(?:nessun|non|0)\b.{0,50}",
            r"non (?:è stato|abbiamo) trovato (?:nulla|niente)\b.{0,30}",
        ),
        advice=(
            r"\b(?:pagina|link|indirizzo|url|contenuto|ricerca)\b.{0,80}\b(?:stai|hai|cerc\w+|spostat[oa]|"
            r"rimoss[oa]|eliminat[oa]|esiste)\b",
            r"\b(?:verific\w+|controll\w+|torn\w+|prova\w*|riprova\w*|utilizz\w+|usa)\b.{0,60}\b(?:indirizzo|"
            r"ortografia|home|ricerca|parole|termini|menu|link|nuovo|url)\b",
            r"\bci scusiamo\b|\bspiacenti\b|\bcontatta\w*\b",
            r"\bjava ?script\b.{0,80}\b(?:browser|abilit\w+|attiv\w+|sito)\b|\bbrowser\b.{0,60}\bjava ?script",
            r"\bdominio\b.{0,80}\b(?:proprietario|acquist\w+|vendita|prezzo|offerta|registr\w+|titolare)",
            r"\b(?:password|e-?mail)\b.{0,80}\b(?:invi\w+|reimpost\w+|ricev\w+|inser\w+|indirizzo)",
        ),
        password=("password",),
        labels=(
            "(?:il tuo |la tua |inserisci (?:il tuo |la tua |l['’])?)?(?:indirizzo )?(?:e-?mail|nome utente|"
            "username|utente)(?: o (?:indirizzo )?(?:e-?mail|nome utente|username))?",
            "(?:la tua |nuova |mostra |conferma |ripeti )?password",
            "(?:hai )?(?:dimenticat[oa]|smarrit[oa]|perso|recupera)(?: (?:la|tua|la tua))? password",
            r"password (?:dimenticata|smarrita|persa)|ricordami|ricorda(?:ti di me| \w+)?",
            "(?:rimani|resta) (?:connesso|collegato)|accedi|accesso|entra|login|log in|registrati|registrazione",
            r"iscriviti|crea (?:un )?(?:nuovo )?account|non (?:hai|sei)(?: \w+){0,2}|nuovo (?:utente|cliente)|o",
            "oppure",
        ),
    ),
    "pt": Row(
        reader=(
            r"\b(?:nós|noss[oa]s?|você|sua?s?|teus?|tuas?|utilizamos|usamos|(?:este|o nosso) (?:site|website|"
            r"sítio)|esta página|aceit[oa]|concorda|pode)\b"
        ),
        consent=(
            r"\b(?:utiliz\w+|us(?:a|amos|o|am)|armazen\w+|instal\w+|empreg\w+)\b.{0,80}\bcookies?\b",
            r"\bcookies?\b.{0,120}\b(?:aceit\w+|recus\w+|rejeit\w+|consent\w+|concord\w+|(?:sua|tua) (?:experiência|"
            r"navegação)|personaliz\w+|analisar)",
            r"\b(?:aceit\w+|recus\w+|rejeit\w+|consent\w+|concord\w+|ao (?:continuar|navegar|clicar)|gerir|"
            r"gerenciar)\b.{0,120}\bcookies?\b",
            r"\bseu consentimento\b|\bsua privacidade\b|\bnossos (?:\d+ )?parceiros\b.{0,60}\b(?:dados|inform)",
            r"\bsuas preferências\b|\b(?:anúncios|publicidade|conteúdos?) (?:e (?:\w+ ))?personalizad[oa]s?\b",
            r"\b(?:estes|esses|os) cookies(?: \w+){0,3} (?:são|permitem|nos permitem|ajudam|coletam|recolhem)\b",
        ),
        buttons=(
            r"(?:aceitar|aceito|rejeitar|recusar|permitir)(?: (?:todos|tudo))?(?: (?:os )?cookies)?(?: e \w+)?",
            "(?:configurar|gerir|gerenciar|configurações|definições|preferências|salvar|guardar)(?: (?:de |os |as |"
            "minhas )*(?:cookies|preferências|opções|privacidade))?",
            "(?:saiba|saber) mais|mais informações|(?:estritamente )?necessários|funcionais|estatísticas?",
            r"marketing|sempre ativ[oa]|política de (?:cookies|privacidade)|cookies \w+|ok",
        ),
        error=(
            "(?:o )?java ?script está (?:desativado|desabilitado|desligado).{0,60}",
            "(?:a |essa |esta |o |este )?(?:página|recurso|endereço|url|arquivo|ficheiro|conteúdo|artigo)(?: "
            "(?:que|solicitad[oa]|procurad[oa]).{0,50}?)? (?:não (?:foi |pôde ser |pode ser |está )?(?:mais )?"
            r"(?:encontrad[oa]|disponível|existe)|foi removid[oa]|inexistente)\b.{0,40}",
            r"(?:ops|oops|ups|desculpe|lamentamos|sentimos muito)\b.{0,60}\b(?:página|encontr\w+|existe|erro|"
            r"errado)\b.{0,40}",
            r"acesso negado|(?:o |este |nosso )*site (?:está )?em (?:manutenção|construção)\b.{0,30}",
            "(?:por favor,? )?(?:ativ[ae]r?|habilit[ae]r?|active|você precisa (?:ativar|habilitar))(?: o)? java "
            r"?script\b.{0,80}",
            r"java ?script (?:está )?(?:desativado|desabilitado|deve estar|é necessário)\b.{0,60}",
            r"(?:para|seu|este|esta|é necessário) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:este )?site está à venda.{0,30}",
            r"(?:o |este )?(?:nome de )?domínio (?:\S+ )?(?:está |é |foi )?(?:à venda|estacionado|registrado|"
            r"registado|expirado|expirou|disponível|reservado)\b.{0,40}",
            r"[\w-]+(?:\.[\w-]+)+ está (?:à venda|estacionado)\b.{0,40}|compr(?:e|ar) este domínio",
        ),
        no_results=(
            "(?:desculpe, )?(?:mas )?nada foi encontrado com .{0,60}",
            r"(?:desculpe,? ?)?(?:não (?:foram |há |foi |existem |encontramos )?(?:encontrad\w+ )?|nenhum|0|sem)(?: "
            r")?(?:\w+ )?(?:resultados?|produtos?|artigos?|itens|item)\b(?: (?:encontrad[oa]s?|foi|para|"
            r"corresponde\w*|com)\b.{0,70})?",
            r"(?:sua|a) (?:busca|pesquisa)\b.{0,50}\b(?:nenhum|não|0)\b.{0,50}|nada (?:foi )?encontrado\b.{0,20}",
        ),
        advice=(
            r"\b(?:página|link|endereço|url|conteúdo|busca|pesquisa)\b.{0,80}\b(?:você|movid[oa]|removid[oa]|existe|"
            r"procur\w+|alterad[oa]|excluíd[oa])\b",
            r"\b(?:verifi\w+|confira|volt\w+|retorn\w+|tent\w+|experimente|utiliz\w+|use)\b.{0,60}\b(?:endereço|"
            r"ortografia|inicial|início|busca|pesquisa|palavras?|termos|menu|links?|novamente|novo|url)\b",
            r"\bdesculp\w+|\blamentamos\b|\bcontat[eo]\b|\bcontacte\b",
            r"\bjava ?script\b.{0,80}\b(?:navegador|browser|ativ\w+|habilit\w+|site)\b",
            r"\bnavegador\b.{0,60}\bjava ?script",
            r"\bdomínio\b.{0,80}\b(?:proprietário|compr\w+|venda|preço|oferta|regist\w+|titular)",
            r"\b(?:senha|palavra-passe|e-?mail)\b.{0,80}\b(?:envi\w+|redefini\w+|receb\w+|digit\w+|insir\w+|"
            "endereço)",
        ),
        password=("senha", "palavra-passe", "palavra passe"),
        labels=(
            "(?:seu |digite seu |insira o seu )?(?:endereço de )?(?:e-?mail|usuário|nome de (?:usuário|utilizador)|"
            "utilizador|cpf)(?: ou (?:e-?mail|nome de (?:usuário|utilizador)|usuário|cpf))?",
            "(?:sua |nova |mostrar |confirmar |repetir |digite sua )?(?:a )?(?:senha|palavra[- ]passe)",
            "(?:esquec(?:eu|i|eu-se)|perdeu|recuperar|redefinir)(?: (?:a|sua|minha|a sua|da|da sua))? (?:senha|"
            "palavra[- ]passe)",
            r"lembrar(?:-me| de mim| \w+)?|lembre-se de mim|manter(?:-me)? (?:conectado|sessão iniciada|\w+)",
            "entrar|login|acessar|iniciar sessão|fazer login|cadastre-se|cadastrar|registar|registrar|registe-se",
            "criar (?:uma |nova )?conta|crie (?:sua|uma) conta",
            "(?:ainda )?não (?:tem|possui)(?: uma)? (?:conta|cadastro)|ou",
        ),
    ),
}  # fmt: skip
