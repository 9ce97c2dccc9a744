//! Turns a message into tokens that can be compared: letters without case, accents or script variants,
//! numbers in ASCII digits, and what stood between them.
//!
//! Invariant: vocabulary and messages pass through the same [`tokens`], so that whatever is folded away
//! is folded away on both sides. Scripts without spaces (Han, kana, Hangul) give one token a character,
//! because patients put spaces there or not, as they like.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What stands before a token; of several separators, the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing.
    Joint,
    /// White space or a sign without weight.
    Space,
    /// `-`
    Dash,
    /// `/`
    Slash,
    /// `:`
    Colon,
    /// The end of a clause: comma, bracket, quotation mark, long dash.
    Comma,
    /// The end of a sentence, or of a line.
    Stop,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, or one character of a script without spaces.
    Word,
    /// Digits, perhaps with points and commas inside.
    Number,
    /// A sign with a meaning of its own: `%`, `$`, `+`, `°`.
    Symbol,
    /// An emoji, without skin tone and joiners.
    Emoji,
}

/// One piece of a folded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The folded characters.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// What stood before it.
    pub gap: Gap,
}

/// Splits and folds a message.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars = folded(text);
    let mut tokens: Vec<Token> = Vec::new();
    let mut gap = Gap::Stop;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        let kind = if starts_number(&chars, at) {
            at = number_end(&chars, at);
            Kind::Number
        } else if is_unspaced(c) {
            at += 1;
            Kind::Word
        } else if is_word(c) {
            while chars.get(at).is_some_and(|&c| is_word(c) && !is_unspaced(c) && !c.is_ascii_digit()) {
                at += 1;
                at += usize::from(is_abbreviation_dot(&chars, start, at));
            }
            Kind::Word
        } else if is_emoji(c) {
            at += 1;
            Kind::Emoji
        } else if "%$€£¥+°#=*".contains(c) {
            at += 1;
            Kind::Symbol
        } else {
            gap = gap.max(separator(c));
            at += 1;
            continue;
        };
        let mut text: String = chars[start..at].iter().collect();
        match kind {
            Kind::Word => text = without_stretching(&text.replace('.', "")),
            Kind::Number if text.starts_with(['.', ',']) => text.insert(0, '0'),
            Kind::Number | Kind::Symbol | Kind::Emoji => {}
        }
        tokens.push(Token { text, kind, gap });
        gap = Gap::Joint;
    }
    tokens
}

/// Whether a message holds nothing but question marks: a call for help without words.
pub(super) fn only_question_marks(text: &str) -> bool {
    let mut marks = text.chars().filter(|c| !c.is_whitespace()).peekable();
    marks.peek().is_some() && marks.all(|c| matches!(c, '?' | '？' | '؟' | '¿'))
}

/// The characters of a message after folding.
fn folded(text: &str) -> Vec<char> {
    let whole = text.replace('½', ".5").replace('¼', ".25").replace('¾', ".75");
    let mut plain = String::with_capacity(whole.len());
    for c in whole.nfkd().filter(|c| !is_dropped(*c)) {
        match c {
            'ł' | 'Ł' => plain.push('l'),
            'đ' | 'Đ' => plain.push('d'),
            'ı' => plain.push('i'),
            'œ' | 'Œ' => plain.push_str("oe"),
            'æ' | 'Æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            'ى' | 'ی' | 'ې' => plain.push('ي'),
            'ک' | 'ڪ' => plain.push('ك'),
            'ہ' | 'ھ' | 'ۀ' | 'ة' | 'ۃ' | 'ە' => plain.push('ه'),
            'ٱ' => plain.push('ا'),
            'װ' => plain.push_str("וו"),
            'ױ' => plain.push_str("וי"),
            'ײ' => plain.push_str("יי"),
            '٫' => plain.push('.'),
            '٬' => plain.push(','),
            '−' => plain.push('-'),
            '٪' => plain.push('%'),
            _ => match digit(c) {
                Some(d) => plain.push(d),
                None => plain.extend(c.to_lowercase()),
            },
        }
    }
    plain.nfc().map(simplified).collect()
}

/// Marks that carry no meaning here: accents, vowel points, joiners, apostrophes, skin tones.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5BD}' | '\u{5BF}'..='\u{5C7}' | '\u{5F3}' | '\u{5F4}' | '\u{640}'
        | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}' | '\u{AD}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{20E3}'
        | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}' | '\'' | '’' | '‘' | 'ʼ' | '`' | '´')
}

/// The ASCII digit of any script's decimal digit that patients of these locales type.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 12] = [0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66];
    let code = u32::from(c);
    let offset = ZEROS.iter().map(|zero| code.wrapping_sub(*zero)).find(|offset| *offset < 10)?;
    char::from_digit(offset, 10)
}

