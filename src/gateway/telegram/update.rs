//! What an update of Telegram says. Pure.
//!
//! *Invariants:* what a person wrote in a private chat is never dropped, also where the rest of the update is not known here;
//! a pressed button says exactly what would have been typed; groups, channels and bots are no patients.
//!
//! *Once.* An update is told apart by its number together with that of its message, since the numbers begin anew after a
//! quiet week; a press by its message and what it says, so that a button that is hit twice counts once, and another button
//! before the keyboard is gone still counts.

use serde_json::Value;
use teloxide_core::types::{
    CallbackQuery, Chat, ChatMemberStatus, InlineKeyboardButtonKind, MaybeInaccessibleMessage, Message, MessageKind, Update,
    UpdateKind,
};

use super::super::Incoming;
use super::TEXT;
use crate::clock::Time;
use crate::model::{Address, Body, Extras, Media};

/// What is to be done once it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// A button was pressed: it is answered, and the message shows the choice instead of its keyboard.
    Answer { query: String, chat: i64, message: Option<i32>, shown: Option<String> },
    /// We stand in a group or channel: out of it.
    Leave { chat: i64 },
}

impl std::fmt::Debug for Then {
    /// Which of the two, and nothing of whom it concerns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Then::Answer { .. } => "Answer",
            Then::Leave { .. } => "Leave",
        })
    }
}

/// What an update brought.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) incoming: Option<Incoming>,
    pub(super) then: Option<Then>,
}

/// Reads an update.
///
/// # Errors
/// When it has no number, or it is a private message of which not even the chat can be read.
pub(super) fn read(update: &Value) -> Result<Came, &'static str> {
    let Some(number) = update.get("update_id").and_then(Value::as_i64) else { return Err("an update has a number") };
    // By way of its text: these types cannot be read from a value, whose fields stand in another order.
    Ok(match serde_json::from_str::<Update>(&update.to_string()).map(|update| update.kind) {
        Ok(UpdateKind::Message(message) | UpdateKind::EditedMessage(message)) => wrote(number, &message, update),
        Ok(UpdateKind::CallbackQuery(query)) => pressed(&query),
        Ok(UpdateKind::MyChatMember(change)) => match change.new_chat_member.status() {
            ChatMemberStatus::Banned if change.chat.is_private() => {
                let from = address(change.chat.id.0);
                Came { incoming: Some(Incoming::Left { from, provider_id: Some(number.to_string()) }), then: None }
            }
            ChatMemberStatus::Banned | ChatMemberStatus::Left => Came::default(),
            _ => leave(&change.chat),
        },
        Ok(UpdateKind::ChannelPost(post) | UpdateKind::EditedChannelPost(post)) => leave(&post.chat),
        Ok(UpdateKind::Error(_)) | Err(_) => roughly(number, update)?,
        Ok(_) => Came::default(),
    })
}

/// The message of an update as it came.
fn raw(update: &Value) -> Option<&Value> {
    update.get("message").or_else(|| update.get("edited_message"))
}

fn address(chat: i64) -> Address {
    Address::new(chat.to_string())
}

fn leave(chat: &Chat) -> Came {
    let then = (!chat.is_private()).then_some(Then::Leave { chat: chat.id.0 });
    Came { incoming: None, then }
}

fn wrote(number: i64, message: &Message, update: &Value) -> Came {
    if !message.chat.is_private() {
        return leave(&message.chat);
    }
    // What is of no known kind may be a person's; of the known ones the others are what Telegram itself notes in a chat.
    let theirs = matches!(message.kind, MessageKind::Common(_) | MessageKind::Dice(_) | MessageKind::Empty {});
    if !theirs || message.from.as_ref().is_some_and(|from| from.is_bot) {
        return Came::default();
    }
    let media = raw(update).and_then(media);
    let text = message.text().or_else(|| message.caption()).unwrap_or_default();
    said(message.chat.id.0, text, media, format!("{number}.{}", message.id.0), Some(Time(message.date.timestamp_millis())))
}

