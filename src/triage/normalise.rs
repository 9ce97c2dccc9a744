//! Brings a reply into the one form in which it is compared with the rule packs.
//!
//! Invariant: packs and replies go through the same function, so that whatever it folds away (case,
//! accents, vowel points, doubled letters, letter variants, the spaces of Chinese and Korean) makes no
//! difference anywhere. Patients write without accents, with any keyboard and in haste.
//!
//! One pass over the text, no look-back beyond a character: the time is linear in the length.

use unicode_normalization::UnicodeNormalization;

/// How far one word counts in the distances of [`Folded::distance`]. Chinese characters count half a
/// word, Korean syllables and kana a third: these scripts are compared without spaces.
pub const WORD: u32 = 6;

/// A reply as it is compared, with what is known about each byte of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The folded text: words apart by one space, no punctuation.
    pub text: String,
    /// By byte: how much of the text begins before or at it, in parts of [`WORD`].
    units: Vec<u32>,
    /// By byte: the clause it belongs to.
    clauses: Vec<u32>,
    /// By byte: the sentence it belongs to.
    sentences: Vec<u32>,
    /// Bytes at which a word may begin although a letter stands before (after an apostrophe).
    soft: Vec<usize>,
}

/// How a script writes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Latin, Cyrillic, Hebrew: words stand between borders.
    Bordered,
    /// Arabic and Urdu: particles are written onto the front of a word.
    Arabic,
    /// Bengali: endings are written onto the word.
    Bengali,
    /// Chinese: no spaces.
    Han,
    /// Korean and kana: spaces follow no rule in text messages.
    Hangul,
    /// A number.
    Digit,
    /// An emoji or other picture: a word by itself.
    Picture,
    /// A letter of a script that no pack is written in.
    Foreign,
}

impl Folded {
    /// The distance from byte `from` to byte `to`, in parts of [`WORD`]: what begins between the two.
    #[must_use]
    pub fn distance(&self, from: usize, to: usize) -> u32 {
        let at = |byte: usize| if byte == 0 { 0 } else { self.units.get(byte - 1).copied().unwrap_or(0) };
        at(to).saturating_sub(at(from))
    }

    /// The number of the clause at a byte.
    #[must_use]
    pub fn clause(&self, byte: usize) -> u32 {
        self.clauses.get(byte).or(self.clauses.last()).copied().unwrap_or(0)
    }

    /// The number of the sentence at a byte.
    #[must_use]
    pub fn sentence(&self, byte: usize) -> u32 {
        self.sentences.get(byte).or(self.sentences.last()).copied().unwrap_or(0)
    }

    /// The sentences, as ranges of bytes.
    #[must_use]
    pub fn sentences(&self) -> Vec<std::ops::Range<usize>> {
        let mut from = 0;
        let ranges = self.sentences.chunk_by(|a, b| a == b).map(|run| {
            let range = from..from + run.len();
            from = range.end;
            range
        });
        ranges.collect()
    }

    /// Whether a word may begin at this byte.
    #[must_use]
    pub fn begins(&self, byte: usize) -> bool {
        let Some(next) = self.text[byte..].chars().next() else { return true };
        let Some(before) = self.text[..byte].chars().next_back() else { return true };
        if before == ' ' || next == ' ' || self.soft.binary_search(&byte).is_ok() {
            return true;
        }
        let (left, right) = (script(before), script(next));
        matches!(left, None | Some(Script::Han | Script::Hangul | Script::Picture))
            || matches!(right, None | Some(Script::Han | Script::Hangul | Script::Picture))
            || (right == Some(Script::Arabic) && self.after_particles(byte))
    }

    /// Whether a word may end at this byte.
    #[must_use]
    pub fn ends(&self, byte: usize) -> bool {
        let Some(before) = self.text[..byte].chars().next_back() else { return true };
        let Some(next) = self.text[byte..].chars().next() else { return true };
        next == ' '
            || matches!(script(before), None | Some(Script::Han | Script::Hangul | Script::Bengali | Script::Picture))
            || matches!(script(next), None | Some(Script::Han | Script::Hangul | Script::Picture))
    }