/// Traditional characters of the vocabulary and their simplified forms, pair by pair.
const SCRIPT_PAIRS: &str = "訂订發发擾扰復复請请謝谢聯联繫系預预約约時时間间會会來来見见對对沒没過过還还個个幾几點点開开關关\
藥药飯饭嗎吗為为麼么這这讓让給给訊讯資资電电話话簡简報报誤误錯错號号碼码認认確确換换變变無无門门診诊醫医師师\
問问題题樣样兩两萬万壹一貳二參三叁三陸六柒七捌八玖九拾十壓压數数氣气級级隨随從从將将應应該该聽听說说讀读寫写\
幫帮補补續续啟启動动閱阅絕绝別别騷骚離离場场當当實实達达難难買买賣卖員员護护體体較较準准後后裡里裏里現现連连進进選选擇择項项歡欢陣阵聖圣們们晉晋緊紧係系瞭了辦办處处廣广傳传輸输滿满親亲測测脈脉繼继銷销刪删終终結结趕赶興兴夠够煩烦攝摄華华鐘钟週周歲岁顆颗塊块記记願愿務务針针熱热";

fn simplified(c: char) -> char {
    if !('\u{4E00}'..='\u{9FFF}').contains(&c) {
        return c;
    }
    let mut pairs = SCRIPT_PAIRS.chars();
    while let (Some(traditional), Some(simple)) = (pairs.next(), pairs.next()) {
        if traditional == c {
            return simple;
        }
    }
    c
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Scripts that need no spaces: one token a character.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

fn separator(c: char) -> Gap {
    match c {
        '.' | '!' | '?' | ';' | '\n' | '\r' | '。' | '؟' | '۔' | '؛' | '।' | '॥' | '¡' | '¿' => Gap::Stop,
        ',' | '،' | '、' | '(' | ')' | '[' | ']' | '"' | '“' | '”' | '„' | '«' | '»' | '—' | '–' | '|' => {
            Gap::Comma
        }
        ':' => Gap::Colon,
        '/' | '\\' | '⁄' => Gap::Slash,
        '-' | '‐' | '‑' | '~' | '־' => Gap::Dash,
        _ => Gap::Space,
    }
}

/// A digit, a decimal point before a digit, or a minus sign that no word or number leads up to.
fn starts_number(chars: &[char], at: usize) -> bool {
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let free = at == 0 || chars[at - 1].is_whitespace();
    match chars[at] {
        '0'..='9' => true,
        '.' | '-' => is_digit(at + 1) && free,
        _ => false,
    }
}

fn number_end(chars: &[char], start: usize) -> usize {
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut at = start + 1;
    while is_digit(at) || (matches!(chars.get(at), Some('.' | ',')) && is_digit(at + 1)) {
        at += 1;
    }
    at
}

/// Whether the dot at `at` belongs to an abbreviation of single letters such as "a.m.".
fn is_abbreviation_dot(chars: &[char], start: usize, at: usize) -> bool {
    let is_letter = |at: usize| chars.get(at).is_some_and(|c| c.is_alphabetic());
    at == start + 1 && chars.get(at) == Some(&'.') && is_letter(at + 1) && !is_letter(at + 2)
}

/// "stoppp" is "stop": a letter three times or more in a row counts once.
fn without_stretching(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    let mut kept = String::with_capacity(word.len());
    let mut at = 0;
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| **c == chars[at]).count();
        kept.extend(std::iter::repeat_n(chars[at], if run >= 3 { 1 } else { run }));
        at += run;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn case_accents_points_and_script_variants_fold_away() {
        assert_eq!(texts("ARRÊT, Ne m’écrivez plus!"), ["arret", "ne", "mecrivez", "plus"]);
        assert_eq!(texts("إلغاءُ الاشتراك"), texts("الغاء الاشتراك"));
        assert_eq!(texts("退訂"), texts("退订"));
        assert_eq!(texts("Stoppp"), ["stop"]);
        assert_eq!(texts("8 a.m. ok"), ["8", "am", "ok"]);
    }

    #[test]
    fn digits_of_every_script_become_ascii_and_keep_their_separators() {
        assert_eq!(texts("٧٦٫٤ كيلو"), ["76.4", "كيلو"]);
        assert_eq!(texts("７６.4公斤"), ["76.4", "公", "斤"]);
        assert_eq!(texts("৭½"), ["7.5"]);
        assert_eq!(texts("7ish"), ["7", "ish"]);
        assert_eq!(texts("1️⃣"), ["1"]);
    }

    #[test]
    fn the_strongest_separator_before_a_token_is_kept() {
        let gaps: Vec<Gap> = tokens("stop. no, 120/80 well").into_iter().map(|t| t.gap).collect();
        assert_eq!(gaps, [Gap::Stop, Gap::Stop, Gap::Comma, Gap::Slash, Gap::Space]);
        assert!(only_question_marks(" ?? ") && !only_question_marks("") && !only_question_marks("why?"));
    }
}
