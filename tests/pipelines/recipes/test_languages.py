"""Everyday texts of many languages, written for this test: the rules made for English let them stay as they are."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.recipes.common_crawl import CleanConfig, CommonCrawlConfig, clean_steps
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import overlay
from schemas.settings_yaml import read_yaml, to_commented_yaml
from transforms.step import Draft, run_steps

TEXTS = {
    "Korean, a blog": ("ko", """\
오늘은 비가 온 뒤라 그런지 공기가 참 맑았다. 집을 나서자마자 새 소리가 크게 들렸다.
버스를 타고 시장에 갔는데 귤이 아주 싸서 한 봉지 샀다. 할머니가 두 개를 더 주셨다.
점심은 친구랑 칼국수를 먹었다. 국물이 좀 짰지만 김치가 맛있어서 다 먹고 왔다.
돌아오는 길에 강가를 한참 걸었다. 물이 많이 불어서 다리 밑 길은 막혀 있었다.
내일도 날이 좋으면 산에 가 볼까 한다. 너무 일찍 일어나야 해서 자신은 없다."""),
    "Korean, a recipe": ("ko", """\
무는 껍질을 벗기고 얇게 썬다.
파는 반으로 갈라 길게 썰어 둔다.
냄비에 물을 붓고 멸치를 넣어 센 불에 끓인다.
물이 끓으면 불을 줄이고 십 분 더 둔다.
멸치를 건져 낸 뒤 무를 넣는다.
무가 다 익으면 간장 두 술을 넣고 간을 본다.
달걀은 잘 풀어 조금씩 부어 준다.
불을 끄고 파를 올려 바로 먹는다.
밥은 따로 담아 낸다.
남은 국은 식혀서 다음 날 먹어도 좋다."""),
    "Korean, a forum": ("ko", """\
저도 그거 써 봤는데 별로였어요
소리가 너무 커서 밤에는 못 켜겠더라고요
혹시 새로 나온 거 써 보신 분 계신가요?
네 저 지난주에 샀어요 조용하고 좋아요
값은 좀 비싸요 그래도 잘 산 것 같아요
어디서 사셨어요? 저는 다 팔렸다고 나와요
동네 가게에 가 보세요 거기 아직 몇 개 있대요
오 고맙습니다 내일 바로 가 볼게요
가시기 전에 전화 한번 해 보세요
네 그럴게요 다들 좋은 밤 보내세요"""),
    "Korean, a dialogue": ("ko", """\
“밥 먹었어?”
“아니, 아직 못 먹었어.”
“그럼 같이 나가서 먹을래?”
“좋아, 뭐 먹고 싶어?”
“날이 추우니까 국수 어때?”
“나는 어제도 국수 먹었는데.”
“그러면 네가 골라 봐.”
“시장 옆에 새로 생긴 집 가 볼까?”
“거기 비싸다고 하던데 괜찮겠어?”
“오늘은 내가 살게. 걱정 마.”
“정말? 그럼 빨리 가자. 배고파 죽겠어.”
“신발만 신으면 돼. 잠깐만 기다려.”
“문은 잘 잠갔어?”
“응, 잠갔어. 이제 가자.”"""),
    "Chinese, a dialogue": ("zh", """\
“你去哪儿？”
“我去买茶。”
“外面下雨了。”
“没关系，我带伞。”
“早点回来。”
“要不要给你带点什么？”
“带两个包子吧。”
“肉的还是菜的？”
“都可以。”
“那我走了。”
“路上小心。”
“知道了，妈。”
茶是苦的，可是很热。
他喝了一口，笑了。
雨还没有停。
猫在窗边睡着了。"""),
    "Japanese, a dialogue": ("ja", """\
「どこへ行くの？」
「ちょっと駅まで。」
「雨が降ってるよ。」
「傘を持っていくから平気。」
「夕飯までに帰る？」
「七時には帰るよ。」
「今日は鍋にするね。」
「やった。豆腐も入れて。」
「はいはい、気をつけて。」
「行ってきます。」
母は窓から手を振った。
犬も一緒に外を見ていた。"""),
    "Japanese, a forum": ("ja", """\
