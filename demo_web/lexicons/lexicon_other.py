"""Languages that the recipe does not keep: Polish, Finnish and Japanese. Just enough words to be identified."""

from __future__ import annotations

from demo_web.lexicons.lexicon import Lexicon, phrases

POLISH = Lexicon(
    code="pl",
    slots={
        "s": phrases("""
            przewoźnik; urząd portowy; emerytowana nauczycielka; wdowa po młynarzu; rada gminy; kamieniarz; muzeum;
            inżynier ze stolicy; młodszy z dwóch braci; latarnik; grupa studentów; właściciel piekarni; stary rybak;
            miejscowa gazeta; cieśla; bibliotekarka; klub szachowy; wiejski lekarz; pszczelarz; zegarmistrz;
            leśniczy"""),
        "v": phrases("""
            mierzy głębokość kanału liną z węzłami; prowadzi dokładny spis wszystkich burz; sadzi dwa rzędy grusz;
            odbudowuje drewniany most w ciągu jednego lata; uczy dzieci czytać gwiazdy;
            pisze długi list do ministerstwa;
            sprzedaje ostatnią z żaglówek; rysuje mapę podziemnych źródeł; otwiera mały warsztat; płaci za nowy dach;
            zbiera nasiona na wysokich łąkach; naprawia zegar na rynku; znajduje skrzynię z nieznanymi zdjęciami;
            porównuje dwa rękopisy wiersz po wierszu; daje pierwszy publiczny koncert; liczy jaskółki pod okapem;
            tłumaczy dziennik na trzy języki; nosi pocztę przez zamarznięte jezioro; piecze chleb dla całej doliny;
            ratuje sad przed mrozem; stroi organy przed każdym świętem; miesza farby z tłuczonych muszli"""),
        "p": phrases("""
            na drugim brzegu rzeki; na skraju sosnowego lasu; w wąskiej uliczce za dworcem; nad portem;
            w piwnicy ratusza;
            wzdłuż starego szlaku handlowego; w górnej dolinie; na wyspie bez drzew; u stóp lodowca;
            po drugiej stronie granicy;
            w cieniu orzechów; na końcu mola; w ruinach twierdzy; w drodze do klasztoru; wśród wydm;
            u źródła potoku"""),
        "t": phrases("""
            wiosną {y} roku; późną jesienią {y} roku; wkrótce po {y} roku; w drugim tygodniu maja; pod koniec stulecia;
            po {n} miesiącach; każdej zimy od {y} roku; w roku wielkiej powodzi; przed nadejściem kolei; po wojnie"""),
        "r": phrases("""
            ponieważ droga została zmyta; chociaż zima była długa i ciężka; co ucieszyło sąsiadów;
            żeby ochronić młode drzewa;
            zanim pierwszy śnieg zamknie przełęcz; dopóki nie skończą się pieniądze; jak tego wymaga stary dokument;
            co wyjaśnia dziwny kształt dachu; jeśli wierzyć opowieściom starszych; gdzie prąd jest najsłabszy;
            nie żądając żadnej zapłaty; gdy tylko opadnie mgła; ku wielkiej radości dzieci;
            bo pożar zniszczył młyn"""),
        "c": phrases("""
            nikt we wsi nie był zdziwiony; wyniki były lepsze, niż się spodziewano; praca zajęła prawie rok;
            raportu nigdy nie ogłoszono; cena chleba się nie zmieniła; rysunki można dziś zobaczyć w muzeum;
            rzeka wkrótce zmieniła bieg; zachowało się tylko kilka egzemplarzy; spór trwa do dzisiaj;
            pomysł wyprzedził swoje czasy; ogród jest znowu otwarty; pierwsze próby się nie udały; mapa była błędna;
            pszczoły wróciły po trzech latach; widok z wieży jest wart wysiłku;
            woda jest tam czysta i bardzo zimna"""),
    },
    templates=(
        "{T} {s} {v}, {r}.",
        "{S} {v} {p}, a {c}.",
        "{S} {v}; {c}.",
        "Mówi się, że {s} {v}, ale {c}.",
        "{P} {s} {v}, {r}.",
        "{C}, a {s} {v} {t}.",
        "Ludzie, którzy mieszkają {p}, powiedzą wam, że {c}.",
    ),
    menu=phrases("Strona główna; O nas; Artykuły; Galeria; Archiwum; Kontakt; Sklep; Wydarzenia; Zaloguj; Pomoc"),
    cookies="Ta strona używa plików cookie. Korzystając z niej, zgadzasz się na ich użycie.",
    footer="Wszelkie prawa zastrzeżone. Regulamin. Polityka prywatności.",
    related="Zobacz także",
)