/// A person's words, with our commands as the words that they stand for.
fn said(chat: i64, text: &str, media: Option<Media>, id: String, at: Option<Time>) -> Came {
    let mut extras = Extras { media, ..Extras::default() };
    let mut words = text.split_whitespace();
    let command = words.next().and_then(|word| word.strip_prefix('/')).map(|word| word.split('@').next().unwrap_or(word));
    let text = match command.map(str::to_ascii_lowercase).as_deref() {
        Some("start") => match words.next() {
            Some(token) => {
                extras.start = Some(token.chars().take(64).collect());
                ""
            }
            None => "START",
        },
        Some("stop") => "STOP",
        Some("help") => "HELP",
        Some(_) | None => text,
    };
    let incoming = Incoming::Message {
        from: address(chat),
        to: None,
        text: Body::new(text),
        provider_id: Some(id),
        provider_time: at,
        extras,
    };
    Came { incoming: Some(incoming), then: None }
}

/// What a message is besides text. By the names of its fields: the types drop a voice note that lacks a detail.
fn media(message: &Value) -> Option<Media> {
    const KINDS: [(&str, Media); 12] = [
        ("photo", Media::Photo),
        ("voice", Media::Voice),
        ("audio", Media::Voice),
        ("video", Media::Video),
        ("video_note", Media::Video),
        ("animation", Media::Video),
        ("venue", Media::Location),
        ("location", Media::Location),
        ("contact", Media::Contact),
        ("sticker", Media::Sticker),
        ("document", Media::File),
        ("text", Media::Other),
    ];
    let found = KINDS.iter().find(|(name, _)| message.get(name).is_some());
    match found {
        Some(("text", _)) => None,
        Some((_, media)) => Some(*media),
        None => Some(Media::Other),
    }
}

fn pressed(query: &CallbackQuery) -> Came {
    let (Some(message), Some(says)) = (&query.message, &query.data) else { return Came::default() };
    let (chat, id) = (message.chat().id.0, message.id().0);
    if !message.chat().is_private() || query.from.is_bot {
        return leave(message.chat());
    }
    let shown = match message {
        MaybeInaccessibleMessage::Regular(message) => chosen(message, says),
        MaybeInaccessibleMessage::Inaccessible(_) => None,
    };
    let then = Then::Answer { query: query.id.0.clone(), chat, message: Some(id), shown };
    Came { then: Some(then), ..said(chat, says, None, format!("press.{chat}.{id}.{says}"), None) }
}

/// The message with the choice below it.
fn chosen(message: &Message, says: &str) -> Option<String> {
    let buttons = message.reply_markup()?.inline_keyboard.iter().flatten();
    let is_it = |kind: &InlineKeyboardButtonKind| matches!(kind, InlineKeyboardButtonKind::CallbackData(data) if data == says);
    let label = buttons.into_iter().find(|button| is_it(&button.kind)).map(|button| button.text.as_str())?;
    let shown = format!("{}\n\n\u{2713} {label}", message.text()?);
    (shown.encode_utf16().count() <= TEXT).then_some(shown)
}

/// What can be told of an update whose shape is not known here: the words of a private message, or that there is one.
fn roughly(number: i64, update: &Value) -> Result<Came, &'static str> {
    let Some(message) = raw(update) else { return Ok(Came::default()) };
    let is = |pointer: &str, value: &Value| message.pointer(pointer) == Some(value);
    let Some(chat) = message.pointer("/chat/id").and_then(Value::as_i64) else { return Err("a message has a chat") };
    if !is("/chat/type", &Value::from("private")) {
        return Ok(Came { incoming: None, then: Some(Then::Leave { chat }) });
    }
    if is("/from/is_bot", &Value::from(true)) {
        return Ok(Came::default());
    }
    let text = message.get("text").or_else(|| message.get("caption")).and_then(Value::as_str);
    let id = message.get("message_id").and_then(Value::as_i64).unwrap_or_default();
    Ok(said(chat, text.unwrap_or_default(), media(message), format!("{number}.{id}"), None))
}
