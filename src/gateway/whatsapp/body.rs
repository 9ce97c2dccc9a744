//! What is asked of the Cloud API for one message. Pure.
//!
//! Within 24 hours of what the person wrote last the text goes as it is, with buttons or a list if it offers answers
//! that fit; otherwise an approved template says it. The text says all answers as well, so what does not fit on a
//! button is not lost.

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::gateway::approved::Approved;
use crate::gateway::{Choice, Outgoing, SendError};

/// What fits: buttons, rows; characters on a button, in a row's title and description, and above buttons.
const BUTTONS: usize = 3;
const ROWS: usize = 10;
const BUTTON: usize = 20;
const ROW: usize = 24;
const DESCRIPTION: usize = 72;
const ABOVE: usize = 1024;

/// The body of the request.
///
/// # Errors
/// Refused where nothing is approved that says it.
pub(super) fn of(message: &Outgoing, approved: &Approved) -> Result<Value, SendError> {
    let to: String = message.to.expose().chars().filter(char::is_ascii_digit).collect();
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "biz_opaque_callback_data": message.reference,
    });
    let (kind, content) = if message.in_conversation {
        match interactive(message) {
            Some(interactive) => ("interactive", interactive),
            None => ("text", json!({ "preview_url": false, "body": message.text.expose() })),
        }
    } else {
        ("template", template(message, approved)?)
    };
    body["type"] = kind.into();
    body[kind] = content;
    Ok(body)
}

fn template(message: &Outgoing, approved: &Approved) -> Result<Value, SendError> {
    let chosen = approved.choose(message)?;
    let mut components = Vec::new();
    if !chosen.values.is_empty() {
        let values: Vec<Value> = chosen.values.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        components.push(json!({ "type": "body", "parameters": values }));
    }
    components.extend(chosen.buttons.iter().enumerate().map(|(n, says)| {
        let payload = json!([{ "type": "payload", "payload": says }]);
        json!({ "type": "button", "sub_type": "quick_reply", "index": n.to_string(), "parameters": payload })
    }));
    let mut template = json!({ "name": chosen.name, "language": { "code": chosen.language } });
    if !components.is_empty() {
        template["components"] = components.into();
    }
    Ok(template)
}

/// Buttons or a list, if the answers fit.
fn interactive(message: &Outgoing) -> Option<Value> {
    let choices = &message.choices;
    let whole = |c: &Choice| !c.label.trim().is_empty() && !c.says.is_empty() && c.says.len() <= 200;
    let text = message.text.expose();
    if choices.is_empty() || choices.len() > ROWS || !choices.iter().all(whole) || text.chars().count() > ABOVE {
        return None;
    }
    let on_buttons = choices.len() <= BUTTONS && choices.iter().all(|c| c.label.chars().count() <= BUTTON);
    let titles: Vec<String> = choices.iter().map(|c| cut(&c.label, if on_buttons { BUTTON } else { ROW })).collect();
    // The platform refuses two of a kind.
    let twice = |n: usize| titles[..n].contains(&titles[n]) || choices[..n].iter().any(|c| c.says == choices[n].says);
    if (0..choices.len()).any(twice) {
        return None;
    }
    let action = if on_buttons {
        let button = |(c, title): (&Choice, &String)| json!({ "type": "reply", "reply": { "id": c.says, "title": title } });
        json!({ "buttons": choices.iter().zip(&titles).map(button).collect::<Vec<_>>() })
    } else {
        let row = |(c, title): (&Choice, &String)| {
            let mut row = json!({ "id": c.says, "title": title });
            if *title != c.label {
                row["description"] = cut(&c.label, DESCRIPTION).into();
            }
            row
        };
        let rows: Vec<Value> = choices.iter().zip(&titles).map(row).collect();
        let (first, last) = (&choices.first()?.says, &choices.last()?.says);
        json!({ "button": cut(&format!("{first} - {last}"), BUTTON), "sections": [{ "rows": rows }] })
    };
    let kind = if on_buttons { "button" } else { "list" };
    Some(json!({ "type": kind, "body": { "text": text }, "action": action }))
}

/// At most `length` characters, cut between letters as people see them, with an ellipsis.
fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.graphemes(true) {
        if short.chars().count() + letter.chars().count() >= length {
            break;
        }
        short.push_str(letter);
    }
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Id};

    fn asked(choices: &[(&str, &str)]) -> Value {
        let choice = |(says, label): &(&str, &str)| Choice { says: (*says).to_owned(), label: (*label).to_owned() };
        let to = Address::new("+17185550117");
        let plain = Outgoing::plain((Id(1), 1), to, "How are you? 1 good 2 so-so 3 bad", "Zr-9_x".into());
        let message = Outgoing { in_conversation: true, choices: choices.iter().map(choice).collect(), ..plain };
        of(&message, &Approved::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn three_short_answers_are_buttons_and_more_or_longer_ones_a_list() {
        let three = asked(&[("C", "Confirm"), ("R", "Reschedule"), ("X", "Can't come")]);
        assert_eq!(three["interactive"]["type"], "button");
        let second = json!({ "type": "reply", "reply": { "id": "R", "title": "Reschedule" } });
        assert_eq!(three["interactive"]["action"]["buttons"][1], second);

        let four = asked(&[("1", "good"), ("2", "so-so"), ("3", "bad"), ("4", "I would rather talk to somebody on the phone")]);
        let list = &four["interactive"]["action"];
        assert_eq!((four["interactive"]["type"].as_str(), list["button"].as_str()), (Some("list"), Some("1 - 4")));
        let last = &list["sections"][0]["rows"][3];
        assert_eq!(last["title"], "I would rather talk to…");
        assert_eq!(last["description"], "I would rather talk to somebody on the phone");

        let long = asked(&[("1", "j'ai atteint mon objectif"), ("2", "non")]);
        assert_eq!(long["interactive"]["type"], "list", "25 characters do not fit on a button");
    }

    #[test]
    fn answers_that_do_not_fit_stay_in_the_text() {
        let eleven: Vec<(String, String)> = (1..=11).map(|n| (n.to_string(), format!("level {n}"))).collect();
        let eleven: Vec<(&str, &str)> = eleven.iter().map(|(says, label)| (says.as_str(), label.as_str())).collect();
        for choices in [&eleven[..], &[("1", "yes"), ("2", "yes")], &[("1", ""), ("2", "no")], &[]] {
            let body = asked(choices);
            assert_eq!(body["type"], "text");
            assert_eq!(body["text"]["body"], "How are you? 1 good 2 so-so 3 bad");
        }
    }

    #[test]
    fn a_label_is_never_cut_within_a_letter() {
        let bengali = "আমি ভালো আছি, ধন্যবাদ আপনাকে";
        let short = cut(bengali, 20);
        assert!(short.chars().count() <= 20 && bengali.starts_with(short.trim_end_matches('…')), "{short}");
        assert_eq!(cut("aaaaaaaaaaaaaaaaaa👩‍👩‍👧 b", 20), "aaaaaaaaaaaaaaaaaa…");
    }
}
