//! `gateway list` and `gateway test`: what is configured, and whether a text gets out.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::{Failure, load, say};
use crate::compose::segments;
use crate::config::Config;
use crate::gateway::{Gateway, Hook, Outgoing, SendError};
use crate::inbound::phone;
use crate::model::{Address, Channel, Id};
use crate::random::Dice;

/// For how long the test text is of use.
const OF_USE: Duration = Duration::from_mins(10);

/// Names every gateway with what it carries and where its provider reaches us.
pub(super) fn list(config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    if config.gateways.is_empty() {
        say("No [[gateway]] is configured: nothing can be sent. config/default.toml shows how.");
    }
    for gateway in &config.gateways {
        let limits = gateway.limits();
        let pace = limits.per_second.map_or_else(String::new, |rate| format!(", {rate} a second"));
        say(format!(
            "{}: {}, {}; up to {}; {} at once{pace}",
            gateway.name(),
            gateway.kind(),
            gateway.channel(),
            gateway.content(),
            limits.concurrency
        ));
        for door in [Hook::Inbound, Hook::Receipt] {
            say(format!("    {}{}", config.public_url, door.path(gateway.name())));
        }
        for (key, variables) in gateway.approved() {
            say(format!("    approved: {key} ({})", variables.join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the provider whether it takes our credentials, then sends one text.
pub(super) async fn test(name: &str, to: &str, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let Some(gateway) = config.gateways.iter().find(|gateway| gateway.name() == name) else {
        let known: Vec<&str> = config.gateways.iter().map(Gateway::name).collect();
        return Err(Failure(format!("there is no gateway `{name}`; there is: {}", known.join(", "))));
    };
    let address = match gateway.channel() {
        Channel::Sms | Channel::WhatsApp => phone(to, &config.country).map_err(|e| Failure(format!("--to: {e}")))?,
        Channel::Telegram => Address::new(to),
    };
    let text = format!("Porchlight test from {}: messages reach this phone. No reply is needed.", config.site.sender);
    let parts = i64::try_from(segments(&text).count).unwrap_or(1);
    let message = Outgoing {
        expires_in: Some(OF_USE),
        segments: parts,
        // The phone is at hand: whoever tests has written first where that is asked for.
        in_conversation: true,
        ..Outgoing::plain((Id(0), 1), address, &text, Dice::from_machine().token())
    };
    say(format!("Gateway {name} ({}, {}):", gateway.kind(), gateway.channel()));
    say("1. asks the provider, without sending anything;");
    say(format!("2. sends one text to {to}, of use for ten minutes: {text}"));
    if let Some(warning) = gateway.warning() {
        say(format!("{warning}."));
    }
    if gateway.channel() == Channel::WhatsApp {
        say("On WhatsApp free words arrive only within 24 hours of what that phone wrote: write to the business number first.");
    }
    if let Err(error) = gateway.probe().await {
        say(format!("The provider was asked: {error}."));
        say(remedy(&error));
        return Ok(ExitCode::FAILURE);
    }
    say("The provider was asked: it is there, and took our credentials if it looks at them before a message.");
    let sent = gateway.send(&message).await;
    match &sent {
        Ok(accepted) => {
            say("The text was taken.");
            if let Some(id) = &accepted.provider_id {
                say(format!("The provider calls it {id}."));
            }
            say(waits(&config, gateway));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            say(format!("The text was not taken: {error}."));
            say(remedy(error));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Where the receipt goes: this command answers no callbacks.
fn waits(config: &Config, gateway: &Gateway) -> String {
    format!(
        "Look at the phone. The receipt goes to {}{} of the running service, which passes over a receipt of a message that is not its own.",
        config.public_url,
        Hook::Receipt.path(gateway.name())
    )
}

/// What to do about it.
fn remedy(error: &SendError) -> &'static str {
    match error {
        SendError::Busy { .. } => {
            "Nothing was sent. Is the address right, is the provider up, does a firewall let us out? The service would try again by itself."
        }
        SendError::Unknown => {
            "It may have been sent all the same: look at the phone. If it always ends so, the answer is not the one that `success` describes, or the time-out is too short."
        }
        SendError::Blocked => "This phone has stopped messages from this sender: text START to it, or test with another one.",
        SendError::Unreachable { .. } => "The provider says that no message can reach this number: test with another one.",
        SendError::Refused { .. } => {
            "The provider refused this message: docs/channels.md says what its code means. Patients' messages would go another way."
        }
        SendError::Misconfigured { .. } => {
            "The account, the credentials, the sender or the address are wrong: docs/channels.md says what the code means. In service the channel would rest, and nobody would be opted out."
        }
    }
}
