//! The machine interface: gateways' callbacks, health and metrics.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request as Arrived, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::FutureExt;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::json;

use crate::delivery::Gateways;
use crate::fault;
use crate::gateway::{Hook, Rejected, Request};
use crate::inbound::Receiver;
use crate::kit::Kit;
use crate::store::pause::Pause;
use crate::store::{Db, Lane, StoreError, inbox, messages, pause, sites, timers};

/// How long a look at the database may take before it counts as trouble.
const LOOK: Duration = Duration::from_secs(2);

/// What the machine interface needs.
#[derive(Debug, Clone)]
pub struct Api {
    /// The database.
    pub db: Db,
    /// The ways in.
    pub ways: Arc<Gateways>,
    /// Who stores what comes in.
    pub receiver: Receiver,
    /// Clock and texts.
    pub kit: Arc<Kit>,
}

/// The routes `/hooks/…`, `/healthz`, `/readyz` and `/metrics`.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/hooks/{gateway}/inbound", any(inbound))
        .route("/hooks/{gateway}/receipt", any(receipt))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(numbers))
        .with_state(api)
}

async fn inbound(State(api): State<Api>, Path(gateway): Path<String>, request: Arrived) -> Response {
    hook(&api, &gateway, Hook::Inbound, request).await
}

async fn receipt(State(api): State<Api>, Path(gateway): Path<String>, request: Arrived) -> Response {
    hook(&api, &gateway, Hook::Receipt, request).await
}

/// Verify, store, answer; nothing else. What could not be stored is answered 503, never 200.
async fn hook(api: &Api, name: &str, door: Hook, request: Arrived) -> Response {
    let Some(gateway) = api.ways.named(name) else { return refuse(StatusCode::NOT_FOUND, "no gateway of this name") };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, gateway.body_limit() + 1).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    };
    let asked = Request {
        method: &parts.method,
        path_kind: door,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
        at: api.kit.clock.machine(),
    };
    let incoming = match gateway.parse(&asked) {
        Ok(incoming) => incoming,
        Err(why) => {
            metrics::counter!("porchlight_hooks_refused_total").increment(1);
            tracing::warn!(gateway = name, error = %why, "a callback was refused");
            return match why {
                Rejected::Unauthorised => refuse(StatusCode::UNAUTHORIZED, "the shared secret is missing or wrong"),
                Rejected::Malformed { what } => refuse(StatusCode::BAD_REQUEST, &what),
                Rejected::TooLarge => refuse(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
            };
        }
    };
    fault::point("hook.parsed");
    if api.receiver.receive(gateway.name(), gateway.channel(), incoming).await.is_err() {
        let mut refused = refuse(StatusCode::SERVICE_UNAVAILABLE, "not stored: try again");
        refused.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        return refused;
    }
    gateway.stored(&asked);
    fault::point("hook.answering");
    let reply = gateway.reply(&asked);
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
}

fn refuse(status: StatusCode, what: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from(format!("{what}\n"))).into_response()
}

/// Ready if the database can be read and written; says how much waits, or what is wrong and what to do about it. A row is written:
/// a full disk is not seen by less.
async fn ready(State(api): State<Api>) -> Response {
    let (key, now) = (format!("ready.{}", api.kit.ids.node()), api.kit.now().0.to_string());
    let written = api.db.write(Lane::Work, move |tx| async move { sites::set(tx, &key, &now).await }.boxed());
    let (seen, written) = tokio::join!(tokio::time::timeout(LOOK, look(&api)), tokio::time::timeout(LOOK, written));
    let trouble = api.db.trouble();
    let why = match (&seen, &written) {
        (Ok(Err(e)), _) => e.trouble().or(trouble).unwrap_or("the database cannot be read: see the log"),
        (Err(_), _) => trouble.unwrap_or("the database does not answer: is it running, and not overloaded?"),
        (_, Ok(Err(e))) => e.trouble().or(trouble).unwrap_or("the database cannot be written: see the log"),
        (_, Err(_)) => trouble.unwrap_or("the database takes no writes: another process may hold it locked"),
        (Ok(Ok(_)), Ok(Ok(()))) => trouble.unwrap_or_default(),
    };
    match seen {
        Ok(Ok(seen)) if why.is_empty() => (
            StatusCode::OK,
            axum::Json(json!({
                "ready": true, "database": api.db.backend(), "inbox_waiting": seen.inbox,
                "queued": seen.of("queued"), "sending": seen.of("sending"), "unknown": seen.of("unknown"),
                "latest_timer_late_ms": seen.late_ms,
                "paused": seen.paused.map(|p| json!({ "state": p.state, "since_ms": p.since.0 })),
            })),
        )
            .into_response(),
        _ => {
            tracing::error!(why, "not ready");
            let why = json!({ "ready": false, "database": api.db.backend(), "why": why });
            (StatusCode::SERVICE_UNAVAILABLE, axum::Json(why)).into_response()
        }
    }
}

struct Seen {
    inbox: i64,
    depth: Vec<(String, i64)>,
    late_ms: i64,
    paused: Option<Pause>,
}

impl Seen {
    fn of(&self, state: &str) -> i64 {
        self.depth.iter().find(|d| d.0 == state).map_or(0, |d| d.1)
    }
}

async fn look(api: &Api) -> Result<Seen, StoreError> {
    let mut tx = api.db.read().await?;
    let late_ms = timers::next_due(&mut tx).await?.map_or(0, |due| (api.kit.now().0 - due.0).max(0));
    let paused = pause::current(&mut tx).await?;
    Ok(Seen { inbox: inbox::depth(&mut tx).await?, depth: messages::depth(&mut tx).await?, late_ms, paused })
}

async fn numbers(State(api): State<Api>) -> Response {
    if let Ok(seen) = look(&api).await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge of counts")]
        for (name, value) in [
            ("porchlight_inbox_waiting", seen.inbox),
            ("porchlight_outbox_queued", seen.of("queued")),
            ("porchlight_outbox_sending", seen.of("sending")),
            ("porchlight_outbox_unknown", seen.of("unknown")),
            ("porchlight_timer_late_milliseconds", seen.late_ms),
            ("porchlight_sending_paused", i64::from(seen.paused.is_some())),
        ] {
            metrics::gauge!(name).set(value as f64);
        }
    }
    match recorder() {
        Some(handle) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE, "metrics are recorded elsewhere in this process"),
    }
}

/// The recorder of this process, installed at the first call.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