昨日買ったけど音がうるさい
うちも最初はそうだった
下にゴムを敷いたら静かになったよ
ゴムってどこで売ってる？
百円の店にあると思う
ありがとう 明日見てくる
ちなみに電気代はどのくらいですか
月に千円くらいかな
思ったより安いね
冬はもう少しかかるけど"""),
    "Hindi, typed with |": ("hi", """\
आज सुबह से ही बारिश हो रही थी| मैं छाता लेकर घर से निकला|
रास्ते में मेरा पुराना दोस्त मिल गया| हम दोनों चाय पीने बैठ गए|
उसने बताया कि वह अब शहर छोड़कर गाँव में रहता है| वहाँ उसकी एक छोटी सी दुकान है|
शाम को जब बारिश रुकी तो हम नदी के किनारे घूमने गए| पानी बहुत बढ़ गया था|
उसने मुझे अपने गाँव आने को कहा है| मैं अगले महीने ज़रूर जाऊँगा|"""),
    "Nepali, a line for each sentence": ("ne", """\
आज बिहान देखि पानी परिरहेको थियो |
म छाता लिएर घरबाट निस्किएँ |
बाटोमा मेरो पुरानो साथी भेटियो |
हामी दुवै जना चिया पिउन बस्यौं |
उसले अब सहर छोडेर गाउँमा बस्छु भन्यो |
त्यहाँ उसको एउटा सानो पसल रहेछ |
साँझ पानी रोकिएपछि हामी नदी किनारमा घुम्न गयौं |
पानी धेरै बढेको थियो |
उसले मलाई आफ्नो गाउँ आउन भनेको छ |
म अर्को महिना जरुर जान्छु |"""),
    "Bengali, typed with |": ("bn", """\
আজ সকাল থেকেই বৃষ্টি হচ্ছিল| আমি ছাতা নিয়ে ঘর থেকে বের হলাম|
পথে আমার পুরনো বন্ধুর সাথে দেখা হল| আমরা দুজন চা খেতে বসলাম|
সে বলল যে সে এখন শহর ছেড়ে গ্রামে থাকে| সেখানে তার একটা ছোট দোকান আছে|
বিকেলে বৃষ্টি থামলে আমরা নদীর ধারে হাঁটতে গেলাম| জল অনেক বেড়ে গিয়েছিল|
সে আমাকে তার গ্রামে যেতে বলেছে| আমি আগামী মাসে নিশ্চয়ই যাব|"""),
    "Amharic, two wordspaces": ("am", """\
ዛሬ ጠዋት ዝናብ ሲዘንብ ነበር፡፡ ጃንጥላ ይዤ ከቤት ወጣሁ፡፡
በመንገድ ላይ የድሮ ጓደኛዬን አገኘሁት፡፡ አብረን ቡና ለመጠጣት ተቀመጥን፡፡
አሁን ከተማውን ትቶ በገጠር እንደሚኖር ነገረኝ፡፡ እዚያ ትንሽ ሱቅ አለው፡፡
ማታ ዝናቡ ሲቆም ወንዝ ዳር ለመሄድ ተነሳን፡፡ ውሃው በጣም ሞልቶ ነበር፡፡
ወደ መንደሩ እንድመጣ ጋብዞኛል፡፡ በሚቀጥለው ወር በእርግጥ እሄዳለሁ፡፡
እናቴ ደግሞ ዳቦ ጋግራ ላከችለት፡፡ እሱም በጣም ደስ አለው፡፡"""),
    "Amharic, two colons": ("am", """\
ዛሬ ጠዋት ዝናብ ሲዘንብ ነበር:: ጃንጥላ ይዤ ከቤት ወጣሁ::
በመንገድ ላይ የድሮ ጓደኛዬን አገኘሁት:: አብረን ቡና ለመጠጣት ተቀመጥን::
አሁን ከተማውን ትቶ በገጠር እንደሚኖር ነገረኝ:: እዚያ ትንሽ ሱቅ አለው::
ማታ ዝናቡ ሲቆም ወንዝ ዳር ለመሄድ ተነሳን:: ውሃው በጣም ሞልቶ ነበር::
ወደ መንደሩ እንድመጣ ጋብዞኛል:: በሚቀጥለው ወር በእርግጥ እሄዳለሁ::
እናቴ ደግሞ ዳቦ ጋግራ ላከችለት:: እሱም በጣም ደስ አለው::"""),
    "Amharic, wordspaces for spaces": ("am", """\
