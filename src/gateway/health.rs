//! Platforms that want no health information: WhatsApp's own policy forbids to send or request it where the law asks
//! for more protection than the platform gives, and Meta signs no agreement under HIPAA.
//!
//! So a gateway to WhatsApp carries logistics only, whatever a contact agreed to, until the configuration says that
//! somebody has read the policy and answers for more.

use super::layers::Layers;
use crate::model::{Channel, ContentClass};

/// What `check` says about a gateway whose policy nobody has acknowledged.
pub(super) const WARNING: &str = "WhatsApp's policy forbids health information where the law asks for more protection than the platform gives \
     (HIPAA: Meta signs no agreement). Only messages without any health detail go there. Say `health_policy_acknowledged = true` \
     once somebody who may decide has read it";

/// Whether the policy was acknowledged, and the highest class of content that may go.
pub(super) fn read(layer: &Layers<'_>, channel: Channel) -> (bool, ContentClass) {
    let acknowledged = layer.flag("health_policy_acknowledged").unwrap_or(false);
    let content: Option<ContentClass> = layer.parsed("content");
    if channel != Channel::WhatsApp {
        return (true, content.unwrap_or(ContentClass::Clinical));
    }
    let content = content.unwrap_or(ContentClass::Logistics);
    if content > ContentClass::Logistics && !acknowledged {
        layer.fault(
            "content",
            format!("`content = \"{content}\"` sends health information by WhatsApp: read the platform's policy, and say `health_policy_acknowledged = true`"),
        );
    }
    (acknowledged, content)
}
