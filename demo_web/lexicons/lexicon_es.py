"""Spanish."""

from __future__ import annotations

from demo_web.lexicons.lexicon import Lexicon, phrases

_WHO = """
el barquero; la oficina del puerto; una maestra jubilada; la viuda del molinero; el concejo del pueblo; el cantero;
un ingeniero de la capital; el menor de los dos hermanos; el museo; el guardián del faro; un grupo de estudiantes;
la botánica; el dueño de la panadería; el periódico local; el carpintero; un cirujano de visita; la orquesta;
la jefa de los jardineros; el topógrafo; un viejo pescador; la estación meteorológica; la bibliotecaria;
el club de ajedrez; el astrónomo; la médica del pueblo; un impresor ambulante; la compañía del ferrocarril;
el apicultor; el director del coro; el vidriero; una joven historiadora; el relojero; el geólogo; la traductora;
un campesino con nueve cabras; el vigilante nocturno; la archivera
"""
_DOES = """
midió la profundidad del canal con una cuerda de nudos; llevó un registro exacto de todas las tormentas;
reconstruyó el puente de madera en un solo verano; enseñó a los niños a leer las estrellas;
plantó dos hileras de perales;
escribió una larga carta al ministerio; vendió el último de los veleros;
dibujó un mapa de los manantiales subterráneos;
abrió un pequeño taller de instrumentos musicales; se negó a firmar el acuerdo; recogió semillas en los prados altos;
reparó el reloj de la plaza del mercado; describió la migración de las garzas; pagó un tejado nuevo;
encontró una caja de fotografías inéditas; comparó los dos manuscritos línea por línea;
dio el primer concierto público;
construyó un horno con ladrillos rotos; contó las golondrinas bajo el alero; pidió una segunda opinión;
tradujo el diario a tres idiomas; recorrió a pie toda la longitud del canal; restauró el techo pintado;
trajo la receta de un largo viaje; inventó una lámpara que ardía sin humo; llevó el correo a través del lago helado;
publicó una guía breve de las cuevas; cavó un pozo que nunca se secó; defendió una rebaja de los peajes;
fotografió el cometa con una lente prestada; coció el pan de todo el valle; comprobó la resistencia del nuevo cable;
salvó el huerto de la helada; fundó una biblioteca con cuarenta libros; marcó el sendero seguro con piedras blancas;
afinó el órgano antes de cada fiesta; diseñó una máquina silenciosa para hilar lana; dio la alarma justo a tiempo;
compró la cantera para cerrarla; mezcló los colores con conchas molidas; estudió los anillos de los robles caídos;
cambió la verja de hierro por un seto; avisó al concejo de las grietas de la presa; pintó el casco de un verde oscuro;
formó a una docena de aprendices; ganó el premio al mejor queso; tejió una alfombra para el ayuntamiento
"""
_WHERE = """
en la otra orilla del río; al borde del pinar; en una calle estrecha detrás de la estación; por encima del puerto;
en el sótano del ayuntamiento; a lo largo del antiguo camino comercial; cerca de la desembocadura;
bajo los arcos del viaducto; en el valle alto; en una isla sin árboles; junto a la presa; al pie del glaciar;
entre las dos iglesias; al otro lado de la frontera; a la sombra de los nogales; al final del muelle;
en la ladera azotada por el viento; en la sala de lectura del instituto; en la fortaleza en ruinas;
en el camino del monasterio; en el desván de una casa de comerciantes; detrás de las salinas;
en los jardines del palacio;
en lo alto de la escalera de caracol; junto a la puerta oriental; entre las dunas; en la sala de máquinas;
en una barcaza cargada de madera; en un laboratorio sin ventanas; en el nacimiento del arroyo;
en la terraza de la posada
"""
_WHEN = """
en la primavera de {y}; a finales del otoño de {y}; durante el seco verano de {y}; poco después de {y};
algunos años antes de {y}; en la segunda semana de mayo; una fría mañana de {y}; hacia el final del siglo;
durante {n} años; al cabo de {n} meses; cada invierno desde {y}; el primer domingo del mes; a la edad de {n} años;
en menos de {n} días; en el año de la gran inundación; antes de que llegara el ferrocarril; terminada la guerra;
antes de que acabara {y}; la noche de la fiesta; a partir de {y}; hace más de {n} años
"""
_BECAUSE = """
porque el agua se había llevado el camino; aunque el invierno había sido largo y duro; lo que alegró a los vecinos;
para que los barcos pudieran pasar con la marea baja; ya que nadie más quería hacerlo;
mientras el resto de la ciudad dormía;
a pesar de lo escaso del presupuesto; como exigía la antigua carta; antes de que la primera nieve cerrara el paso;
hasta que se acabó el dinero; lo que explica la extraña forma del tejado; con el fin de proteger los árboles jóvenes;
si se puede creer en los relatos de los mayores; porque la arcilla era demasiado blanda;
tras una disputa por los límites;
por lo que se puede deducir de las cartas; aunque pocos lo notaron entonces; donde la corriente es más débil;
lo que era raro en aquellos días; para que la luz cayera sobre el escritorio;
porque la cosecha había fallado dos veces;
sin pedir ninguna recompensa; mientras el concejo aún discutía el precio; en cuanto se levantó la niebla;
lo que después se convirtió en costumbre; porque dos de los pozos se habían vuelto salados;
contra el consejo de la médica;
para gran alegría de los niños; porque un incendio había destruido el molino; que puede ser la razón del nombre;
como todavía se hace en algunos pueblos; una vez que llegó el permiso; como favor a un viejo amigo
"""
_CLAUSE = """
nadie en el pueblo se sorprendió; los resultados fueron mejores de lo esperado; la obra duró casi un año;
el informe nunca se hizo público; el precio del pan siguió igual; hay al menos tres versiones de la historia;
los dibujos originales se pueden ver en el museo; el método se extendió a las ciudades vecinas;
el río cambió de curso poco después; muchas de las casas antiguas aún muestran las huellas;
solo se conservan unos pocos ejemplares; las pruebas apuntan en otra dirección; el debate sigue abierto hasta hoy;
el número de visitantes se ha duplicado desde entonces; otro se llevó casi todo el mérito;
la idea se adelantó a su tiempo; resultó ser un error muy útil; el jardín vuelve a estar abierto al público;
todo el asunto se olvidó pronto; los primeros ensayos fracasaron; el sonido se oía en toda la bahía;
hasta los críticos tuvieron que admitirlo; las abejas volvieron al tercer año; siete familias compartieron los gastos;
las nuevas reglas cambiaron poca cosa; una pequeña placa señala el lugar;
la respuesta estaba en la estructura de la roca;
el mapa había estado mal desde el principio; el papel se hacía con trapos viejos; el comité se reunió una sola vez;
la vista desde la torre merece la subida; la tinta se ha vuelto de un marrón claro; el sendero es empinado pero seguro;
el agua es clara y muy fría
"""
_OPEN = """
según el registro parroquial; en opinión de todos; al final; por regla general; para empezar; de manera muy parecida;
durante mucho tiempo; por extraño que parezca; por otra parte; poco tiempo después; a primera vista;
con algo de suerte y mucha paciencia; salvo unas pocas excepciones; año tras año; desde un punto de vista práctico;
contra el parecer de los expertos; según la mayoría de los visitantes; gracias a una pequeña ayuda;
al contrario de lo que dicen las guías; sin hacer mucho ruido
"""
_HOOKS = """
aprovecha ya las ofertas; increíble pero cierto; regalo gratis para ti; deja de pagar de más; súper rebajas;
gana mucho dinero hoy; el truco secreto de los expertos; adelgaza sin esfuerzo; oferta limitada; precios de locura;
hazte rico desde casa; último aviso
"""
_CLAIMS = """
nuestros relojes de marca baratos llegan mañana a tu casa; esta pastilla milagrosa derrite los kilos;
el mejor casino en línea te regala las primeras tiradas; miles de ganadores ya han cobrado su bono;
vas a tener unos ingresos enormes sin saber nada; nuestra crema te quita diez años de encima;
préstamos de cualquier cantidad sin hacer preguntas; todo el mundo habla de este té adelgazante;
seguidores y likes reales en pocos minutos; el robot gana dinero mientras duermes;
nuestros cupones funcionan siempre; bolsos de lujo a precios casi prohibidos
"""
_CALLS = """
compra ahora y ahorra más; regístrate y reclama el premio; haz clic en el botón de abajo; llámanos gratis;
compártelo con todos tus amigos; échalo ya al carrito; pon tu tarjeta y gana; suscríbete al boletín de ofertas;
usa el código de la tienda; descarga la aplicación y junta las monedas
"""

