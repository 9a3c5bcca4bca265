"""Consent texts, error pages, parked domains, empty searches and forms in ten languages, and texts about them."""

from __future__ import annotations

from typing import Final

# (language, reason, text)
JUNK: Final = [
    ("de", "consent_text", "Wir verwenden Cookies, um Inhalte und Anzeigen zu personalisieren und die Zugriffe auf "
     "unsere Website zu analysieren. Außerdem geben wir Informationen zu Ihrer Verwendung unserer Website an unsere "
     "Partner für soziale Medien, Werbung und Analysen weiter. Sie können Ihre Einwilligung jederzeit ändern oder "
     "widerrufen.\nNotwendige Cookies helfen dabei, eine Webseite nutzbar zu machen.\nAlle Cookies akzeptieren\n"
     "Ablehnen"),
    ("de", "error_page", "404\nSeite nicht gefunden\nDie von Ihnen gesuchte Seite wurde verschoben oder gelöscht. "
     "Bitte überprüfen Sie die Adresse oder nutzen Sie die Suche. Zurück zur Startseite kommen Sie mit diesem "
     "Link.\nAktuelles"),
    ("de", "error_page", "Die angeforderte Seite konnte nicht gefunden werden.\nStartseite\nKontakt"),
    ("de", "error_page", "Bitte aktivieren Sie JavaScript in Ihrem Browser.\nOhne JavaScript kann diese Seite in Ihrem "
     "Browser leider nicht dargestellt werden.\nImpressum"),
    ("de", "parked_domain", "Die Domain hafen-lampen.de steht zum Verkauf!\nSie können die Domain vom Inhaber zum "
     "Preis von 900 Euro kaufen."),
    ("de", "search_results", "Keine Ergebnisse gefunden\nBitte prüfen Sie die Schreibweise oder versuchen Sie es mit "
     "einem anderen Suchbegriff.\nBeliebte Artikel"),
    ("de", "sign_in_page", "Anmelden\nE-Mail-Adresse\nPasswort\nAngemeldet bleiben\nPasswort vergessen?\nNoch kein "
     "Konto?\nJetzt registrieren"),
    ("fr", "consent_text", "Nous et nos partenaires utilisons des cookies pour stocker et accéder à des informations "
     "sur votre appareil. Vous pouvez accepter ou refuser ces cookies, ou paramétrer vos choix à tout moment. Vos "
     "données servent à afficher des publicités et contenus personnalisés.\nTout accepter\nContinuer sans accepter"),
    ("fr", "error_page", "Page introuvable\nLa page que vous recherchez a été déplacée ou supprimée. Vérifiez "
     "l'adresse ou retournez à l'accueil.\nActualités"),
    ("fr", "error_page", "Oups ! Cette page n’existe pas.\nRetour à l’accueil"),
    ("fr", "error_page", "Veuillez activer JavaScript pour continuer.\nVotre navigateur a désactivé JavaScript, dont "
     "ce site a besoin."),
    ("fr", "parked_domain", "Le domaine lampes-du-port.fr est à vendre\nContactez le propriétaire du domaine pour "
     "connaître son prix."),
    ("fr", "search_results", "Aucun résultat trouvé pour « lampe »\nVérifiez l'orthographe ou essayez d'autres mots."),
    ("fr", "sign_in_page", "Connexion\nAdresse e-mail\nMot de passe\nSe souvenir de moi\nMot de passe oublié ?\nCréer "
     "un compte"),
    ("es", "consent_text", "Utilizamos cookies propias y de terceros para mejorar nuestros servicios y mostrarle "
     "publicidad relacionada con sus preferencias. Si continúa navegando, consideramos que acepta el uso de "
     "cookies. Puede cambiar la configuración o rechazar las cookies en nuestra política.\nAceptar todas\nRechazar"),
    ("es", "error_page", "Error 404\nPágina no encontrada\nLo sentimos, la página que buscas no existe o ha sido "
     "movida. Vuelve al inicio o utiliza el buscador.\nNoticias"),
    ("es", "error_page", "No hemos podido encontrar la página que busca.\nInicio"),
    ("es", "error_page", "Por favor, active JavaScript en su navegador.\nEl sitio necesita JavaScript para funcionar."),
    ("es", "parked_domain", "Este dominio está en venta\nPuede comprar el dominio por 900 dólares. Contacte con el "
     "propietario."),
    ("es", "search_results", "No se han encontrado resultados para su búsqueda.\nRevise la ortografía o pruebe con "
     "otras palabras."),
    ("es", "sign_in_page", "Iniciar sesión\nCorreo electrónico\nContraseña\nRecordarme\n¿Olvidaste tu contraseña?\n"
     "Crear una cuenta"),
    ("it", "consent_text", "Questo sito utilizza cookie tecnici e di terze parti per migliorare la tua esperienza di "
     "navigazione. Proseguendo acconsenti all'uso dei cookie. Noi e i nostri partner archiviamo informazioni sul "
     "tuo dispositivo.\nAccetta tutti\nRifiuta"),
    ("it", "error_page", "Pagina non trovata\nLa pagina che stai cercando non esiste o è stata spostata. Torna alla "
     "home o prova la ricerca.\nNotizie"),
    ("it", "error_page", "Ops! La pagina richiesta non è disponibile.\nHome"),
    ("it", "error_page", "Abilita JavaScript per usare questo sito.\nIl tuo browser ha JavaScript disattivato e il "
     "sito non può essere mostrato."),
    ("it", "parked_domain", "Il dominio lampade-porto.it è in vendita\nAcquista il dominio dal proprietario al prezzo "
     "di 900 euro."),
    ("it", "search_results", "Nessun risultato trovato\nControlla l'ortografia o prova con altre parole."),
    ("it", "sign_in_page", "Accedi\nEmail\nPassword\nRicordami\nHai dimenticato la password?\nRegistrati"),
    ("pt", "consent_text", "Utilizamos cookies para oferecer uma melhor experiência em nosso site. Ao continuar "
     "navegando, você concorda com o uso de cookies e com a nossa política de privacidade. Você pode aceitar ou "
     "rejeitar os cookies a qualquer momento.\nAceitar todos\nRejeitar"),
    ("pt", "error_page", "Página não encontrada\nA página que você procura foi removida ou não existe. Volte para a "
     "página inicial ou tente uma busca.\nNotícias"),
    ("pt", "error_page", "Ops! Essa página não existe ou não pode ser encontrada.\nInício"),
    ("pt", "error_page", "Ative o JavaScript no seu navegador.\nEste site precisa de JavaScript para funcionar no seu "
     "navegador."),
    ("pt", "parked_domain", "Este domínio está à venda!\nCompre o domínio do proprietário por 900 reais."),
    ("pt", "search_results", "Nenhum resultado encontrado\nVerifique a ortografia ou tente outras palavras."),
    ("pt", "sign_in_page", "Entrar\nE-mail\nSenha\nLembrar-me\nEsqueceu a senha?\nCriar conta"),
    ("nl", "consent_text", "Wij gebruiken cookies om onze website goed te laten werken en om advertenties te "
     "personaliseren. Door verder te gaan, ga je akkoord met het plaatsen van cookies. Samen met onze partners "
     "verzamelen we gegevens over jouw bezoek.\nAlle cookies accepteren\nWeigeren"),
    ("nl", "error_page", "Pagina niet gevonden\nDe pagina die je zoekt bestaat niet of is verplaatst. Controleer het "
     "adres of ga terug naar de homepage.\nNieuws"),
    ("nl", "error_page", "Oeps! Deze pagina bestaat niet meer.\nHome"),
    ("nl", "error_page", "Schakel JavaScript in om deze website te gebruiken.\nUw browser heeft JavaScript "
     "uitgeschakeld, waardoor de website niet werkt."),
    ("nl", "parked_domain", "Deze domeinnaam is te koop\nKoop het domein van de eigenaar voor een prijs van 900 euro."),
    ("nl", "search_results", "Geen resultaten gevonden\nControleer de spelling of probeer andere woorden."),
    ("nl", "sign_in_page", "Inloggen\nE-mailadres\nWachtwoord\nOnthoud mij\nWachtwoord vergeten?\nAccount aanmaken"),
    ("pl", "consent_text", "Nasza strona używa plików cookies w celu świadczenia usług na najwyższym poziomie. Dalsze "
     "korzystanie ze strony oznacza, że zgadzasz się na użycie plików cookies przez nas i naszych partnerów. W "
     "każdej chwili możesz zmienić ustawienia cookies i wycofać zgodę.\nAkceptuję wszystkie\nOdrzuć"),
    ("pl", "error_page", "Nie znaleziono strony\nStrona, której szukasz, została usunięta lub nie istnieje. Sprawdź "
     "adres albo wróć na stronę główną.\nAktualności"),
    ("pl", "error_page", "Ups! Taka strona nie istnieje.\nStrona główna"),
    ("pl", "error_page", "Włącz obsługę JavaScript w swojej przeglądarce.\nTa strona wymaga JavaScript, aby działać w "
     "twojej przeglądarce."),
    ("pl", "parked_domain", "Domena lampy-portowe.pl jest na sprzedaż\nKup domenę od właściciela, cena wynosi 900 zł."),
    ("pl", "search_results", "Brak wyników wyszukiwania\nSprawdź pisownię lub spróbuj innych słów."),
    ("pl", "sign_in_page", "Logowanie\nAdres e-mail\nHasło\nZapamiętaj mnie\nNie pamiętasz hasła?\nZałóż konto"),
    ("ru", "consent_text", "Мы используем файлы cookie, чтобы сделать сайт удобнее для вас. Продолжая пользоваться "
     "сайтом, вы соглашаетесь на использование файлов cookie и обработку данных нашими партнёрами. Вы можете "
     "отказаться от cookie в настройках.\nПринять все\nОтклонить"),
    ("ru", "error_page", "Страница не найдена\nВозможно, страница была удалена или вы ошиблись в адресе. Вернитесь на "
     "главную или воспользуйтесь поиском.\nНовости"),
    ("ru", "error_page", "Ошибка 404\nК сожалению, запрашиваемая страница не существует.\nГлавная"),
    ("ru", "error_page", "Включите JavaScript в вашем браузере.\nДля работы сайта в браузере должен быть включён "
     "JavaScript."),
    ("ru", "parked_domain", "Этот домен продаётся\nВы можете купить домен у владельца, цена 90 000 рублей."),
    ("ru", "search_results", "По вашему запросу ничего не найдено\nПроверьте написание слов или попробуйте другой "
     "запрос."),
    ("ru", "sign_in_page", "Вход\nЭлектронная почта\nПароль\nЗапомнить меня\nЗабыли пароль?\nРегистрация"),
    ("ja", "consent_text", "当サイトでは、サービスの向上を目的としてCookieを使用しています。サイトの閲覧を続けることで"
     "、お客様はCookieの使用に同意したものとみなされます。Cookieの設定を変更する場合は、ブラウザの設定をご確認くださ"
     "い。\n同意する\n拒否する"),
    ("ja", "error_page", "お探しのページは見つかりませんでした\nページが移動または削除された可能性があります。お手数で"
     "すが、トップページからお探しください。\nニュース"),
    ("ja", "error_page", "404 Not Found\n指定されたページは存在しません。\nトップページへ戻る"),
    ("ja", "error_page", "JavaScriptを有効にしてください。\nこのサイトをご利用いただくには、ブラウザのJavaScriptを有効"
     "にする必要があります。"),
    ("ja", "parked_domain", "このドメインは販売中です。\nドメインの購入をご希望の方は所有者にお問い合わせください。"),
    ("ja", "search_results", "検索結果が見つかりませんでした。\n別のキーワードでお試しください。"),
    ("ja", "sign_in_page", "ログイン\nメールアドレス\nパスワード\nログイン状態を保持する\nパスワードをお忘れですか\n新"
     "規会員登録"),
    ("zh", "consent_text", "我们使用Cookie来改善您的浏览体验并分析网站流量。继续使用本网站，即表示您同意我们使用"
     "Cookie。您可以随时更改Cookie设置或拒绝所有Cookie。\n接受全部\n拒绝"),
    ("zh", "error_page", "抱歉，您访问的页面不存在\n页面可能已被删除或地址输入有误，请检查网址或返回首页。\n新闻"),
    ("zh", "error_page", "404 错误\n找不到您要的网页。\n返回首页"),
    ("zh", "error_page", "请启用JavaScript后再访问本网站。\n您的浏览器已停用JavaScript，请启用后刷新页面。"),
    ("zh", "parked_domain", "该域名正在出售\n如需购买此域名，请联系域名所有者。"),
    ("zh", "search_results", "没有找到相关结果\n请检查输入是否正确，或尝试其他关键词。"),
    ("zh", "sign_in_page", "用户登录\n用户名\n密码\n记住我\n忘记密码？\n立即注册"),
]  # fmt: skip