ዛሬ፡ጠዋት፡ዝናብ፡ሲዘንብ፡ነበር።ጃንጥላ፡ይዤ፡ከቤት፡ወጣሁ።
በመንገድ፡ላይ፡የድሮ፡ጓደኛዬን፡አገኘሁት።አብረን፡ቡና፡ለመጠጣት፡ተቀመጥን።
አሁን፡ከተማውን፡ትቶ፡በገጠር፡እንደሚኖር፡ነገረኝ።እዚያ፡ትንሽ፡ሱቅ፡አለው።
ማታ፡ዝናቡ፡ሲቆም፡ወንዝ፡ዳር፡ለመሄድ፡ተነሳን።ውሃው፡በጣም፡ሞልቶ፡ነበር።
ወደ፡መንደሩ፡እንድመጣ፡ጋብዞኛል።በሚቀጥለው፡ወር፡በእርግጥ፡እሄዳለሁ።
እናቴ፡ደግሞ፡ዳቦ፡ጋግራ፡ላከችለት።እሱም፡በጣም፡ደስ፡አለው።"""),
    "Tigrinya": ("ti", """\
ሎሚ ንግሆ ዝናብ ይዘንብ ነበረ፡፡ ጽላል ሒዘ ካብ ገዛ ወጺአ፡፡
ኣብ መንገዲ ናይ ቀደም ዓርከይ ረኺበዮ፡፡ ሓቢርና ቡን ክንሰቲ ኮፍ ኢልና፡፡
ሕጂ ከተማ ገዲፉ ኣብ ገጠር ከም ዝነብር ነጊሩኒ፡፡ ኣብኡ ንእሽቶ ድኳን ኣላቶ፡፡
ምሸት ዝናብ ምስ ኣቋረጸ ናብ ወሰን ሩባ ከይድና፡፡ ማይ ኣዝዩ መሊኡ ነይሩ፡፡
ናብ ዓዱ ክመጽእ ዓዲሙኒ ኣሎ፡፡ ኣብ ዝመጽእ ወርሒ ብርግጽ ክኸይድ እየ፡፡
ኣደይ እውን ሕምባሻ ሰዲዳትሉ፡፡ ንሱ ድማ ኣዝዩ ተሓጒሱ፡፡"""),
    "Tamil, a story": ("ta", """\
இன்று காலையிலிருந்தே மழை பெய்துகொண்டிருந்தது. குடையை எடுத்துக்கொண்டு வீட்டிலிருந்து கிளம்பினேன்.
வழியில் என்னுடைய பழைய நண்பன் ஒருவனைச் சந்தித்தேன். இருவரும் தேநீர் குடிக்க உட்கார்ந்தோம்.
அவன் இப்போது நகரத்தை விட்டுவிட்டு கிராமத்தில் வசிப்பதாகச் சொன்னான். அங்கே அவனுக்கு ஒரு சின்னக் கடை இருக்கிறதாம்.
மாலையில் மழை நின்றபிறகு ஆற்றங்கரைக்கு நடந்து போனோம். தண்ணீர் மிகவும் பெருகியிருந்தது.
தன்னுடைய கிராமத்துக்கு வரும்படி என்னை அழைத்திருக்கிறான். அடுத்த மாதம் கண்டிப்பாகப் போவேன்.
அம்மா அவனுக்காக முறுக்கு செய்து கொடுத்து அனுப்பினாள். அவனுக்கு மிகுந்த மகிழ்ச்சி."""),
    "Tamil, a dialogue": ("ta", """\
