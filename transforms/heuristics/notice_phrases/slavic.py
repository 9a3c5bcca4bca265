"""Polish and Russian; the meaning of the fields: row.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from transforms.heuristics.notice_phrases.row import Row

SLAVIC: Final[Mapping[str, Row]] = {
    "pl": Row(
        signs=("cookie", "ciastecz"),
        reader=(
            r"\b(?:my|nasz\w*|nas|nami|państw\w*|twoj\w*|twój|ciebie|cię|możesz|możecie|używamy|"
            "wykorzystujemy|stosujemy|(?:ta|nasza|niniejsza) (?:strona|witryna)|ten serwis|serwis|zgadzam|"
            r"akceptuj\w+|wyrażasz)\b"
        ),
        consent=(
            r"\b(?:używ\w+|wykorzyst\w+|stosuj\w+|korzyst\w+|zapis\w+|przechow\w+)\b.{0,80}\b(?:cookies?|"
            r"ciastecz\w+)\b",
            r"\b(?:cookies?|ciastecz\w+)\b.{0,120}\b(?:akcept\w+|zgod\w+|zgadz\w+|odrzuc\w+|ustawie\w+|"
            r"personaliz\w+)",
            r"\b(?:akcept\w+|zgod\w+|zgadz\w+|odrzuc\w+|dalsze korzystanie|kontynuując)\b.{0,120}\b(?:cookies?|"
            r"ciastecz\w+)\b",
            r"\b(?:twoj\w+|państwa) (?:zgod\w+|prywatnoś\w+|preferencj\w+)\b",
            r"\bnasi (?:\d+ )?(?:\w+ )?partner\w+\b.{0,60}\b(?:dan\w+|inform\w+)",
            r"\bspersonalizowan\w+ (?:reklam\w+|treści)\b|\bwyraża\w+ zgodę\b",
        ),
        buttons=(
            r"(?:akceptuj\w*|zaakceptuj|odrzuć|zezwól|zgadzam się)(?: (?:na )?(?:wszystkie|wszystko))?(?: (?:pliki "
            ")?cookies?)?",
            "(?:ustawienia|zarządzaj|dostosuj|zapisz)(?: (?:plików |zgodami |preferencje |ustawienia )?"
            "(?:cookies?)?)?",
            "(?:niezbędne|funkcjonalne|statystyczne|analityczne|marketingowe)(?: (?:pliki )?cookies?)?",
            "dowiedz się więcej|polityka (?:prywatności|cookies)|więcej informacji|zawsze aktywne",
            "przejdź do serwisu",
        ),
        error=(
            "nie (?:można|udało się) (?:odnaleźć|znaleźć) (?:tej |żądanej )?(?:strony|witryny).{0,20}",
            r"(?:nie znaleziono (?:\w+ )?(?:strony|pliku|dokumentu|zasobu))\b.{0,40}",
            r"(?:podana |ta |taka |szukana |żądana )?(?:strona|podstrona|adres)\b.{0,60}\b(?:nie (?:została "
            r"znaleziona|istnieje|jest dostępna)|została usunięta)\b.{0,30}",
            r"(?:ups|oj|przepraszamy|niestety)\b.{0,60}\b(?:stron\w+|znale\w+|istnieje|błąd|poszło)\b.{0,40}",
            "brak dostępu|odmowa dostępu|(?:strona|serwis|witryna) (?:w budowie|w przebudowie|w trakcie .{0,30})",
            r"(?:prosimy )?(?:o )?(?:włącz\w*|aktywuj\w*|uruchom\w*) (?:obsługę )?java ?script\w*\b.{0,80}",
            r"java ?script (?:jest )?(?:wyłączon\w|wymagan\w|musi być)\b.{0,60}",
            r"(?:aby|do|ta|twoja) .{0,60}\bjava ?script\w*\b.{0,80}",
        ),
        parked=(
            "(?:ta )?(?:strona|witryna) jest na sprzedaż.{0,30}",
            r"(?:ta |domena )?(?:domena )?(?:\S+ )?(?:jest |została )?(?:na sprzedaż|do sprzedania|zaparkowana|"
            r"zarejestrowana|wygasła)\b.{0,40}",
            "kup tę domenę|domena .{0,40}na sprzedaż",
        ),
        no_results=(
            r"(?:niestety,? ?)?(?:brak|0|nie znaleziono|nie znaleźliśmy)(?: \w+)? (?:wyników|produktów|rezultatów|"
            r"artykułów)\b(?: (?:dla|wyszukiwania|spełniających|pasujących)\b.{0,70})?",
            r"nic nie znaleziono\b.{0,20}",
        ),
        advice=(
            r"\b(?:stron\w+|link|adres\w*|odnośnik|wyszukiw\w+)\b.{0,80}\b(?:szukasz|przeniesion\w+|usunięt\w+|"
            r"istnieje|szukają|wpisan\w+)\b",
            r"\b(?:sprawdź|wróć|powrót|spróbuj|skorzystaj|użyj|przejdź)\b.{0,60}\b(?:adres\w*|pisowni\w*|główn\w+|"
            r"wyszukiw\w+|słow\w*|menu|ponownie|fraz\w*|stron\w+)\b",
            r"\bprzepraszamy\b|\bskontaktuj\b|\bjava ?script\w*\b.{0,80}\b(?:przegląd\w+|włącz\w*|stron\w+)\b",
            r"\bprzeglądark\w+\b.{0,60}\bjava ?script",
            r"\bdomen\w+\b.{0,80}\b(?:właściciel\w*|kup\w+|sprzeda\w+|cen\w+|ofert\w+|rejestr\w+)",
            r"\b(?:hasł\w+|e-?mail\w*)\b.{0,80}\b(?:wyśle\w+|wysłan\w+|reset\w+|otrzym\w+|wpisz|adres\w*)",
        ),
        password=("hasło", "hasła"),
        labels=(
            "(?:twój |podaj )?(?:adres )?(?:e-?mail|login|nazwa użytkownika)(?: lub (?:adres )?(?:e-?mail|login|"
            "nazwa użytkownika))?",
            "(?:twoje |nowe |pokaż |powtórz |podaj )?hasł[oa]",
            "(?:nie pamiętasz|zapomniałeś|zapomniałem|przypomnij|odzyskaj|nie pamiętam) (?:swojego )?hasł[oa]",
            "zapamiętaj mnie|nie wylogowuj(?: mnie)?|zaloguj(?: się)?|logowanie|zarejestruj(?: się)?|rejestracja",
            "załóż konto|utwórz konto|nie masz (?:jeszcze )?konta|lub",
        ),
    ),
    "ru": Row(
        script="Cyrl",
        signs=("cookie", "куки"),
        reader=(
            r"\b(?:мы|нас|наш\w*|вы|вас|вам|ваш\w*|(?:этот|данный|наш) (?:веб-?)?сайт|сайт|я (?:согла\w+|"
            r"принима\w+))\b"
        ),
        consent=(
            r"\bоставаясь\b.{0,40}\bсоглаша\w+|\bиспользуются (?:файлы )?(?:cookies?|куки)\b",
            r"\b(?:использу\w+|использован\w+|применя\w+|сохраня\w+|обрабатыва\w+)\b.{0,80}(?:\bcookies?\b|\bкуки\b)",
            r"(?:\bcookies?\b|\bкуки\b).{0,120}\b(?:соглас\w+|соглаш\w+|принима\w+|отклон\w+|отказ\w+|персонализ\w+|"
            r"удобств\w+)",
            r"\b(?:соглас\w+|соглаш\w+|принима\w+|продолжая|отказ\w+)\b.{0,120}(?:\bcookies?\b|\bкуки\b)",
            r"\bваш\w* (?:согласи\w+|конфиденциальност\w+)\b|\bсогласи\w+ на обработку\b",
            r"\bнаши партн[её]ры\b.{0,60}\bданны\w+|\bперсонализированн\w+ (?:реклам\w+|контент\w*)",
        ),
        buttons=(
            "(?:принять|отклонить|разрешить|согласен|согласиться)(?: все| вс[её])?(?: (?:файлы )?(?:cookies?|"
            "куки))?",
            "(?:настройки|настроить|управление)(?: (?:файлов )?(?:cookies?|куки))?|подробнее|хорошо|понятно",
            "(?:необходимые|функциональные|аналитические|рекламные)(?: (?:файлы )?(?:cookies?|куки))?",
            "политика .{1,40}",
        ),
        error=(
            "(?:такой|этой) страницы (?:нет|не существует).{0,30}",
            "(?:запрашиваемая |запрошенная |данная |эта |такая |извините,? )*(?:вами )?(?:страница|страницы|файл|"
            r"документ|материал)\b.{0,40}\b(?:не (?:найден[аоы]?|существует|обнаружен[аоы]?|доступн[аоы])|"
            r"удал[её]н[аоы]?)\b.{0,30}",
            r"(?:ой|упс|извините|к сожалению)\b.{0,60}\b(?:страниц\w+|найден\w*|существует|ошибка|пошло)\b.{0,40}",
            r"(?:доступ (?:запрещ[её]н|ограничен|закрыт))\b.{0,30}",
            r"(?:сайт|страница) .{0,20}(?:на реконструкции|в разработке|временно недоступ\w+|"
            r"обслуживани\w+)\b.{0,20}",
            r"проверка браузера\b.{0,40}",
            r"(?:пожалуйста,? )?(?:включите|активируйте|разрешите) (?:поддержку )?java ?script\b.{0,80}",
            r"java ?script (?:отключ[её]н|выключен|необходим|должен быть)\b.{0,60}",
            r"(?:для|в вашем|ваш|этот) .{0,60}\bjava ?script\b.{0,80}",
        ),
        parked=(
            "(?:этот )?сайт прода[её]тся.{0,30}",
            r"(?:этот |данный )?домен(?:ное имя)? (?:\S+ )?(?:прода[её]тся|припаркован|зарегистрирован|выставлен на "
            r"продажу|свободен|истек)\b.{0,40}",
            r"купить (?:этот )?домен|домен .{0,30}прода[её]тся|срок регистрации домена\b.{0,50}",
        ),
        no_results=(
            "(?:извините|к сожалению),? .{0,40}ничего не (?:найдено|нашлось)",
            "(?:к сожалению,? |извините,? )?(?:по (?:вашему )?запросу .{0,60})?(?:ничего не найдено|результатов не "
            "найдено|товаров не найдено|нет результатов|не найдено ни одного .{0,30}|ничего не нашлось|совпадений "
            r"не найдено)\b.{0,60}",
            r"(?:ваш поиск|поиск|по запросу) .{0,60}(?:не дал результатов|ничего не)\b.{0,40}",
        ),
        advice=(
            r"\b(?:страниц\w+|ссылк\w+|адрес\w*|запрос\w*)\b.{0,80}\b(?:вы|ваш\w*|перемещен\w*|удален\w*|удалён\w*|"
            r"существует|набран\w*|изменен\w*)\b",
            r"\b(?:проверьте|вернитесь|вернуться|перейдите|попробуйте|воспользуйтесь|используйте)\b.{0,60}\b"
            r"(?:адрес\w*|написани\w+|главн\w+|поиск\w*|слов\w*|меню|запрос\w*|снова|ссылк\w+)",
            r"\bприносим извинения\b|\bсвяжитесь\b|\bjava ?script\b.{0,80}\b(?:браузер\w*|включ\w+|сайт\w*)\b",
            r"\bбраузер\w*\b.{0,60}\bjava ?script",
            r"\bдомен\w*\b.{0,80}\b(?:владел\w+|куп\w+|прода\w+|цен\w+|предложен\w+|регистра\w+)",
            r"\b(?:парол\w+|почт\w+|e-?mail)\b.{0,80}\b(?:отправ\w+|восстанов\w+|получ\w+|введите|адрес\w*|высла\w+)",
        ),
        password=("парол",),
        labels=(
            "(?:ваш |введите )?(?:адрес )?(?:e-?mail|электронн(?:ой|ая) почт[аы]|логин|имя пользователя|телефон|"
            "почта)(?: или (?:e-?mail|логин|имя пользователя|телефон))?",
            "(?:ваш |новый |показать |повторите |введите )?пароль",
            "(?:забыли|восстановить|напомнить|я забыл)(?: (?:свой|ваш))? пароль|запомнить меня|чужой компьютер",
            "оставаться в системе|войти|вход|авторизация|авторизоваться|регистрация|зарегистрироваться",
            "создать (?:аккаунт|уч[её]тную запись)|(?:ещ[её] )?нет аккаунта|или",
        ),
    ),
}  # fmt: skip