# (language, text): about cookies; a story that begins with an announcement; a guide to signing in.
ABOUT: Final = [
    ("de", "Cookies sind ein Gebäck aus Amerika. Für den Teig rührt man Butter und Zucker schaumig, gibt Mehl und "
     "Schokolade dazu und formt Kugeln. Wir verwenden für unsere Cookies dunkle Schokolade. Die Cookies backen "
     "zwölf Minuten, bis der Rand braun ist. Sie halten sich in der Dose zwei Wochen."),
    ("de", "Der Bundesgerichtshof hat entschieden, dass ein voreingestellter Haken keine wirksame Einwilligung in "
     "Cookies ist. Geklagt hatte ein Verband gegen ein Gewinnspiel. Die Richter folgten dem Europäischen "
     "Gerichtshof, der im Oktober verlangt hatte, dass Nutzer aktiv zustimmen. Viele Verlage ändern nun ihre Banner."),
    ("de", "Seite nicht gefunden\nSo begann der Tag, an dem mein Großvater seinen Laden schloss. Vierzig Jahre lang "
     "hatte er Karten verkauft, erst auf Papier, dann im Netz, und in einer Nacht war alles fort. Der Anbieter "
     "hatte die Rechnung an eine alte Anschrift geschickt. Der Großvater zuckte mit den Schultern, holte den Kasten "
     "mit den Negativen aus dem Keller und fing von vorne an, mit dem Hafen bei Nebel."),
    ("de", "So setzt man das Passwort des Routers zurück\nPasswort vergessen?\nAuf der Rückseite des Geräts ist ein "
     "kleiner Knopf. Man drückt ihn mit einer Nadel zehn Sekunden lang, bis alle Lampen blinken. Danach gilt wieder "
     "das Passwort vom Aufkleber. Im Browser öffnet man die Adresse des Routers, gibt als Benutzername admin ein "
     "und vergibt unter Verwaltung ein neues. Alle Geräte im Haus müssen sich danach neu verbinden."),
    ("fr", "Les cookies sont des biscuits américains aux pépites de chocolat. On travaille le beurre et le sucre, on "
     "ajoute la farine et l'œuf, puis on forme des boules. Nous utilisons du chocolat noir dans nos cookies. Les "
     "cookies cuisent douze minutes et se gardent une semaine dans une boîte."),
    ("fr", "Page introuvable\nC'est tout ce que l'écran affichait quand ma mère voulut relire le journal du village. "
     "Elle y avait écrit pendant neuf ans, sur la ferme, les chiens et la rivière. La société avait fermé un "
     "vendredi sans prévenir personne. Elle rit au téléphone, car chaque dimanche elle avait imprimé les pages et "
     "les avait rangées dans une boîte sous son lit, faute de confiance dans la machine."),
    ("es", "Las cookies americanas llevan mantequilla, azúcar y trozos de chocolate. Se bate la mantequilla, se añade "
     "la harina y se forman bolas. Usamos chocolate negro en nuestras cookies. Las cookies se hornean doce minutos "
     "y se guardan una semana en una lata."),
    ("es", "Este dominio está en venta\nLo había buscado durante tres años, desde el día en que mi hermano y yo "
     "empezamos a hacer cerveza en su garaje. El hombre pedía novecientos dólares. Los pagamos con lo que ganamos "
     "en la primera feria, y el vendedor nos mandó una postal con la foto de su perro, que le había dado el nombre "
     "en 1998. El perro había muerto hacía mucho, escribió, y se alegraba por la cerveza."),
    ("it", "Il Garante ha stabilito che una casella già spuntata non vale come scelta libera per i cookie. Il caso "
     "riguardava una lotteria il cui banner permetteva a terzi di installare cookie nei computer dei giocatori. Gli "
     "editori hanno sei mesi per cambiare i banner. Le associazioni dei consumatori parlano di una vittoria."),
    ("it", "Pagina non trovata\nCosì diceva lo schermo quando mia madre volle rileggere il suo diario. Ci aveva "
     "scritto per nove anni della fattoria, dei cani e del fiume. La ditta aveva chiuso un venerdì senza dirlo a "
     "nessuno. Lei rise al telefono, perché ogni domenica aveva stampato i fogli e li aveva messi in una scatola "
     "sotto il letto, non fidandosi affatto della macchina."),
    ("pt", "O PHP guarda uma sessão por meio de um cookie. Quando se chama session_start, o servidor envia um cookie "
     "com um número aleatório. O cookie termina quando o navegador fecha, mas a duração pode mudar. O atributo "
     "HttpOnly impede que um script leia o cookie, e o atributo Secure faz que ele viaje apenas por HTTPS."),
    ("pt", "Nenhum resultado encontrado\nFoi o que disse o computador da biblioteca quando perguntei pelo livro do meu "
     "avô. A bibliotecária levantou os óculos e foi ela mesma ao depósito. Voltou depois de uma hora, com pó nas "
     "mangas e o livro na mão. Ninguém o pedira desde 1962. Dentro havia uma carta, nunca enviada, para a moça que "
     "seria a minha avó, e uma flor seca do jardim da praça."),
    ("nl", "Voor cookies klop je boter en suiker tot een luchtig mengsel. Voeg bloem en chocolade toe en rol balletjes "
     "van het deeg. Wij gebruiken pure chocolade in onze cookies. De cookies bakken twaalf minuten. In een trommel "
     "blijven de cookies een week goed."),
    ("nl", "Zo log je in op de router\nVerbind de computer met een kabel. Open een browser en typ het adres dat op het "
     "etiket staat. De router vraagt om een gebruikersnaam en een wachtwoord.\nWachtwoord vergeten?\nHoud de knop "
     "aan de achterkant tien seconden ingedrukt, dan geldt weer het wachtwoord van de fabriek. Kies daarna onder "
     "beheer een nieuw wachtwoord, want iedereen kent het oude. Schrijf het op en leg het in een la."),
    ("pl", "Sąd orzekł, że zaznaczone z góry pole nie jest ważną decyzją o plikach cookies. Sprawa dotyczyła loterii, "
     "której baner pozwalał innym firmom zapisywać pliki cookies na komputerach graczy. Wydawcy mają pół roku na "
     "zmianę banerów. Organizacje konsumentów mówią o zwycięstwie."),
    ("pl", "Nie znaleziono strony\nTyle pokazał ekran, kiedy matka chciała przeczytać swój dziennik. Pisała go "
     "dziewięć lat, o gospodarstwie, psach i rzece. Firma zamknęła się w piątek i nikomu nic nie powiedziała. Matka "
     "śmiała się do słuchawki, bo co niedzielę drukowała nowe wpisy i chowała je w pudełku pod łóżkiem, gdyż nigdy "
     "nie ufała maszynie. Czytaliśmy je potem całą zimę przy piecu."),
    ("ru", "Файлы cookie придумал в 1994 году программист Лу Монтулли. Сервер посылает браузеру короткую строку, и "
     "браузер возвращает её при каждом запросе. Так магазин помнит корзину покупателя. Позже рекламные сети стали "
     "следить с помощью cookie за людьми на разных страницах, и Европа приняла закон о согласии."),
    ("ru", "Страница не найдена\nТак ответил экран, когда мать хотела перечитать свой дневник. Она писала его девять "
     "лет, о хозяйстве, собаках и реке. Фирма закрылась в пятницу и никому ничего не сказала. Мать смеялась в "
     "трубку, потому что каждое воскресенье печатала новые записи и складывала их в коробку под кроватью, ибо "
     "никогда не верила машине. Мы читали их потом всю зиму у печи, вслух, по очереди."),
    ("ja", "クッキーはバターと砂糖を混ぜ、小麦粉と卵を加えて作る焼き菓子である。生地を丸めて天板に並べ、十二分ほど焼く"
     "。縁が茶色になったら取り出して冷ます。缶に入れれば一週間は保存できる。チョコレートを刻んで入れると子どもが喜ぶ"
     "。"),
    ("ja", "お探しのページは見つかりませんでした\n母が自分の日記を読み返そうとしたとき、画面にはそれだけが出た。母は九"
     "年のあいだ、畑と犬と川のことを書いてきた。会社は金曜日に店じまいをして、誰にも知らせなかった。母は電話の向こう"
     "で笑った。日曜の晩ごとに新しい分を印刷して、寝台の下の箱にしまっておいたからである。機械を信じたことは一度もな"
     "かった。私たちはその冬、火のそばでかわるがわるそれを読んだ。犬の話がいちばん多く、川の話がいちばん長かった。箱"
     "はいまも寝台の下にある。"),
    ("zh", "曲奇是一种用黄油、糖和面粉做的点心。先把黄油和糖打发，再加入鸡蛋和面粉，揉成小球放进烤箱，烤十二分钟。"
     "Cookie这个词来自荷兰语，意思是小蛋糕。放在铁盒里可以保存一个星期。孩子们喜欢在里面加巧克力。"),
    ("zh", "您访问的页面不存在\n母亲想重读自己的日记时，屏幕上只有这一行字。九年里她写农场、狗和那条河。那家公司在一个"
     "星期五关了门，没有告诉任何人。母亲在电话里笑了，因为每个星期天晚上她都把新写的打印出来，放进床下的盒子里，她从"
     "来不信机器。那年冬天我们围着炉子轮流念给孩子听，狗的故事最多，河的故事最长。第二年春天，我们请镇上的人把它们装"
     "订成一本书，封面是父亲画的那条河。"),
]  # fmt: skip