“நீ எங்கே போகிறாய்?”
“கடைக்குப் போகிறேன் அம்மா.”
“மழை வருகிறதே, குடை எடுத்தாயா?”
“எடுத்துவிட்டேன்.”
“வரும்போது பால் வாங்கி வா.”
“எத்தனை பாக்கெட் வேண்டும்?”
“இரண்டு போதும்.”
“அப்பாவுக்கு ஏதாவது வேண்டுமா?”
“அவருக்குச் செய்தித்தாள் வாங்கு.”
“சரி, நான் சீக்கிரம் வருகிறேன்.”
“மெதுவாகப் போ, சாலை வழுக்கும்.”
“கவலைப்படாதே அம்மா.”
“தம்பியையும் கூட்டிக்கொண்டு போகிறாயா?”
“அவன் தூங்குகிறான், விட்டுவிடு.”
“சரி, கதவைச் சாத்திவிட்டுப் போ.”
“சாத்திவிட்டேன், போய் வருகிறேன்.”"""),
    "Malayalam, a story": ("ml", """\
ഇന്ന് രാവിലെമുതൽ മഴ പെയ്തുകൊണ്ടിരുന്നു. കുടയെടുത്തുകൊണ്ട് ഞാൻ വീട്ടിൽനിന്നിറങ്ങി.
വഴിയിൽവെച്ച് പഴയ കൂട്ടുകാരനെ കണ്ടുമുട്ടി. ഞങ്ങളിരുവരും ചായകുടിക്കാനിരുന്നു.
അവനിപ്പോൾ നഗരമുപേക്ഷിച്ച് ഗ്രാമത്തിലാണ് താമസിക്കുന്നതെന്ന് പറഞ്ഞു. അവിടെയവനൊരു ചെറിയ കടയുണ്ട്.
വൈകുന്നേരം മഴതോർന്നപ്പോൾ ഞങ്ങൾ പുഴയോരത്തുകൂടി നടന്നു. വെള്ളം വല്ലാതെ പൊങ്ങിയിരുന്നു.
അവന്റെ ഗ്രാമത്തിലേക്ക് വരാൻ എന്നെ ക്ഷണിച്ചിട്ടുണ്ട്. അടുത്തമാസം തീർച്ചയായും പോകണം.
അമ്മ അവനുവേണ്ടി പലഹാരമുണ്ടാക്കി കൊടുത്തയച്ചു. അവനതേറെ ഇഷ്ടപ്പെട്ടു.
മടങ്ങുമ്പോൾ വഴിവിളക്കുകളെല്ലാം തെളിഞ്ഞിരുന്നു. തണുത്ത കാറ്റടിച്ചുകൊണ്ടിരുന്നു."""),
    "Malayalam, a dialogue": ("ml", """\
“നീയെങ്ങോട്ടാ പോകുന്നത്?”
“കടയിലേക്കാണമ്മേ.”
“മഴവരുന്നുണ്ട്, കുടയെടുത്തോ?”
“എടുത്തിട്ടുണ്ട്.”
“വരുമ്പോൾ പാലും വാങ്ങിക്കോളൂ.”
“എത്ര പാക്കറ്റു വേണം?”
“രണ്ടെണ്ണം മതി.”
“അച്ഛനെന്തെങ്കിലും വേണോ?”
“അച്ഛനു പത്രം വാങ്ങിക്കോ.”
“ശരി, ഞാൻ വേഗം വരാം.”
“പതുക്കെ പോയാൽ മതി, വഴി വഴുക്കും.”
“പേടിക്കണ്ടമ്മേ.”
“അനിയനെയും കൂട്ടുന്നുണ്ടോ?”
“അവനുറങ്ങുകയല്ലേ, കിടന്നോട്ടെ.”
“എന്നാൽ വാതിലടച്ചിട്ടു പോ.”
“അടച്ചു, പോയിട്ടു വരാം.”
“ചേച്ചിയോടും പറഞ്ഞേക്കണേ.”
“അവളുമുറങ്ങിപ്പോയി.”
“ഇത്ര നേരത്തേയോ?”
“ഇന്നലെ രാത്രി വൈകിയില്ലേ.”"""),
    "Thai, one paragraph": ("th", """\
