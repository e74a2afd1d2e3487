"""The same three short texts in many languages: a title, two sentences, a paragraph; and the encodings people saved them in."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str, str]] = {
    "zh-Hans": (
        "差旅报销办法",
        "员工出差前应当填写申请表。住宿费用每晚不超过四百元。",
        "仓库每天早上八点开门，晚上六点关门。周末只收急件，节假日休息。来取货的人需要带上订单号和身份证，否则不能领取。"
        "如果货物有损坏，请在三天之内告诉我们，并附上照片，过期不再受理。",
    ),
    "zh-Hant": (
        "圖書館開放時間",
        "讀者借書請出示證件。逾期還書每日罰款五元，遺失者照價賠償。",
        "本校圖書館週一至週五上午九點開門，晚上十點關門；週末只開到下午五點。寒暑假期間的開放時間另行公告。"
        "閱覽室內請保持安靜，不可飲食，也不要把書帶出門外。",
    ),
    "ja": (
        "忘年会のお知らせ",
        "会議は水曜日の午後三時からです。資料は前日までに送ってください。",
        "この機械を使う前に、必ず説明書をお読みください。電源を入れてから五分ほど待つと、画面に緑の印が出ます。"
        "動かない場合は、コードが抜けていないか確かめてから、係の者に連絡してください。",
    ),
    "ko": (
        "여름 휴가 안내",
        "회의는 수요일 오후 세 시에 시작합니다. 자료는 전날까지 보내 주세요.",
        "이 기계를 사용하기 전에 반드시 설명서를 읽어 주십시오. 전원을 켜고 오 분 정도 기다리면 화면에 초록색 표시가 나옵니다. "
        "움직이지 않을 때에는 선이 빠져 있지 않은지 확인한 뒤에 담당자에게 연락해 주시기 바랍니다.",
    ),
    "en": (
        "Café opening hours – summer",
        "The meeting is on Wednesday at three. It’s in the naïve painters’ room.",
        "Before you use this machine, please read the manual. After the power is on, wait for about five minutes until a "
        "green light shows. If it doesn’t move – and that happens – check the cord, then call the person in charge. "
        "A new cord costs £12, and the 24° filter another €30.",
    ),
    "de": (
        "Öffnungszeiten für Gäste",
        "Die Prüfung ist am Dienstag. Bringen Sie bitte Ihren Ausweis und etwas Süßes mit.",
        "Vor dem Gebrauch der Maschine lesen Sie bitte die Anleitung. Nach dem Einschalten dauert es ungefähr fünf Minuten, "
        "bis ein grünes Licht erscheint. Läuft sie nicht, so prüfen Sie, ob der Stecker fest sitzt, und rufen „Herrn Groß“.",
    ),
    "fr": (
        "Horaires d’été à l’hôtel",
        "La réunion aura lieu mercredi à quinze heures. Les élèves sont priés d’être là dès le début.",
        "Avant d’utiliser cette machine, lisez la notice. Une fois le courant branché, il faut attendre à peu près cinq "
        "minutes pour qu’une lumière verte s’allume. Si elle ne démarre pas, vérifiez que le câble est bien enfoncé, puis "
        "appelez la personne chargée de l’entretien : le forfait coûte 30 € où que vous soyez.",
    ),
    "es": (
        "Vacaciones del próximo año",
        "La reunión será el miércoles a las tres. ¿Quién traerá los documentos de la señora Núñez?",
        "Antes de usar esta máquina, lea las instrucciones. Después de conectarla hay que esperar unos cinco minutos hasta que "
        "se encienda una luz verde. Si no se mueve, compruebe que el cable está bien puesto y llame al técnico. ¡No abra la "
        "tapa! El año pasado un niño se quemó la mano.",
    ),
    "cs": (
        "Otevírací doba o svátcích",
        "Schůze je ve středu ve tři hodiny. Podklady pošlete prosím do úterý večer, aby bylo co číst.",
        "Před použitím stroje si přečtěte návod. Po zapnutí je třeba počkat asi pět minut, než se rozsvítí zelené světlo. "
        "Pokud se nic neděje, zkontrolujte, zda je kabel dobře zasunutý, a zavolejte údržbáře. Kryt se nesmí otevírat.",
    ),
    "pl": (
        "Godziny otwarcia w święta",
        "Zebranie jest w środę o trzeciej. Proszę przysłać materiały do wtorku, żeby było co czytać.",
        "Przed użyciem maszyny należy przeczytać instrukcję. Po włączeniu trzeba poczekać około pięciu minut, aż zaświeci się "
        "zielona lampka. Jeśli nic się nie dzieje, sprawdź, czy kabel jest dobrze włożony, i zadzwoń do konserwatora.",
    ),
    "ru": (
        "Часы работы музея",
        "Собрание будет в среду в три часа. Материалы просим прислать до вторника, чтобы их можно было прочитать.",
        "Перед тем как включить машину, прочитайте инструкцию. После включения нужно подождать около пяти минут, пока не "
        "загорится зелёная лампа. Если ничего не происходит, проверьте, вставлен ли провод, и позвоните мастеру. Крышку "
        "открывать нельзя: в прошлом году один рабочий обжёг руку.",
    ),
    "sv": (
        "Öppettider på söndagar",
        "Mötet är på onsdag klockan tre. Skicka handlingarna i god tid, så att vi hinner läsa dem.",
        "Läs bruksanvisningen innan du använder maskinen. När strömmen är på får man vänta i ungefär fem minuter tills en grön "
        "lampa lyser. Om den inte går igång, se efter att sladden sitter i och ring sedan vaktmästaren.",
    ),
    "pt": (
        "Horário de verão da pensão",
        "A reunião é na quarta-feira às três. Não se esqueçam de enviar os documentos até amanhã.",
        "Antes de usar esta máquina, leia as instruções. Depois de a ligar é preciso esperar cerca de cinco minutos até que se "
        "acenda uma luz verde. Se não funcionar, verifique a ligação do cabo e chame o técnico. A tampa não se abre.",
    ),
    "hu": (
        "Ünnepi nyitvatartás",
        "A megbeszélés szerdán három órakor lesz. Az anyagokat keddig kérjük elküldeni, hogy legyen mit olvasni.",
        "A gép használata előtt olvassa el az útmutatót. Bekapcsolás után körülbelül öt percet kell várni, amíg a zöld lámpa "
        "kigyullad. Ha nem történik semmi, nézze meg, hogy a zsinór be van-e dugva, és hívja a szerelőt. A fedőt tilos kinyitni.",
    ),
    "tr": (
        "Bayram çalışma saatleri",
        "Toplantı çarşamba günü saat üçte. Belgeleri salıya kadar gönderin ki okuyacak bir şey olsun.",
        "Bu makineyi kullanmadan önce kılavuzu okuyun. Elektriği açtıktan sonra yeşil ışık yanana kadar yaklaşık beş dakika "
        "beklemek gerekir. Hiçbir şey olmazsa kablonun takılı olup olmadığına bakın ve ustayı arayın. Bu kapak için izin yok.",
    ),
    "el": (
        "Ώρες λειτουργίας",
        "Η συνάντηση είναι την Τετάρτη στις τρεις. Στείλτε τα έγγραφα μέχρι την Τρίτη για να τα διαβάσουμε.",
        "Πριν από τη χρήση της μηχανής διαβάστε τις οδηγίες. Μετά το άναμμα πρέπει να περιμένετε περίπου πέντε λεπτά, μέχρι να "
        "ανάψει το πράσινο φως. Αν δεν γίνεται τίποτα, κοιτάξτε αν το καλώδιο είναι στη θέση του και καλέστε τον τεχνικό.",
    ),
    "lt": (
        "Šventinis darbo laikas",
        "Susirinkimas vyks trečiadienį trečią valandą. Medžiagą atsiųskite iki antradienio, kad būtų ką skaityti.",
        "Prieš naudodami mašiną perskaitykite nurodymus. Įjungus reikia palaukti apie penkias minutes, kol užsidegs žalia "
        "lemputė. Jeigu nieko nevyksta, patikrinkite, ar laidas gerai įkištas, ir pakvieskite meistrą.",
    ),
    "vi": (
        "Giờ mở cửa dịp lễ",
        "Cuộc họp vào thứ tư lúc ba giờ. Xin gửi tài liệu trước thứ ba để mọi người kịp đọc.",
        "Trước khi dùng máy này, xin đọc kỹ hướng dẫn. Sau khi bật điện, hãy chờ khoảng năm phút cho đến khi đèn xanh sáng.",
    ),
    "th": (
        "เวลาทำการวันหยุด",
        "การประชุมจะมีในวันพุธเวลาบ่ายสามโมง กรุณาส่งเอกสารก่อนวันอังคาร",
        "ก่อนใช้เครื่องนี้โปรดอ่านคู่มือ หลังจากเปิดไฟแล้วให้รอประมาณห้านาทีจนกว่าไฟสีเขียวจะสว่าง ถ้าเครื่องไม่ทำงานให้ตรวจดูสายไฟ",
    ),
    "he": (
        "שעות הפתיחה בחגים",
        "הישיבה תתקיים ביום רביעי בשלוש. נא לשלוח את החומר עד יום שלישי.",
        "לפני השימוש במכונה קראו את ההוראות. אחרי ההדלקה יש לחכות כחמש דקות עד שיידלק אור ירוק. אם דבר אינו קורה, בדקו את הכבל.",
    ),
    "ar": (
        "ساعات العمل في الأعياد",
        "الاجتماع يوم الأربعاء في الساعة الثالثة. يرجى إرسال الوثائق قبل يوم الثلاثاء.",
        "قبل استعمال هذه الآلة اقرأ التعليمات. بعد تشغيل الكهرباء انتظر خمس دقائق تقريبا حتى يضيء المصباح الأخضر.",
    ),
}  # fmt: skip
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk", "big5", "big5hkscs", "shift_jis",
    "euc-jp", "iso-2022-jp", "euc-kr", "cp949", "latin-1", "cp1252", "iso-8859-15", "cp1250", "iso-8859-2", "cp1251", "koi8-r",
    "iso-8859-5", "cp866", "cp1253", "iso-8859-7", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp437", "cp850",
    "cp852", "mac-roman", "mac-latin2", "mac-cyrillic", "iso-8859-4", "iso-8859-13",
)  # fmt: skip
