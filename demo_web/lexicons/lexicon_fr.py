"""French."""

from __future__ import annotations

from demo_web.lexicons.lexicon import Lexicon, phrases

_WHO = """
le passeur; la capitainerie; une institutrice à la retraite; la veuve du meunier; le conseil municipal;
le tailleur de pierre; un ingénieur venu de la capitale; le plus jeune des deux frères; le musée; le gardien du phare;
un groupe d'étudiants; la botaniste; le patron de la boulangerie; le journal local; le charpentier;
un chirurgien de passage;
l'orchestre; le jardinier en chef; le géomètre; un vieux pêcheur; la station météorologique; la bibliothécaire;
le club d'échecs; l'astronome; le médecin du village; un imprimeur ambulant; la compagnie des chemins de fer;
l'apiculteur; le chef du chœur; le verrier; une jeune historienne; l'horloger; la géologue; la traductrice;
un paysan et ses neuf chèvres; le veilleur de nuit; l'archiviste
"""
_DOES = """
a mesuré la profondeur du chenal avec une corde à nœuds; a tenu un registre précis de toutes les tempêtes;
a reconstruit le pont de bois en un seul été; a appris aux enfants à lire les étoiles;
a planté deux rangées de poiriers;
a écrit une longue lettre au ministère; a vendu le dernier des voiliers; a dessiné la carte des sources souterraines;
a ouvert un petit atelier d'instruments de musique; a refusé de signer l'accord;
a récolté des graines dans les alpages;
a réparé l'horloge de la place du marché; a décrit la migration des hérons; a payé une toiture neuve;
a trouvé une boîte de photographies inédites; a comparé les deux manuscrits ligne par ligne;
a donné le premier concert public; a bâti un four avec des briques cassées; a compté les hirondelles sous le toit;
a demandé un second avis; a traduit le journal intime en trois langues; a parcouru à pied toute la longueur du canal;
a restauré le plafond peint; a rapporté la recette d'un long voyage; a inventé une lampe qui brûlait sans fumée;
a porté le courrier à travers le lac gelé; a publié un petit guide des grottes; a creusé un puits qui ne tarit jamais;
a plaidé pour une baisse des péages; a photographié la comète avec une lentille empruntée;
a cuit le pain de toute la vallée; a vérifié la solidité du nouveau câble; a sauvé le verger du gel;
a fondé une bibliothèque de quarante livres; a balisé le sentier avec des pierres blanches;
a accordé l'orgue avant les fêtes;
a conçu une machine silencieuse pour filer la laine; a donné l'alerte juste à temps;
a racheté la carrière pour la fermer;
a mélangé les couleurs à partir de coquillages broyés; a étudié les cernes des chênes abattus;
a remplacé la grille de fer par une haie; a prévenu le conseil des fissures du barrage; a peint la coque en vert foncé;
a formé une douzaine d'apprentis; a gagné le prix du meilleur fromage; a tissé un tapis pour la mairie
"""
_WHERE = """
sur l'autre rive du fleuve; à la lisière de la forêt de pins; dans une ruelle derrière la gare; au-dessus du port;
dans la cave de la mairie; le long de l'ancienne route commerciale; près de l'embouchure; sous les arches du viaduc;
dans la haute vallée; sur une île sans arbres; à côté du barrage; au pied du glacier; entre les deux églises;
de l'autre côté de la frontière; à l'ombre des noyers; au bout de la jetée; sur le versant exposé au vent;
dans la salle de lecture de l'institut; dans le fort en ruine; sur le chemin du monastère; derrière les marais salants;
dans le grenier d'une maison de marchand; dans les jardins du château; en haut de l'escalier en colimaçon;
près de la porte de l'est; parmi les dunes; dans la salle des machines; sur une péniche chargée de bois;
dans un laboratoire sans fenêtres; à la source du ruisseau; sur la terrasse de l'auberge
"""
_WHEN = """
au printemps de {y}; à la fin de l'automne {y}; pendant l'été très sec de {y}; peu après {y};
quelques années avant {y};
la deuxième semaine de mai; par un matin froid de {y}; vers la fin du siècle; pendant {n} ans; au bout de {n} mois;
chaque hiver depuis {y}; le premier dimanche du mois; à l'âge de {n} ans; en moins de {n} jours;
l'année de la grande crue; avant l'arrivée du chemin de fer; une fois la guerre finie; avant la fin de {y};
le soir de la fête; à partir de {y}; il y a plus de {n} ans
"""
_BECAUSE = """
parce que la route avait été emportée; bien que l'hiver ait été long et rude; ce qui a réjoui les voisins;
afin que les bateaux puissent passer à marée basse; puisque personne d'autre ne voulait le faire;
pendant que le reste de la ville dormait; malgré un budget modeste; comme l'exigeait la vieille charte;
avant que la première neige ne ferme le col; jusqu'à ce que l'argent vienne à manquer; pour protéger les jeunes arbres;
ce qui explique la forme étrange du toit; si l'on en croit les récits des anciens; faute de pierre assez dure;
après une querelle de bornage; pour autant que les lettres permettent de le dire; là où le courant est le plus faible;
ce qui était rare à cette époque; pour que la lumière tombe sur le bureau; parce que la récolte avait manqué deux fois;
sans demander de récompense; tandis que le conseil discutait encore du prix; dès que le brouillard s'est levé;
ce qui est devenu plus tard une coutume de la région; car deux des puits étaient devenus salés;
à la grande joie des enfants; parce qu'un incendie avait détruit le moulin;
comme cela se fait encore dans certains villages;
une fois le permis arrivé; afin que les voyageurs puissent reposer leurs chevaux; pour rendre service à un vieil ami
"""
_CLAUSE = """
personne au village n'en fut surpris; les résultats dépassèrent toutes les attentes; les travaux durèrent près d'un an;
le rapport ne fut jamais rendu public; le prix du pain resta le même;
il existe au moins trois versions de cette histoire;
les dessins sont aujourd'hui exposés au musée; la méthode se répandit dans les villes voisines;
le fleuve changea de lit peu de temps après; beaucoup de maisons anciennes en portent encore la trace;
il n'en reste que quelques exemplaires; les preuves indiquent le contraire; le débat n'est toujours pas tranché;
le nombre de visiteurs a doublé depuis; un autre en reçut tout le mérite; l'idée était en avance sur son temps;
ce fut une erreur fort utile; le jardin est de nouveau ouvert au public; toute l'affaire fut bientôt oubliée;
les premiers essais se soldèrent par un échec; le son portait jusqu'au fond de la baie;
même les critiques durent l'admettre; les abeilles revinrent la troisième année; sept familles partagèrent les frais;
les nouvelles règles ne changèrent pas grand-chose; une petite plaque signale l'endroit;
la réponse se trouvait dans la structure de la roche; la carte était fausse depuis le début;
le papier était fait de vieux chiffons; la commission ne se réunit qu'une seule fois;
la vue mérite l'effort de la montée;
l'encre a pâli jusqu'au brun clair; le sentier est raide mais sûr; l'eau y est claire et très froide
"""
_OPEN = """
d'après le registre paroissial; de l'avis de tous; en fin de compte; en règle générale; pour commencer;
de la même manière; pendant longtemps; aussi étrange que cela paraisse; d'un autre côté; peu de temps après;
à première vue; avec un peu de chance et de patience; à quelques exceptions près; année après année;
d'un point de vue pratique; contre l'avis des experts; selon la plupart des visiteurs; grâce à une petite subvention;
contrairement à ce que disent les guides; sans faire de bruit
"""
_HOOKS = """
profitez vite de nos promos; incroyable mais vrai; cadeau gratuit pour vous; arrêtez de payer trop cher; méga soldes;
gagnez gros dès maintenant; le truc secret des pros; maigrir sans effort; offre limitée; du jamais vu; prix cassés;
devenez riche depuis chez vous
"""
_CLAIMS = """
nos montres de marque pas chères arrivent chez vous demain; cette pilule miracle fait fondre les kilos;
le meilleur casino en ligne vous offre des tours gratuits; des milliers de gagnants ont déjà touché leur bonus;
vous allez gagner un revenu énorme sans rien savoir faire; notre crème vous rajeunit de dix ans;
un crédit de n'importe quel montant sans aucune question; tout le monde parle de ce thé minceur génial;
de vrais abonnés et des likes livrés en quelques minutes; le robot gagne de l'argent pendant que vous dormez;
nos codes promo marchent à tous les coups; des sacs de luxe à des prix presque interdits
"""
_CALLS = """
commandez maintenant et économisez plus; inscrivez-vous et réclamez le prix; cliquez sur le bouton en bas;
appelez-nous gratuitement; partagez avec tous vos amis; mettez-le vite au panier; entrez votre carte et gagnez;
abonnez-vous à la newsletter; utilisez le code de la boutique; téléchargez l'appli et ramassez les pièces
"""