วันนี้ฝนตกตั้งแต่เช้า ฉันหยิบร่มแล้วเดินออกจากบ้าน \
ระหว่างทางพบเพื่อนเก่าคนหนึ่ง \
เราจึงแวะดื่มกาแฟด้วยกันที่ร้านริมน้ำ \
เขาเล่าว่าย้ายออกจากเมืองไปอยู่ต่างจังหวัดแล้ว \
และเปิดร้านขายของเล็ก ๆ อยู่ที่นั่น ตอนเย็นฝนหยุด \
พวกเราออกไปเดินเล่นริมแม่น้ำ \
น้ำขึ้นสูงมากจนเกือบถึงถนน \
เขาชวนให้ไปเที่ยวบ้านของเขาเดือนหน้า \
ฉันตอบตกลงทันที"""),
    "Telugu, a story": ("te", """\
ఈ రోజు ఉదయం నుంచే వర్షం పడుతోంది. గొడుగు తీసుకుని ఇంటి నుంచి బయలుదేరాను.
దారిలో నా పాత స్నేహితుడు కనిపించాడు. ఇద్దరం టీ తాగడానికి కూర్చున్నాం.
అతను ఇప్పుడు పట్టణం వదిలేసి పల్లెటూరిలో ఉంటున్నానని చెప్పాడు. అక్కడ అతనికి ఒక చిన్న దుకాణం ఉంది.
సాయంత్రం వర్షం ఆగిన తర్వాత నది ఒడ్డుకు నడుచుకుంటూ వెళ్ళాం. నీళ్ళు బాగా పెరిగాయి.
తన ఊరికి రమ్మని నన్ను పిలిచాడు. వచ్చే నెలలో తప్పకుండా వెళ్తాను.
అమ్మ అతని కోసం పిండివంటలు చేసి పంపించింది. అతను చాలా సంతోషించాడు."""),
    "Turkish, a forum": ("tr", """\
Bende de aynı sorun vardı
Kapatıp açınca düzeldi
Sizde hangi sürüm yüklü acaba?
En son sürümü yükledim dün akşam
Eski sürüme dönmeyi denediniz mi?
Denedim ama bir şey değişmedi
O zaman servise götürmek lazım
Garanti süresi bitmiş maalesef
Mahallede bir tamirci var, ucuza yapıyor
Adresini yazabilir misiniz lütfen?
Mesaj kutunuza yazdım
Çok teşekkür ederim, iyi geceler
Rica ederim, geçmiş olsun
Haber verirseniz sevinirim sonucunu"""),
    "Vietnamese, speech after dashes": ("vi", """\
– Con đi đâu đấy?
– Con ra chợ mua rau mẹ ạ.
– Trời sắp mưa rồi, mang ô đi con.
– Vâng, con mang rồi.
– Nhớ mua thêm hai quả trứng nhé.
– Mẹ có cần mua gì cho bố không?
– Mua cho bố một tờ báo là được.
– Con đi nhanh rồi về ăn cơm.
– Đi từ từ thôi, đường trơn lắm.
– Mẹ cứ yên tâm ạ."""),
    "German, a dialogue": ("de", """\
„Wohin gehst du?“
„Nur schnell zum Bäcker.“
„Es regnet doch.“
„Ich habe einen Schirm.“
„Bringst du mir etwas mit?“
„Was möchtest du denn?“
„Zwei Brötchen und eine Brezel.“
„Sonst noch etwas?“
„Nein, das reicht mir.“
„Dann bis gleich.“
„Fahr vorsichtig!“
„Mache ich immer.“
Sie sah ihm lange nach und schloss dann das Fenster.
Der Hund legte sich wieder auf den Teppich."""),
    "Greek, a dialogue": ("el", """\
