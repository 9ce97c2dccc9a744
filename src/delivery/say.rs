//! What a message says on the gateway that takes it.

use crate::compose::{Args, fold};
use crate::gateway::{self, Gateway};
use crate::kit::Kit;
use crate::model::{Id, Lang};
use crate::policy::Wording;
use crate::store::StoreError;
use crate::store::messages::Claimed;

/// A text with what it was made of.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) lang: Lang,
    pub(super) wording: gateway::Wording,
}

/// The text of a message, or `None` if it cannot be made.
///
/// # Errors
/// When what is stored cannot be read.
pub(super) fn say(kit: &Kit, row: &Claimed, wording: Wording, way: Option<&Gateway>) -> Result<Option<Said>, StoreError> {
    let lang: Lang = row.lang.parse().map_err(|_| StoreError::Unreadable(format!("language {}", row.lang)))?;
    let plain = |text: &str| if way.is_none_or(Gateway::folds) { fold(text) } else { text.to_owned() };
    if row.key == "staff" {
        return Ok(Some(Said { text: plain(&row.body), lang, wording: gateway::Wording::default() }));
    }
    let args: Args = serde_json::from_str(&row.args).map_err(|e| StoreError::bad_json("arguments of a message", &e))?;
    let key = match wording {
        Wording::Full => row.key.clone(),
        Wording::Discreet => kit.catalogue.discreet(&row.key),
    };
    match kit.catalogue.render(lang, &key, &args) {
        Ok(rendered) => {
            let lang = rendered.lang;
            let approved = way.is_some_and(|way| !way.approved().is_empty());
            let args = if approved { args.said(lang) } else { Vec::new() };
            let wording = gateway::Wording { key, lang: lang.tag().to_owned(), args };
            Ok(Some(Said { text: plain(rendered.text.expose()), lang, wording }))
        }
        Err(e) => {
            tracing::error!(id = %Id(row.id), key, error = %e, "a message could not be written");
            Ok(None)
        }
    }
}