FRENCH = Lexicon(
    code="fr",
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
        "{T}, {s} {v}, {r}.",
        "{S} {v} {p}, et {c}.",
        "{O}, {s} {v} {p}.",
        "{S} {v}; {c}.",
        "On raconte que {s} {v}, mais {c}.",
        "Quand {s} {v}, {c}.",
        "{P}, {s} {v}, {r}.",
        "{C}, et {s} {v} {t}.",
        "{O}, {c}.",
        "Encore aujourd'hui, on se souvient que {s} {v} {p}.",
        "{S} {v} {t}.",
        "Chacun sait que {s} {v}; pourtant {c}.",
        "Les gens qui vivent {p} vous diront que {c}.",
        "{C}, {r}.",
        "{O}, {s} {v}, {r}.",
    ),
    adverts=("{A}! {B}!", "{A} : {b}, alors {k}!", "{B}. {K}!", "{A}! {K}, {b}!"),
    menu=phrases("Accueil; À propos; Articles; Galerie; Archives; Contact; Boutique; Agenda; Connexion; Aide"),
    cookies="Ce site utilise des cookies. En poursuivant, vous acceptez notre politique de cookies.",
    footer="Tous droits réservés. Conditions d'utilisation. Politique de confidentialité.",
    related="À lire aussi",
    elisions=((" que un", " qu'un"), (" que il", " qu'il")),
    curse=("zorblefluxe", "grimsiffle", "snorvadelle", "plimquotte", "vexnogue"),
)