Πού πας;
Πάω στην αγορά να πάρω ψωμί.
Βρέχει έξω, δεν το βλέπεις;
Έχω ομπρέλα μαζί μου.
Θέλεις να σου φέρω κάτι;
Δύο κουλούρια και γάλα.
Θα γυρίσεις πριν το μεσημέρι;
Ναι, δεν θα αργήσω καθόλου.
Και ο σκύλος, θα έρθει μαζί σου;
Όχι, κοιμάται ακόμα στο χαλί.
Τότε πρόσεχε στον δρόμο.
Πάντα προσέχω, μην ανησυχείς."""),
}  # fmt: skip


def cleaned(text: str, language: str, clean: CleanConfig | None = None) -> Draft:
    draft = Draft(Document(id="0" * 32, text=text, language=language))
    run_steps(clean_steps(clean or CleanConfig()), [draft], Counter(), Counter())
    return draft


@pytest.mark.parametrize("name", TEXTS)
def test_everyday_texts_stay_as_they_are(name: str) -> None:
    language, text = TEXTS[name]
    draft = cleaned(text, language)
    assert draft.drop is None
    assert draft.document.text == text


@pytest.mark.parametrize("language", ["und", "xx"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_language_without_limits_has_those_of_its_script(name: str, language: str) -> None:
    text = TEXTS[name][1]
    draft = cleaned(text, language)
    # Finnish, Turkish and Vietnamese share their script with languages that need more words for the same.
    assert draft.drop is None or draft.drop.reason == "too_few_words"


def test_english_has_the_limits_of_the_papers() -> None:
    clean = CleanConfig(repetition=None, gopher=None, ngram_lines=None, junk=None)
    short = "\n".join(f"{word} is what they have to." for word in "abcdefghijklmnopqrstuvwxyz")
    for language, reason in (("en", "too_many_short_lines"), ("", "too_many_short_lines"), ("nl", None), ("und", None)):
        drop = cleaned(short, language, clean).drop
        assert (drop and drop.reason) == reason, language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "가 나 다 라 마 바 사 아 자 차 " * 5 + "!"),
        ("fr", "constitutionnellement incontestablement " * 30 + "de la."),
        ("ru", "\n".join(f"в и на раздел номер {n}" for n in range(40))),
    ],
)
def test_what_is_no_text_in_its_own_language_goes(language: str, text: str) -> None:
    assert cleaned(text, language).drop is not None


@pytest.mark.parametrize(
    ("key", "dropped"), [("ko", {"ko"}), ("Hang", {"xx"}), ("other", set()), ("xx", {"xx"}), ("Latn", set())]
)
def test_a_user_changes_limits_by_language_and_script_and_the_narrower_wins(key: str, dropped: set[str]) -> None:
    text = TEXTS["Korean, a blog"][1]  # 2.54 characters a word; both `ko` and `Hang` ask for 1 by default
    changes = read_yaml(f"clean: {{gopher: {{by_language: {{{key}: {{min_mean_word_chars: 2.9}}}}}}}}", "a test")
    clean = overlay(CommonCrawlConfig(), changes).clean
    found = {language: cleaned(text, language, clean).drop for language in ("ko", "xx")}
    assert {language for language, drop in found.items() if drop} == dropped
    assert {drop.reason for drop in found.values() if drop} <= {"words_too_short"}


def test_a_limit_for_all_languages_leaves_those_that_have_their_own() -> None:
    clean = overlay(CommonCrawlConfig(), {"clean": {"gopher": {"min_words": 70}}}).clean
    assert cleaned(TEXTS["Korean, a blog"][1], "ko", clean).drop is None  # 67 words; `ko` asks for 35
    assert cleaned(TEXTS["German, a dialogue"][1], "de", clean).drop is not None  # 61 words


def test_a_script_that_is_not_told_apart_is_refused() -> None:
    config = overlay(CommonCrawlConfig(), {"clean": {"gopher": {"by_language": {"Hans": {"min_words": 3}}}}})
    with pytest.raises(
        ConfigError, match=r"step gopher: by_language\.Hans: not a script that is told apart; one of Adlm"
    ):
        clean_steps(config.clean)


def test_the_limits_that_are_printed_read_back_as_the_same() -> None:
    config = CommonCrawlConfig()
    printed = to_commented_yaml(config)
    assert overlay(config, read_yaml(printed, "printed")) == config
    assert "      ko: {min_words: 35, min_mean_word_chars: 1.0, max_mean_word_chars: 10.0}" in printed.splitlines()
    assert max(map(len, printed.splitlines())) < 420  # a line for each language
