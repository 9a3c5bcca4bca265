"""First lines of notices, and whole forms, as content management systems, servers and registrars write them."""

from __future__ import annotations

from typing import Final

# (language, reason, text)
HEADLINES: Final = [
    ("de", "error_page", "Hoppla! Diese Seite konnte nicht gefunden werden.\nEs schaut so aus, als ob nichts an diesem "
     "Ort gefunden werden konnte. Vielleicht versuchst du es mit einer Suche?"),
    ("de", "error_page", "Fehler 404 – Seite nicht gefunden\nLeider ist unter dieser Adresse nichts zu finden."),
    ("de", "error_page", "Die Webseite ist nicht erreichbar"),
    ("de", "error_page", "JavaScript ist in Ihrem Browser deaktiviert.\nBitte aktivieren Sie es, um alle Funktionen "
     "nutzen zu können."),
    ("de", "error_page", "Nicht gefunden\nDie angeforderte URL wurde auf diesem Server nicht gefunden."),
    ("fr", "error_page", "Oups ! Cette page est introuvable.\nIl semble que rien n’a été trouvé à cet endroit. "
     "Peut-être devriez-vous essayer une recherche ?"),
    ("fr", "error_page", "Erreur 404\nLa page demandée n’a pas été trouvée."),
    ("fr", "error_page", "Cette page n’est plus disponible\nAccueil"),
    ("fr", "error_page", "JavaScript est désactivé dans votre navigateur.\nMerci de l’activer pour profiter du site."),
    ("es", "error_page", "¡Vaya! No se ha podido encontrar esa página.\nParece que no se ha encontrado nada en esta "
     "ubicación. ¿Quizás quieras probar una búsqueda?"),
    ("es", "error_page", "La página solicitada no existe."),
    ("es", "error_page", "Página no disponible\nLo sentimos, el contenido ya no está disponible."),
    ("es", "error_page", "Necesita habilitar JavaScript para ejecutar esta aplicación."),
    ("it", "error_page", "Oops! Impossibile trovare questa pagina.\nSembra che non sia stato trovato nulla in questa "
     "posizione. Prova a cercare."),
    ("it", "error_page", "Errore 404 - Pagina non trovata"),
    ("it", "error_page", "La pagina che cerchi non è più disponibile"),
    ("it", "error_page", "JavaScript è disabilitato nel tuo browser.\nAttivalo per continuare."),
    ("pt", "error_page", "Ops! Essa página não pode ser encontrada.\nParece que nada foi encontrado neste local. "
     "Talvez tente uma pesquisa?"),
    ("pt", "error_page", "Erro 404\nA página solicitada não foi encontrada"),
    ("pt", "error_page", "Página não existe ou foi removida"),
    ("pt", "error_page", "O JavaScript está desativado no seu navegador.\nAtive-o para continuar."),
    ("nl", "error_page", "Oeps! Die pagina kan niet worden gevonden.\nHet lijkt erop dat er niets op deze locatie is "
     "gevonden. Misschien kun je een zoekopdracht proberen?"),
    ("nl", "error_page", "Fout 404: pagina niet gevonden"),
    ("nl", "error_page", "Deze pagina is niet beschikbaar."),
    ("nl", "error_page", "JavaScript is uitgeschakeld in uw browser.\nZet het aan om verder te gaan."),
    ("pl", "error_page", "Ups! Nie można odnaleźć tej strony.\nWygląda na to, że nic nie zostało znalezione w tym "
     "miejscu. Może wypróbujesz wyszukiwanie?"),
    ("pl", "error_page", "Błąd 404 - nie znaleziono strony"),
    ("pl", "error_page", "Strona nie istnieje"),
    ("pl", "error_page", "JavaScript jest wyłączony w Twojej przeglądarce.\nWłącz go, aby kontynuować."),
    ("ru", "error_page", "Упс! Страница не найдена.\nПохоже, что по этому адресу ничего не найдено. Попробуйте "
     "воспользоваться поиском."),
    ("ru", "error_page", "Ошибка 404. Такой страницы нет"),
    ("ru", "error_page", "Страница, которую вы ищете, не существует."),
    ("ru", "error_page", "В вашем браузере отключен JavaScript.\nВключите его, чтобы продолжить."),
    ("ja", "error_page", "おっと ! そのページは見つかりません。\nこの場所では何も見つからなかったようです。検索を試して"
     "みますか ?"),
    ("ja", "error_page", "ページが見つかりません\nホームへ"),
    ("ja", "error_page", "申し訳ございませんが、お探しのページは見つかりませんでした。"),
    ("ja", "error_page", "お使いのブラウザはJavaScriptが無効になっています。\n有効にしてください。"),
    ("zh", "error_page", "该页无法显示。\n这里好像什么都没有，要不试试搜索？"),
    ("zh", "error_page", "404，您访问的页面找不回来了\n返回首页"),
    ("zh", "error_page", "页面不存在"),
    ("zh", "error_page", "很抱歉，您要访问的页面不存在！"),
    ("zh", "error_page", "您的浏览器不支持JavaScript，请开启后再访问。"),
    ("de", "search_results", "Nichts gefunden\nEntschuldigung, leider wurde zu deinen Suchbegriffen nichts gefunden. "
     "Versuche es bitte mit anderen Suchbegriffen."),
    ("de", "search_results", "Ihre Suche nach „lampe“ ergab keine Treffer."),
    ("de", "search_results", "0 Ergebnisse für „lampe“"),
    ("fr", "search_results", "Rien trouvé\nDésolé, mais rien ne correspond à vos termes de recherche. Veuillez "
     "réessayer avec d’autres mots-clés."),
    ("fr", "search_results", "Votre recherche n’a donné aucun résultat."),
    ("fr", "search_results", "0 résultat pour « lampe »"),
    ("es", "search_results", "Nada encontrado\nLo sentimos, pero nada coincide con tus términos de búsqueda. Por "
     "favor, inténtalo de nuevo con otras palabras clave."),
    ("es", "search_results", "No hay resultados para “lámpara”"),
    ("es", "search_results", "Su búsqueda no produjo ningún resultado."),
    ("it", "search_results", "Nessun risultato\nSpiacenti, ma non è stato trovato nulla che corrisponda ai termini "
     "della ricerca. Prova ancora con parole chiave differenti."),
    ("it", "search_results", "La ricerca non ha prodotto risultati."),
    ("it", "search_results", "Non ci sono risultati per “lampada”"),
    ("pt", "search_results", "Nada encontrado\nDesculpe, mas nada foi encontrado com seus termos de pesquisa. Tente "
     "novamente com outras palavras-chave."),
    ("pt", "search_results", "Sua busca não retornou nenhum resultado."),
    ("pt", "search_results", "Não foram encontrados resultados para “lâmpada”"),
    ("nl", "search_results", "Niets gevonden\nSorry, maar er komt niets overeen met je zoekterm(en). Probeer opnieuw "
     "met andere trefwoorden."),
    ("nl", "search_results", "Er zijn geen resultaten gevonden voor \"lamp\""),
    ("nl", "search_results", "Uw zoekopdracht heeft geen resultaten opgeleverd."),
    ("pl", "search_results", "Nic nie znaleziono\nPrzepraszamy, ale nic nie pasuje do podanych haseł. Spróbuj ponownie "
     "z innymi słowami kluczowymi."),
    ("pl", "search_results", "Nie znaleziono wyników dla „lampa”"),
    ("pl", "search_results", "Brak produktów spełniających kryteria"),
    ("ru", "search_results", "Ничего не найдено\nИзвините, но по вашему запросу ничего не найдено. Попробуйте ещё раз "
     "с другими ключевыми словами."),
    ("ru", "search_results", "К сожалению, по запросу «лампа» ничего не найдено."),
    ("ru", "search_results", "Результаты поиска\nНет результатов"),
    ("ja", "search_results", "何も見つかりませんでした\n検索条件に一致するものは見つかりませんでした。別のキーワードで"
     "再度検索してください。"),
    ("ja", "search_results", "「ランプ」の検索結果は0件です"),
    ("ja", "search_results", "該当する商品が見つかりませんでした。"),
    ("zh", "search_results", "未找到\n抱歉，没有符合您搜索条件的结果。请换其它关键词再试。"),
    ("zh", "search_results", "抱歉，没有找到与“灯”相关的内容"),
    ("zh", "search_results", "暂无数据\n共找到0条结果"),
    ("de", "sign_in_page", "Benutzername oder E-Mail-Adresse\nPasswort\nAngemeldet bleiben\nAnmelden\nPasswort "
     "vergessen?"),
    ("de", "sign_in_page", "Login\nBenutzername:\nPasswort:\nEingeloggt bleiben\nRegistrieren | Passwort vergessen"),
    ("fr", "sign_in_page", "Identifiant ou adresse e-mail\nMot de passe\nSe souvenir de moi\nSe connecter\nMot de "
     "passe oublié ?"),
    ("fr", "sign_in_page", "Déjà client ?\nAdresse email *\nMot de passe *\nMot de passe oublié\nCréer un compte"),
    ("es", "sign_in_page", "Nombre de usuario o correo electrónico\nContraseña\nRecuérdame\nAcceder\n¿Has olvidado tu "
     "contraseña?"),
    ("es", "sign_in_page", "Usuario:\nContraseña:\nEntrar\nRegistrarse"),
    ("it", "sign_in_page", "Nome utente o indirizzo email\nPassword\nRicordami\nLogin\nPassword dimenticata?"),
    ("it", "sign_in_page", "Accedi al tuo account\nE-mail\nPassword\nHai dimenticato la tua password?\nNon hai un "
     "account? Registrati"),
    ("pt", "sign_in_page", "Nome de usuário ou endereço de e-mail\nSenha\nLembrar-me\nAcessar\nPerdeu a senha?"),
    ("pt", "sign_in_page", "Faça login\nE-mail ou CPF\nSenha\nEsqueci minha senha\nCadastre-se"),
    ("nl", "sign_in_page", "Gebruikersnaam of e-mailadres\nWachtwoord\nOnthoud mij\nInloggen\nWachtwoord vergeten?"),
    ("nl", "sign_in_page", "Log in\nE-mail *\nWachtwoord *\nWachtwoord kwijt?\nNog geen account? Registreer"),
    ("pl", "sign_in_page", "Nazwa użytkownika lub e-mail\nHasło\nZapamiętaj mnie\nZaloguj się\nNie pamiętasz hasła?"),
    ("pl", "sign_in_page", "Zaloguj się\nLogin:\nHasło:\nZapomniałeś hasła?\nZarejestruj się"),
    ("ru", "sign_in_page", "Имя пользователя или email\nПароль\nЗапомнить меня\nВойти\nЗабыли пароль?"),
    ("ru", "sign_in_page", "Логин:\nПароль:\nЗапомнить\nЗабыли пароль? Регистрация"),
    ("ja", "sign_in_page", "ユーザー名またはメールアドレス\nパスワード\nログイン状態を保存する\nログイン\nパスワードを"
     "お忘れですか ?"),
    ("ja", "sign_in_page", "会員ログイン\nメールアドレス\nパスワード\nパスワードを忘れた方はこちら\n新規会員登録はこち"
     "ら"),
    ("zh", "sign_in_page", "用户名或电子邮箱地址\n密码\n记住我\n登录\n忘记密码？"),
    ("zh", "sign_in_page", "账号登录\n手机号/邮箱\n密码\n忘记密码\n免费注册"),
    ("en", "parked_domain", "The domain harbour-lamps.com is parked\nThis webpage was generated by the domain owner "
     "using Sedo Domain Parking. Disclaimer: Sedo maintains no relationship with third party advertisers."),
    ("en", "parked_domain", "Welcome to harbour-lamps.com\nThis domain is registered and may be available for "
     "purchase. Inquire about this domain."),
    ("en", "parked_domain", "Harbour-lamps.com - this domain may be for sale!"),
    ("de", "parked_domain", "Diese Webseite steht zum Verkauf!\nhafen.de ist Ihre erste und beste Informationsquelle "
     "über Hafen. Der Inhaber dieser Domain parkt diese beim Domain-Parking-Programm."),
    ("de", "parked_domain", "Domain reserviert\nDiese Domain wurde soeben registriert."),
    ("de", "parked_domain", "Hier entsteht eine neue Internetpräsenz."),
    ("fr", "parked_domain", "Ce nom de domaine est à vendre"),
    ("fr", "parked_domain", "Ce site est à vendre !\nPort.fr est votre première et meilleure source d’information."),
    ("es", "parked_domain", "¡Este sitio web está en venta!\npuerto.es es la mejor fuente de información."),
    ("es", "parked_domain", "Dominio en venta: puerto.es"),
    ("it", "parked_domain", "Questo dominio è in vendita!"),
    ("it", "parked_domain", "Questo sito web è in vendita!"),
    ("pt", "parked_domain", "Este site está à venda!"),
    ("pt", "parked_domain", "O domínio porto.com.br está disponível para compra"),
    ("nl", "parked_domain", "Deze website is te koop!"),
    ("nl", "parked_domain", "haven.nl is te koop"),
    ("pl", "parked_domain", "Ta domena jest na sprzedaż"),
    ("pl", "parked_domain", "Domena jest zaparkowana"),
    ("ru", "parked_domain", "Домен port.ru продаётся"),
    ("ru", "parked_domain", "Домен припаркован"),
    ("ja", "parked_domain", "このドメインは現在使われておりません"),
    ("ja", "parked_domain", "harbor.jp は売り出し中です"),
    ("zh", "parked_domain", "您访问的域名正在出售中"),
    ("zh", "parked_domain", "该域名已过期，请及时续费"),
    ("en", "error_page", "We're sorry but harbour-app doesn't work properly without JavaScript enabled. Please enable "
     "it to continue."),
    ("en", "error_page", "JavaScript is not available.\nWe’ve detected that JavaScript is disabled in this browser. "
     "Please enable JavaScript or switch to a supported browser to continue using harbour.com."),
    ("en", "error_page", "This site requires JavaScript."),
    ("en", "error_page", "Enable JavaScript and cookies to continue"),
    ("en", "error_page", "Not Found\nThe requested URL was not found on this server."),
    ("en", "error_page", "Sorry, you have been blocked\nYou are unable to access harbour.com"),
    ("en", "error_page", "Error establishing a database connection"),
    ("en", "error_page", "This page isn’t available\nThe link you followed may be broken, or the page may have been "
     "removed."),
    ("en", "error_page", "Whoops, looks like something went wrong."),
    ("en", "error_page", "HTTP Error 404.0 - Not Found\nThe resource you are looking for has been removed, had its "
     "name changed, or is temporarily unavailable."),
    ("en", "error_page", "Sorry, this page isn't available."),
    ("en", "error_page", "410 Gone"),
    ("en", "error_page", "Website coming soon"),
    ("en", "error_page", "Please complete the security check to access harbour.com"),
]  # fmt: skip