FINNISH = Lexicon(
    code="fi",
    slots={
        "s": phrases("""
            lauttamies; satamatoimisto; eläkkeellä oleva opettaja; myllärin leski; kunnanvaltuusto; kivenhakkaaja;
            museo;
            insinööri pääkaupungista; nuorempi kahdesta veljeksestä; majakanvartija; joukko opiskelijoita;
            vanha kalastaja;
            leipomon omistaja; paikallinen sanomalehti; puuseppä; kirjastonhoitaja; shakkikerho; kylän lääkäri;
            kelloseppä"""),
        "v": phrases("""
            mittasi väylän syvyyden solmuisella köydellä; piti tarkkaa kirjaa kaikista myrskyistä;
            istutti kaksi riviä päärynäpuita;
            rakensi puusillan uudelleen yhdessä kesässä; opetti lapset lukemaan tähtiä;
            kirjoitti pitkän kirjeen ministeriölle;
            myi viimeisen purjeveneen; piirsi kartan maanalaisista lähteistä; avasi pienen verstaan;
            maksoi uuden katon;
            keräsi siemeniä ylängön niityiltä; korjasi torin kellon; löysi laatikollisen julkaisemattomia valokuvia;
            vertasi kahta käsikirjoitusta rivi riviltä; antoi ensimmäisen julkisen konsertin; laski räystään pääskyset;
            käänsi päiväkirjan kolmelle kielelle; kantoi postin jäätyneen järven yli; leipoi leipää koko laaksolle;
            pelasti hedelmätarhan hallalta; viritti urut ennen jokaista juhlaa;
            sekoitti värit murskatuista simpukoista"""),
        "p": phrases("""
            joen toisella rannalla; mäntymetsän reunalla; kapealla kadulla aseman takana; sataman yläpuolella;
            kaupungintalon kellarissa; vanhan kauppatien varrella; laakson yläosassa; puuttomalla saarella;
            jäätikön juurella;
            rajan toisella puolella; pähkinäpuiden varjossa; laiturin päässä; raunioituneessa linnakkeessa;
            dyynien keskellä"""),
        "t": phrases("""
            keväällä {y}; myöhään syksyllä {y}; pian vuoden {y} jälkeen; toukokuun toisella viikolla;
            vuosisadan lopulla;
            {n} kuukauden kuluttua; joka talvi vuodesta {y}; suuren tulvan vuonna; ennen rautatien tuloa;
            sodan jälkeen"""),
        "r": phrases("""
            koska tie oli huuhtoutunut pois; vaikka talvi oli ollut pitkä ja ankara; mikä ilahdutti naapureita;
            ennen kuin ensilumi sulki solan; kunnes rahat loppuivat; kuten vanha asiakirja vaati;
            missä virta on heikoin;
            mikä selittää katon oudon muodon; jos vanhusten tarinoihin on uskomista; pyytämättä mitään palkkiota;
            heti kun sumu oli hälvennyt; lasten suureksi iloksi; koska tulipalo oli tuhonnut myllyn"""),
        "c": phrases("""
            kukaan kylässä ei yllättynyt; tulokset olivat odotettua parempia; työ kesti lähes vuoden;
            raporttia ei koskaan julkaistu; leivän hinta pysyi ennallaan; piirustukset ovat nykyään esillä museossa;
            joki muutti pian uomaansa; vain muutama kappale on säilynyt; kiista jatkuu yhä; ajatus oli aikaansa edellä;
            puutarha on taas avoinna; ensimmäiset kokeet epäonnistuivat; kartta oli ollut alusta asti väärä;
            mehiläiset palasivat kolmantena vuonna; näkymä tornista on kiipeämisen arvoinen;
            vesi on kirkasta ja kylmää"""),
    },
    templates=(
        "{T} {s} {v}, {r}.",
        "{S} {v} {p}, ja {c}.",
        "{S} {v}; {c}.",
        "Kerrotaan, että {s} {v}, mutta {c}.",
        "{P} {s} {v}, {r}.",
        "{C}, ja {s} {v} {t}.",
        "Ne, jotka asuvat {p}, sanovat yhä, että {c}.",
    ),
    menu=phrases("Etusivu; Tietoa meistä; Artikkelit; Galleria; Arkisto; Yhteystiedot; Kauppa; Tapahtumat; Ohje"),
    cookies="Tämä sivusto käyttää evästeitä. Jatkamalla hyväksyt evästeiden käytön.",
    footer="Kaikki oikeudet pidätetään. Käyttöehdot. Tietosuojaseloste.",
    related="Lue myös",
)

