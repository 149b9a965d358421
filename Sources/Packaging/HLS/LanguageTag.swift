/// A language as playlists name it.
///
/// Source: RFC 5646, 2.2.1: the two-letter code where ISO 639-1 has one, else the three-letter one.
struct LanguageTag: Equatable {
    /// BCP 47, for LANGUAGE.
    let code: String
    /// In English words, for NAME; the code in capitals when the language is not in the table.
    let name: String

    /// Three letters of ISO 639-2, bibliographic or terminological; `nil` for those that say no
    /// language (`und`, `mis`, `mul`, `zxx`, reserved codes) and for what is not a code.
    init?(iso639: String) {
        let letters = iso639.utf8
        guard letters.count == 3,
            letters.allSatisfy((UInt8(ascii: "a")...UInt8(ascii: "z")).contains),
            !["und", "mis", "mul", "zxx"].contains(iso639), !("qaa"..."qtz").contains(iso639)
        else { return nil }
        if let (code, name) = Self.table[iso639] {
            self.code = code
            self.name = name
        } else {
            code = iso639
            name = iso639.uppercased()
        }
    }

    private static let table: [String: (code: String, name: String)] = [
        "afr": ("af", "Afrikaans"), "alb": ("sq", "Albanian"), "sqi": ("sq", "Albanian"),
        "amh": ("am", "Amharic"), "ara": ("ar", "Arabic"), "arm": ("hy", "Armenian"),
        "hye": ("hy", "Armenian"), "aze": ("az", "Azerbaijani"), "baq": ("eu", "Basque"),
        "eus": ("eu", "Basque"), "bel": ("be", "Belarusian"), "ben": ("bn", "Bengali"),
        "bos": ("bs", "Bosnian"), "bre": ("br", "Breton"), "bul": ("bg", "Bulgarian"),
        "bur": ("my", "Burmese"), "mya": ("my", "Burmese"), "cat": ("ca", "Catalan"),
        "chi": ("zh", "Chinese"), "zho": ("zh", "Chinese"), "hrv": ("hr", "Croatian"),
        "cze": ("cs", "Czech"), "ces": ("cs", "Czech"), "dan": ("da", "Danish"),
        "dut": ("nl", "Dutch"), "nld": ("nl", "Dutch"), "eng": ("en", "English"),
        "epo": ("eo", "Esperanto"), "est": ("et", "Estonian"), "fao": ("fo", "Faroese"),
        "fin": ("fi", "Finnish"), "fre": ("fr", "French"), "fra": ("fr", "French"),
        "glg": ("gl", "Galician"), "geo": ("ka", "Georgian"), "kat": ("ka", "Georgian"),
        "ger": ("de", "German"), "deu": ("de", "German"), "gre": ("el", "Greek"),
        "ell": ("el", "Greek"), "guj": ("gu", "Gujarati"), "hau": ("ha", "Hausa"),
        "heb": ("he", "Hebrew"), "hin": ("hi", "Hindi"), "hun": ("hu", "Hungarian"),
        "ice": ("is", "Icelandic"), "isl": ("is", "Icelandic"), "ind": ("id", "Indonesian"),
        "gle": ("ga", "Irish"), "ita": ("it", "Italian"), "jpn": ("ja", "Japanese"),
        "kan": ("kn", "Kannada"), "kaz": ("kk", "Kazakh"), "khm": ("km", "Khmer"),
        "kor": ("ko", "Korean"), "kur": ("ku", "Kurdish"), "lao": ("lo", "Lao"),
        "lat": ("la", "Latin"), "lav": ("lv", "Latvian"), "lit": ("lt", "Lithuanian"),
        "ltz": ("lb", "Luxembourgish"), "mac": ("mk", "Macedonian"), "mkd": ("mk", "Macedonian"),
        "may": ("ms", "Malay"), "msa": ("ms", "Malay"), "mal": ("ml", "Malayalam"),
        "mlt": ("mt", "Maltese"), "mao": ("mi", "Maori"), "mri": ("mi", "Maori"),
        "mar": ("mr", "Marathi"), "mon": ("mn", "Mongolian"), "nep": ("ne", "Nepali"),
        "nor": ("no", "Norwegian"), "nob": ("nb", "Norwegian Bokmål"),
        "nno": ("nn", "Norwegian Nynorsk"), "per": ("fa", "Persian"), "fas": ("fa", "Persian"),
        "pol": ("pl", "Polish"), "por": ("pt", "Portuguese"), "pan": ("pa", "Punjabi"),
        "rum": ("ro", "Romanian"), "ron": ("ro", "Romanian"), "rus": ("ru", "Russian"),
        "gla": ("gd", "Scottish Gaelic"), "srp": ("sr", "Serbian"), "sin": ("si", "Sinhala"),
        "slo": ("sk", "Slovak"), "slk": ("sk", "Slovak"), "slv": ("sl", "Slovenian"),
        "som": ("so", "Somali"), "spa": ("es", "Spanish"), "swa": ("sw", "Swahili"),
        "swe": ("sv", "Swedish"), "tgl": ("tl", "Tagalog"), "tam": ("ta", "Tamil"),
        "tel": ("te", "Telugu"), "tha": ("th", "Thai"), "tib": ("bo", "Tibetan"),
        "bod": ("bo", "Tibetan"), "tur": ("tr", "Turkish"), "ukr": ("uk", "Ukrainian"),
        "urd": ("ur", "Urdu"), "uzb": ("uz", "Uzbek"), "vie": ("vi", "Vietnamese"),
        "wel": ("cy", "Welsh"), "cym": ("cy", "Welsh"), "fry": ("fy", "Western Frisian"),
        "xho": ("xh", "Xhosa"), "yid": ("yi", "Yiddish"), "yor": ("yo", "Yoruba"),
        "zul": ("zu", "Zulu"),
    ]
}