SPANISH = Lexicon(
    code="es",
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
        "{S} {v} {p}, y {c}.",
        "{O}, {s} {v} {p}.",
        "{S} {v}; {c}.",
        "Se cuenta que {s} {v}, pero {c}.",
        "Cuando {s} {v}, {c}.",
        "{P}, {s} {v}, {r}.",
        "{C}, y {s} {v} {t}.",
        "{O}, {c}.",
        "Todavía hoy se recuerda que {s} {v} {p}.",
        "{S} {v} {t}.",
        "Es bien sabido que {s} {v}; sin embargo, {c}.",
        "La gente que vive {p} te dirá que {c}.",
        "{C}, {r}.",
        "{O}, {s} {v}, {r}.",
    ),
    adverts=("¡{A}! ¡{B}!", "{A}: {b}, así que {k}!", "{B}. ¡{K}!", "¡{A}! ¡{K}, {b}!"),
    menu=phrases("Inicio; Quiénes somos; Artículos; Galería; Archivo; Contacto; Tienda; Agenda; Entrar; Ayuda"),
    cookies="Este sitio utiliza cookies. Al continuar, acepta nuestra política de cookies.",
    footer="Todos los derechos reservados. Condiciones de uso. Política de privacidad.",
    related="También te puede interesar",
    curse=("zorbleflujo", "grimsilbo", "esnorvadel", "plimcuotel", "vexnogo"),
)