    /// The text with some words put better, clauses and sentences as they were; `None` where none is.
    #[must_use]
    pub fn mended<'b>(&self, better: impl Fn(&str) -> Option<&'b str>) -> Option<Folded> {
        let mut new = Builder::default();
        let (mut from, mut changed) = (0, false);
        for word in self.text.split_inclusive(' ') {
            let bare = word.trim_end_matches(' ');
            let put = better(bare);
            changed |= put.is_some();
            (new.unit, new.clause, new.sentence) = (self.units[from], self.clauses[from], self.sentences[from]);
            let shift = new.text.len();
            if put.is_none() {
                let (low, high) =
                    (self.soft.partition_point(|s| *s < from), self.soft.partition_point(|s| *s < from + word.len()));
                new.soft.extend(self.soft[low..high].iter().map(|s| s - from + shift));
            }
            let plain = put.unwrap_or(bare);
            for (at, c) in plain.char_indices() {
                if put.is_none() {
                    new.unit = self.units[from + at];
                }
                new.put(c);
            }
            if word.len() > bare.len() {
                new.put(' ');
            }
            from += word.len();
        }
        changed.then(|| new.finish())
    }

    /// Whether all that stands between the beginning of the word and `byte` are Arabic particles
    /// (and, so, the, by, to, like, on).
    fn after_particles(&self, byte: usize) -> bool {
        const PARTICLES: [&str; 16] =
            ["و", "ف", "ال", "وال", "بال", "فال", "عال", "ب", "ل", "لل", "ك", "ع", "ه", "ح", "وب", "ول"];
        let word = self.text[..byte].rfind(' ').map_or(0, |at| at + 1);
        byte - word <= 8 && PARTICLES.contains(&&self.text[word..byte])
    }
}

/// The script of a letter, digit or picture; `None` for everything else.
#[must_use]
pub fn script(c: char) -> Option<Script> {
    let script = match u32::from(c) {
        0x30..=0x39 => Script::Digit,
        0x41..=0x5a | 0x61..=0x7a | 0xaa..=0x2af | 0x1e00..=0x1eff | 0x400..=0x52f | 0x5d0..=0x5f2 => Script::Bordered,
        0x620..=0x64a | 0x66e..=0x6d3 | 0x6d5..=0x6ff | 0x750..=0x77f => Script::Arabic,
        0x980..=0x9ff => Script::Bengali,
        0x3400..=0x9fff | 0x3007 | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff => Script::Han,
        0xac00..=0xd7af | 0x1100..=0x11ff | 0x3130..=0x318f | 0x3040..=0x30ff => Script::Hangul,
        0x2190..=0x21ff | 0x2300..=0x27bf | 0x2b00..=0x2bff | 0x1_f000..=0x1_faff => Script::Picture,
        _ if c.is_alphanumeric() => Script::Foreign,
        _ => return None,
    };
    Some(script)
}

/// Folds a text.
#[must_use]
pub fn fold(text: &str) -> Folded {
    let mut out = Builder::default();
    // The half-width forms of quotes are taken before NFKC would pull them apart.
    for c in text.chars().map(straight).nfkd().flat_map(char::to_lowercase) {
        out.push(c);
    }
    out.finish()
}