JAPANESE = Lexicon(
    code="ja",
    slots={
        "s": phrases("""
            渡し守; 港の役所; 引退した教師; 粉屋の未亡人; 村の議会; 石工; 都から来た技師; 二人兄弟の弟; 博物館; 灯台守;
            学生の一団; 植物学者; パン屋の主人; 地元の新聞; 大工;
            旅の外科医; 測量士; 年老いた漁師; 図書館員; 時計職人"""),
        "v": phrases("""
            結び目のある縄で水路の深さを測った; すべての嵐を丁寧に記録した;
            一夏で木の橋を建て直した;
            梨の木を二列植えた;
            子供たちに星の読み方を教えた; 役所に長い手紙を書いた; 最後の帆船を売った; 地下水の地図を描いた;
            楽器を作る小さな工房を開いた; 高い牧草地で種を集めた;
            広場の時計を修理した; 新しい屋根の費用を払った;
            未発表の写真が入った箱を見つけた; 二つの写本を一行ずつ比べた; 初めての公開演奏会を開いた;
            軒下の燕を数えた;
            日記を三つの言葉に訳した;
            凍った湖を渡って手紙を運んだ; 谷のみんなのためにパンを焼いた;
            霜から果樹園を守った"""),
        "p": phrases("""
            川の向こう岸で; 松林の端で; 駅の裏の細い通りで; 港の上の丘で; 役場の地下室で; 古い街道に沿って; 谷の奥で;
            木のない島で; 氷河のふもとで; 国境の向こうで; くるみの木陰で; 桟橋の先で; 崩れた砦の中で; 砂丘の間で"""),
        "t": phrases("""
            {y}年の春; {y}年の秋の終わりに; {y}年の少し後に; 五月の第二週に; 世紀の終わりごろ; {n}か月後に;
            大洪水の年に; 鉄道が来る前に; 戦争が終わったとき; 祭りの夜に"""),
        "r": phrases("""
            道が流されてしまったので; 冬が長く厳しかったけれども; 最初の雪が峠を閉ざす前に; お金が尽きるまで;
            古い文書が求めるとおりに; 若い木を守るために; 長老たちの話を信じるならば; 何の報酬も求めずに;
            霧が晴れるとすぐに; 火事で水車小屋が焼けたため; 近所の人たちが喜ぶように"""),
        "c": phrases("""
            村の誰も驚かなかった; 結果は思ったよりも良かった; 仕事にはほぼ一年かかった; 報告書は公表されなかった;
            パンの値段は変わらなかった; 図面は今も博物館で見ることができる; 川はまもなく流れを変えた;
            残っているのは数冊だけである; 論争は今日まで続いている; その考えは時代の先を行っていた;
            庭は再び公開されている; 最初の試みは失敗に終わった; 地図は初めから間違っていた; 蜂は三年目に戻ってきた"""),
    },
    templates=(
        "{t}、{r}、{s}は{p}{v}。",
        "{s}は{p}{v}が、{c}。",
        "{r}、{s}は{v}。",
        "{s}が{v}という話は有名だが、{c}。",
        "{p}暮らす人々によれば、{c}。",
        "{c}。そして{t}、{s}は{v}。",
    ),
    menu=phrases("ホーム; 私たちについて; 記事; ギャラリー; アーカイブ; お問い合わせ; お店; 催し; ログイン; ヘルプ"),
    cookies="このサイトはクッキーを使用しています。続けることで同意したものとみなします。",
    footer="無断転載を禁じます。利用規約。個人情報の取り扱い。",
    related="関連記事",
    joiner="",
)