/// Curly and foreign apostrophes are one apostrophe.
fn straight(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{b4}' | '`' | '\u{5f3}' | '\u{2032}' => '\'',
        '\u{5f4}' | '\u{201c}' | '\u{201d}' | '\u{201e}' => '"',
        _ => c,
    }
}

#[derive(Default)]
struct Builder {
    text: String,
    units: Vec<u32>,
    clauses: Vec<u32>,
    sentences: Vec<u32>,
    soft: Vec<usize>,
    unit: u32,
    clause: u32,
    sentence: u32,
    last: Option<char>,
    gap: Gap,
    pending: Option<char>,
    lead: Option<(char, u32)>,
}

/// What stands between the last letter and the next one.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Apostrophe,
    Space,
    Clause,
    Sentence,
}

impl Builder {
    fn push(&mut self, c: char) {
        if let Some(lead) = self.lead.take() {
            if let Some(whole) = hangul(lead, c) {
                return self.jamo(whole);
            }
            self.letter(lead.0);
        }
        if let Some(held) = self.pending.take() {
            // A full stop, comma or colon within a number or a time belongs to it.
            if c.is_ascii_digit() && self.gap == Gap::None {
                self.letter(held);
            } else {
                self.widen(if held == '.' { Gap::Sentence } else { Gap::Clause });
            }
        }
        if invisible(c) {
            return;
        }
        let after_digit = self.gap == Gap::None && self.last.is_some_and(|l| l.is_ascii_digit());
        match c {
            '.' | ',' | ':' | '/' if after_digit && c != '/' => self.pending = Some(c),
            '/' if after_digit => self.letter(c),
            '\'' | '"' => self.widen(Gap::Apostrophe),
            '.' | '!' | '?' | '。' | '؟' | '۔' | '।' | '॥' | '\n' => self.widen(Gap::Sentence),
            ',' | ';' | ':' | '،' | '؛' | '、' | '—' | '–' => self.widen(Gap::Clause),
            '%' | '$' | '+' => self.letter(c),
            _ => match fold_char(c) {
                Some(letter) if (0x1100..=0x1112).contains(&u32::from(letter)) => self.lead = Some((letter, 0)),
                Some(letter) => self.letter(letter),
                None => self.widen(Gap::Space),
            },
        }
    }

    fn jamo(&mut self, state: (char, u32)) {
        if state.1 == 2 { self.letter(state.0) } else { self.lead = Some(state) }
    }

    fn widen(&mut self, gap: Gap) {
        if self.last.is_some() {
            self.gap = self.gap.max(gap);
        }
    }

    fn letter(&mut self, c: char) {
        let kind = script(c);
        let previous = self.last.and_then(script);
        let picture = kind == Some(Script::Picture);
        let joins = |s: Option<Script>| matches!(s, Some(Script::Han | Script::Hangul));
        let mut begins = self.last.is_none();
        match self.gap {
            Gap::None if picture != (previous == Some(Script::Picture)) && self.last.is_some() => {
                self.clause += 1;
                self.space();
                begins = true;
            }
            Gap::None => begins |= joins(previous) != joins(kind),
            Gap::Apostrophe => self.soft.push(self.text.len()),
            Gap::Space | Gap::Clause | Gap::Sentence => {
                let han = kind == Some(Script::Han) && previous == Some(Script::Han);
                let hangul = kind == Some(Script::Hangul) && previous == Some(Script::Hangul);
                if self.gap >= Gap::Clause || han || picture || previous == Some(Script::Picture) {
                    self.clause += 1;
                }
                if self.gap == Gap::Sentence {
                    self.sentence += 1;
                }
                if self.gap == Gap::Sentence || !(han || hangul) {
                    self.space();
                }
                begins = true;
            }
        }
        // A letter that is written twice or more in a row counts once, except where doubling is spelling.
        let doubles = matches!(kind, Some(Script::Bordered | Script::Arabic | Script::Foreign | Script::Picture));
        if self.gap <= Gap::Apostrophe && !begins && doubles && self.last == Some(c) {
            self.gap = Gap::None;
            return;
        }
        self.unit += match kind {
            Some(Script::Han) => WORD / 2,
            Some(Script::Hangul) => WORD / 3,
            _ if begins => WORD,
            _ => 0,
        };
        self.gap = Gap::None;
        self.last = Some(c);
        self.put(c);
    }

    fn space(&mut self) {
        if !self.text.is_empty() {
            self.put(' ');
        }
    }

    fn put(&mut self, c: char) {
        self.text.push(c);
        let length = self.text.len();
        self.units.resize(length, self.unit);
        self.clauses.resize(length, self.clause);
        self.sentences.resize(length, self.sentence);
    }

    fn finish(mut self) -> Folded {
        if let Some(lead) = self.lead.take() {
            self.letter(lead.0);
        }
        let Builder { text, units, clauses, sentences, soft, .. } = self;
        Folded { text, units, clauses, sentences, soft }
    }
}

/// Puts Korean jamo together again, which NFKD took apart: lead + vowel, then + tail.
fn hangul((so_far, stage): (char, u32), next: char) -> Option<(char, u32)> {
    let whole = unicode_normalization::char::compose(so_far, next)?;
    (u32::from(whole) >= 0xac00 && stage < 2).then_some((whole, stage + 1))
}

/// Zero-width and bidirectional controls, variation selectors, skin tones, Arabic tatweel and the free hamza.
fn invisible(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff | 0x621 | 0x640
        | 0x1_f3fb..=0x1_f3ff | 0xe_0000..=0xe_007f | 0x61c)
        // Accents, Hebrew points, Arabic vowel marks, the Bengali nukta and chandrabindu.
        || matches!(u32::from(c), 0x300..=0x36f | 0x591..=0x5bd | 0x5bf | 0x5c1..=0x5c5 | 0x5c7 | 0x610..=0x61a | 0x64b..=0x65f
            | 0x670 | 0x6d6..=0x6ed | 0x9bc | 0x981 | 0x200c)
}

/// The letter that stands for `c` and its variants; `None` where `c` is no letter, digit or picture.
fn fold_char(c: char) -> Option<char> {
    let folded = match c {
        // Arabic, Persian and Urdu.
        'آ' | 'أ' | 'إ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' | 'ے' | 'ې' | 'ۓ' => 'ي',
        'ؤ' => 'و',
        'ک' | 'ڪ' => 'ك',
        'ة' | 'ہ' | 'ھ' | 'ۃ' | 'ۀ' | 'ە' => 'ه',
        'ں' => 'ن',
        '٠'..='٩' => char::from_digit(u32::from(c) - 0x660, 10)?,
        '۰'..='۹' => char::from_digit(u32::from(c) - 0x6f0, 10)?,
        // Hebrew script as Yiddish uses it: ligatures and the letters that lose their points.
        'ך' => 'כ',
        'ם' => 'מ',
        'ן' => 'נ',
        'ף' => 'פ',
        'ץ' => 'צ',
        // Bengali: letters that sound alike and are mixed up in haste.
        'ী' => 'ি',
        'ূ' => 'ু',
        'ণ' => 'ন',
        'শ' | 'ষ' => 'স',
        'ৎ' => 'ত',
        'ঢ' => 'ড',
        '০'..='৯' => char::from_digit(u32::from(c) - 0x9e6, 10)?,
        // Latin and Cyrillic letters that do not decompose.
        'ł' => 'l',
        'ø' | 'œ' => 'o',
        'ß' => 's',
        'æ' => 'a',
        'ı' => 'i',
        'ё' => 'е',
        'й' => 'и',
        'ъ' => 'ь',
        _ => simplified(c),
    };
    script(folded).map(|_| folded)
}

/// Traditional characters that the packs use, and the simplified ones that stand for them.
const TRADITIONAL: &str = "殺輕絕無沒歸遺書傷藥飲氣嘔腫頭臉說話講聲醫對發燒痛溫壓體胰島針糖壞個們來從時間開關門車錢買賣貴飯麵兒媽爺嬤婦產\
檢懷週寶嬰童師護員電號碼給讓還過遠進邊裡後會應該認識覺得學習現見視聽語說謝請問題變換約診單據費險證綠卡庇議訴態\
義務難雙隻條種樣點鐘歲長張強擔憂慮鬱悶煩惱緊驚嚇驅趕離婚結終滅斷續繼繫統總線繃擊毆虐待脅迫強姦監視鎖趙國嗎嚥\
鼻腦顱臟膽腸腎衛熱幫銀貸債償費補糧暈麻癱瘓軟風濕盜竊槍劍擁擠壽葬墳喪亡親戚屬鄰鎮鄉處辦決定樓跳燈煙癮戒毒針瘡\
膿腳趾與為嘴歪動陣瀉數幾萬億兩這邊樂興顧誤搗亂鬧獨孤負纍贅贖僅夠餓飽幹嘛術腹脹週轉遊戲滿勁並且雖當華鮮傳遞圖\
傷勢癒嚴劇烈厲害衝撞墜樑繩煤爐報警鈴響養滯敗靜脈搖擺倒顫頻須預訂遲誰簡\
別紙閉聯絡擾歡裝懶夢隨類額購農燙軀魚鳥齒麼爾寫讀輪遺證曬攔攪虛";
const SIMPLIFIED: &str = "杀轻绝无没归遗书伤药饮气呕肿头脸说话讲声医对发烧痛温压体胰岛针糖坏个们来从时间开关门车钱买卖贵饭面儿妈爷嬷妇产\
检怀周宝婴童师护员电号码给让还过远进边里后会应该认识觉得学习现见视听语说谢请问题变换约诊单据费险证绿卡庇议诉态\
义务难双只条种样点钟岁长张强担忧虑郁闷烦恼紧惊吓驱赶离婚结终灭断续继系统总线绷击殴虐待胁迫强奸监视锁赵国吗咽\
鼻脑颅脏胆肠肾卫热帮银贷债偿费补粮晕麻瘫痪软风湿盗窃枪剑拥挤寿葬坟丧亡亲戚属邻镇乡处办决定楼跳灯烟瘾戒毒针疮\
脓脚趾与为嘴歪动阵泻数几万亿两这边乐兴顾误捣乱闹独孤负累赘赎仅够饿饱干嘛术腹胀周转游戏满劲并且虽当华鲜传递图\
伤势愈严剧烈厉害冲撞坠梁绳煤炉报警铃响养滞败静脉摇摆倒颤频须预订迟谁简\
别纸闭联络扰欢装懒梦随类额购农烫躯鱼鸟齿么尔写读轮遗证晒拦搅虚";

fn simplified(c: char) -> char {
    use std::collections::HashMap;
    use std::sync::LazyLock;
    static PAIRS: LazyLock<HashMap<char, char>> = LazyLock::new(|| TRADITIONAL.chars().zip(SIMPLIFIED.chars()).collect());
    if script(c) == Some(Script::Han) { PAIRS.get(&c).copied().unwrap_or(c) } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        fold(text).text
    }

    #[test]
    fn haste_case_and_accents_make_no_difference() {
        assert_eq!(folded("NO  PUEDO   respiraaaar!!"), folded("no puedo respirar"));
        assert_eq!(folded("l\u{2019}été, j'ai"), "lete jai");
        assert_eq!(folded("ＣＡＮ’Ｔ"), "cant");
        assert_eq!(folded("\u{202e}h\u{200b}elp"), "help");
    }

    #[test]
    fn letter_variants_of_a_script_are_one_letter() {
        assert_eq!(folded("مُش قَادِر"), folded("مش قادر"));
        assert_eq!(folded("ہے"), folded("هي"));
        assert_eq!(folded("פּילן"), folded("פילן"));
        assert_eq!(folded("বাঁচতে"), folded("বাচতে"));
        assert_eq!(folded("殺"), folded("杀"));
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
    }

    #[test]
    fn native_digits_are_plain_digits_and_a_decimal_keeps_its_point() {
        assert_eq!(folded("٣٩ ۱۰۳ ১০৩ 39,5. 120/80"), "39 103 103 39,5 120/80");
    }

    #[test]
    fn korean_and_chinese_are_read_without_their_spaces() {
        assert_eq!(folded("숨이 안 쉬어져요"), folded("숨이안쉬어져요"));
        assert_eq!(folded("想 死"), "想死");
        let text = fold("胸口好痛 左手麻");
        assert_ne!(text.clause(0), text.clause(text.text.len() - 1));
    }

    #[test]
    fn a_sentence_ends_at_its_stop_and_a_clause_at_its_comma() {
        let text = fold("no. chest, pain");
        let (chest, pain) = (3, text.text.find("pain").expect("there"));
        assert_ne!(text.sentence(0), text.sentence(chest));
        assert_eq!(text.sentence(chest), text.sentence(pain));
        assert_ne!(text.clause(chest), text.clause(pain));
        assert_eq!(text.distance(0, pain), 2 * WORD);
    }

    #[test]
    fn words_begin_after_an_apostrophe_and_after_arabic_particles() {
        let french = fold("plus d'insuline");
        assert!(french.begins(french.text.find("insuline").expect("there")));
        let arabic = fold("والانسولين");
        assert!(arabic.begins(arabic.text.find("انسولين").expect("there")));
        assert!(!fold("grape").begins(1));
    }
}
