//! The composition root: builds everything, starts the loops, stops them cleanly.
//!
//! Only this module starts tasks, so that all of them end with it.

mod key;
mod loops;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Api};
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::console::Console;
use crate::conversation::SiteWords;
use crate::delivery::{Gateways, Worker};
use crate::document::Faults;
use crate::fault;
use crate::gateway::Gateway;
use crate::inbound::{Desk, Listener, Receiver};
use crate::kit::{DeliveryRules, FINGERPRINT, Kit, Parts, SITE, fingerprint};
use crate::model::IdSource;
use crate::random::Dice;
use crate::store::sites::Site;
use crate::store::{Db, Lane, StoreError, enrolments, health, nodes, pace, pause, sites, timers};
use crate::sweep::Sweeper;

use loops::Loops;

/// How long a node number is leased, and how often the lease is renewed.
const NODE_LEASE: Duration = Duration::from_secs(60);
/// How long it is kept when something was last written to an address.
const PACES_KEPT: Duration = Duration::from_secs(60 * 60);
const NODE_RENEW: Duration = Duration::from_secs(15);
/// Polling stands behind every wake-up.
const POLL: Duration = Duration::from_millis(250);

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Serves pages and callbacks, and works.
    All,
    /// Serves pages and callbacks only.
    Web,
    /// Works only.
    Worker,
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(s: &str) -> Result<Role, String> {
        match s {
            "all" => Ok(Role::All),
            "web" => Ok(Role::Web),
            "worker" => Ok(Role::Worker),
            other => Err(format!("`{other}` is no role: use all, web or worker")),
        }
    }
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something that people wrote is wrong.
    #[error("{0}")]
    Faults(#[from] Faults),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The key of the address hash.
    #[error(
        "the key file {file} cannot be used ({why}): give the service a folder that it may write to, or set PORCHLIGHT_SECURITY_KEY"
    )]
    Key {
        /// Which file.
        file: String,
        /// What the system said.
        why: String,
    },
    /// Another key than the database's.
    #[error(
        "this database was made with another security key: give the service that one (security.key, security.key_file or \
         PORCHLIGHT_SECURITY_KEY), or no reply would be known as a patient's"
    )]
    WrongKey,
    /// The address to serve at.
    #[error("cannot listen on {address} ({why}): stop what uses it, or choose another with server.listen")]
    Listen {
        /// Which.
        address: String,
        /// What the system said.
        why: String,
    },
}

/// The service, built and not yet working.
#[derive(Debug, Clone)]
pub struct App {
    /// What every worker needs.
    pub kit: Arc<Kit>,
    /// The database.
    pub db: Db,
    /// The ways out and in.
    pub ways: Arc<Gateways>,
    /// Stores what comes in.
    pub receiver: Receiver,
    /// Sends what is queued.
    pub worker: Worker,
    /// Works the inbox.
    pub desk: Desk,
    /// Works the timers.
    pub sweeper: Sweeper,
    /// Wakes the sender.
    pub wake_outbox: Arc<Notify>,
    /// Wakes the desk.
    pub wake_inbox: Arc<Notify>,
    /// Rises whenever a page may have to change.
    pub news: watch::Sender<u64>,
    /// Ends every loop.
    pub stop: CancellationToken,
    loops: Loops,
    stores: TaskTracker,
    secure_cookies: bool,
}

impl App {
    /// Opens the database and builds the service. `more` makes gateways besides the configured ones.
    ///
    /// # Errors
    /// When the database cannot be used, or a text or rule is wrong.
    pub async fn build(
        config: Config,
        clock: Arc<dyn Clock>,
        dice: Dice,
        more: impl FnOnce(&Arc<dyn Clock>, &Arc<IdSource>) -> Vec<Gateway>,
    ) -> Result<App, StartError> {
        let owner = dice.token();
        let (loops, stores) = (Loops::default(), TaskTracker::new());
        let (db, writer) = Db::open(&config.database).await?;
        stores.spawn(loops.watched(writer));
        let (known, restored) = {
            let mut tx = db.read().await?;
            (sites::get(&mut tx, FINGERPRINT).await?, pause::restored(&mut tx).await?)
        };
        let key = key::key(&config.key, &dice, known.is_some())?;
        let fingerprint = fingerprint(&key);
        fault::point("start.key");

        let (node, floor) = lease_node(&db, &owner, &clock).await?;
        fault::point("node.leased");
        let ids = Arc::new(IdSource::new(node, floor.max(clock.machine()).max(restored.unwrap_or(Time(0)))));
        let mut gateways = config.gateways;
        gateways.extend(more(&clock, &ids));
        let ways = Arc::new(Gateways::new(gateways, clock.machine()));
        let parts = Parts {
            dice,
            hours: config.site.hours.clone(),
            site: SiteWords {
                clinic: config.site.sender.clone(),
                phone: config.site.phone.clone(),
                emergency: config.site.emergency_number.clone(),
                lifeline: config.site.lifeline_number.clone(),
            },
            window: config.window,
            delivery: DeliveryRules {
                batch: config.delivery.batch,
                lease: config.delivery.lease,
                doubt: config.delivery.doubt,
                crisis_receipt: config.delivery.crisis_receipt,
                receipt: config.delivery.receipt,
            },
            key,
            restored,
        };
        let kit = Arc::new(Kit::new(clock, ids, owner, parts)?);
        crate::protocol::check_texts(&kit.catalogue, &config.protocols)?;
        keep_key(&db, fingerprint, known).await?;
        keep_site(&db, &kit, &config.site).await?;
        keep_protocols(&db, &kit, config.protocols).await?;
        fault::point("start.kept");

        let wake_outbox = Arc::new(Notify::new());
        let wake_inbox = Arc::new(Notify::new());
        let (receiver, storing) = Receiver::new(Arc::clone(&kit), db.clone(), &config.country, Arc::clone(&wake_inbox));
        stores.spawn(loops.watched(storing));
        Ok(App {
            worker: Worker::new(Arc::clone(&kit), db.clone(), Arc::clone(&ways)),
            desk: Desk::new(Arc::clone(&kit), db.clone(), receiver.coming()),
            sweeper: Sweeper::new(Arc::clone(&kit), db.clone()),
            kit,
            db,
            ways,
            receiver,
            wake_outbox,
            wake_inbox,
            news: watch::Sender::new(0),
            stop: loops.stop.clone(),
            loops,
            stores,
            secure_cookies: config.secure_cookies,
        })
    }

    /// The routes of the machine interface and the console.
    pub fn router(&self) -> Router {
        let api = Api {
            db: self.db.clone(),
            ways: Arc::clone(&self.ways),
            receiver: self.receiver.clone(),
            kit: Arc::clone(&self.kit),
        };
        api::router(api).merge(crate::console::router(self.console()))
    }

    /// What the console works with.
    #[must_use]
    pub fn console(&self) -> Console {
        Console {
            kit: Arc::clone(&self.kit),
            db: self.db.clone(),
            ways: Arc::clone(&self.ways),
            wake: Arc::clone(&self.wake_outbox),
            news: self.news.subscribe(),
            tell: self.news.clone(),
            secure_cookies: self.secure_cookies,
            stop: self.stop.clone(),
        }
    }

    /// Starts the loops of a role.
    pub fn work(&self, role: Role) {
        let app = self.clone();
        self.loops.start(async move { app.keep_node().await });
        let app = self.clone();
        self.loops.start(async move { app.listen_for_others().await });
        for bot in self.ways.bots() {
            self.loops.start(Arc::clone(bot).tidy(self.stop.clone()));
        }
        if role == Role::Web {
            return;
        }
        for listener in self.listeners() {
            self.loops.start(listener.run(self.stop.clone()));
        }
        let app = self.clone();
        self.loops.start(async move { app.work_inbox().await });
        let app = self.clone();
        self.loops.start(async move { app.work_timers().await });
        self.loops.start(self.worker.clone().run(Arc::clone(&self.wake_outbox), self.stop.clone()));
    }

    /// Who listens to each bot.
    pub fn listeners(&self) -> impl Iterator<Item = Listener> {
        let listener = |bot| Listener::new(Arc::clone(&self.kit), self.db.clone(), self.receiver.clone(), Arc::clone(bot));
        self.ways.bots().map(listener)
    }

    /// Starts one more loop, which must end when [`App::stop`] is cancelled. One that ends before that stops the service.
    pub fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.loops.start(task);
    }

    /// Serves `router` until told to stop.
    ///
    /// # Errors
    /// When serving breaks off.
    pub async fn serve(&self, listener: TcpListener, router: Router) -> std::io::Result<()> {
        let stop = self.stop.clone();
        axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
    }

    /// Stops: what is under way ends, what is queued stays durable, the node number is given back. Gives whether it ends in peace:
    /// `false` if a loop broke off, so that the service must be started again.
    pub async fn shut_down(self) -> bool {
        self.stop.cancel();
        fault::point("stop.begun");
        let (kit, db) = (Arc::clone(&self.kit), self.db.clone());
        let (loops, stores) = (self.loops.clone(), self.stores.clone());
        // Everything else of the app goes here: the loops hold the last handles.
        drop(self);
        loops.ended().await;
        fault::point("stop.drained");
        let (owner, node) = (kit.owner.clone(), kit.ids.node());
        let released = db.write(Lane::Work, move |tx| async move { nodes::release(tx, node, &owner).await }.boxed()).await;
        if let Err(e) = released {
            tracing::warn!(error = %e, "the node number could not be given back; it is free again in a minute");
        }
        fault::point("stop.released");
        let pools = db.last();
        stores.close();
        stores.wait().await;
        pools.close().await;
        loops.in_peace()
    }

    async fn keep_node(&self) {
        let (owner, node) = (self.kit.owner.clone(), self.kit.ids.node());
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(NODE_RENEW) => {}
            }
            let (owner, kit) = (owner.clone(), Arc::clone(&self.kit));
            let renewed = self.db.write(Lane::Work, move |tx| {
                async move {
                    let machine = kit.shared_machine(tx).await?;
                    health::forget(tx, machine).await?;
                    pace::forget(tx, machine.minus(PACES_KEPT).0.saturating_mul(1000)).await?;
                    nodes::renew(tx, node, &owner, machine.plus(NODE_LEASE)).await
                }
                .boxed()
            });
            match renewed.await {
                Ok(true) => {}
                Ok(false) => {
                    self.loops.break_off("the node number was taken by another process: stopping, so that no id is made twice");
                }
                Err(e) => tracing::warn!(error = %e, "the node number could not be renewed; trying again"),
            }
        }
    }

    /// Wakes the loops of this process when another one has stored or planned something.
    async fn listen_for_others(&self) {
        while !self.stop.is_cancelled() {
            match self.db.bell().await {
                Ok(None) => self.stop.cancelled().await,
                Ok(Some(mut bell)) => loop {
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        rung = bell.rung() => if rung.is_err() { break },
                    }
                    self.wake_inbox.notify_one();
                    self.wake_outbox.notify_one();
                    self.news.send_modify(|n| *n += 1);
                },
                Err(e) => tracing::warn!(error = %e, "other processes cannot be heard; looking for work by the clock"),
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn work_inbox(&self) {
        while !self.stop.is_cancelled() {
            let worked = self.desk.tick().await;
            self.after(&worked, "the inbox could not be worked; trying again");
            if matches!(worked, Ok(n) if n > 0) {
                self.wake_outbox.notify_one();
                continue;
            }
            let rest = if worked.is_err() { Duration::from_secs(1) } else { POLL };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.wake_inbox.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    async fn work_timers(&self) {
        while !self.stop.is_cancelled() {
            let worked = self.sweeper.tick().await;
            self.after(&worked, "the timers could not be worked; trying again");
            if matches!(worked, Ok(n) if n > 0) {
                self.wake_outbox.notify_one();
                continue;
            }
            // Sped up, domain time passes in a fraction of a poll.
            let poll = if self.kit.clock.speed() > 1.0 { Duration::from_millis(40) } else { POLL };
            let rest = if worked.is_err() { Duration::from_secs(1) } else { poll };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    fn after(&self, worked: &Result<usize, StoreError>, trouble: &str) {
        match worked {
            Ok(0) => {}
            Ok(_) => self.news.send_modify(|n| *n += 1),
            Err(e) => tracing::warn!(error = %e, "{trouble}"),
        }
    }
}

async fn lease_node(db: &Db, owner: &str, clock: &Arc<dyn Clock>) -> Result<(i64, Time), StoreError> {
    for _ in 0..16 {
        let owner = owner.to_owned();
        let leased = db
            .write(Lane::Work, {
                let clock = Arc::clone(clock);
                move |tx| {
                    async move {
                        let own = clock.machine();
                        let machine = if clock.is_real() { tx.machine_time(own).await? } else { own };
                        nodes::lease(tx, &owner, machine, machine.plus(NODE_LEASE)).await
                    }
                    .boxed()
                }
            })
            .await;
        match leased {
            // Another process took the same number in the same moment: the next free one.
            Err(StoreError::Conflict) => {}
            other => return other,
        }
    }
    Err(StoreError::Conflict)
}

/// Writes the site as it is configured.
async fn keep_site(db: &Db, kit: &Arc<Kit>, site: &crate::config::Site) -> Result<(), StoreError> {
    let row = Site {
        id: SITE.0,
        name: site.name.clone(),
        sender: site.sender.clone(),
        phone: site.phone.clone(),
        zone: site.zone.name().to_owned(),
        jurisdiction: site.jurisdiction.clone(),
        hours: site.hours_text.clone(),
        emergency_number: site.emergency_number.clone(),
        lifeline_number: site.lifeline_number.clone(),
    };
    let (closed, now) = (site.closed.clone(), kit.now());
    db.write(Lane::Work, move |tx| {
        async move {
            sites::put(tx, &row, now).await?;
            sites::close_on(tx, SITE, &closed).await
        }
        .boxed()
    })
    .await
}

/// Keeps the texts of the current protocols, and learns those that running enrolments still use.
async fn keep_protocols(db: &Db, kit: &Arc<Kit>, current: Vec<crate::protocol::Protocol>) -> Result<(), StartError> {
    let now = kit.now();
    let texts: Vec<_> =
        current.iter().map(|p| (p.hash.clone(), p.id.clone(), p.version, p.title.clone(), p.text.clone())).collect();
    let stored = db
        .write(Lane::Work, move |tx| {
            async move {
                for (hash, id, version, title, text) in &texts {
                    enrolments::put_protocol(tx, hash, id, *version, title, text, now).await?;
                }
                enrolments::protocols(tx).await
            }
            .boxed()
        })
        .await?;
    for (hash, id, text) in stored {
        if !current.iter().any(|p| p.hash == hash) {
            let file = format!("database, protocol {id} {}", &hash[..hash.len().min(8)]);
            kit.protocols.add(crate::protocol::Protocol::parse(&file, &text)?, false);
        }
    }
    for protocol in current {
        kit.protocols.add(protocol, true);
    }
    Ok(())
}

/// Compares the key with the one that the database's addresses were hashed with; keeps its fingerprint at the first start.
async fn keep_key(db: &Db, fingerprint: String, known: Option<String>) -> Result<(), StartError> {
    match known {
        Some(known) if known == fingerprint => Ok(()),
        Some(_) => Err(StartError::WrongKey),
        None => {
            db.write(Lane::Work, move |tx| async move { sites::set(tx, FINGERPRINT, &fingerprint).await }.boxed()).await?;
            Ok(())
        }
    }
}

/// Opens the address to serve at.
///
/// # Errors
/// When it is taken or not allowed.
pub async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|e| StartError::Listen { address: address.to_string(), why: e.to_string() })
}

/// When something is due next, as far as the database knows (domain time for timers, machine time for the outbox).
///
/// # Errors
/// When the database cannot be read.
pub async fn next_due(db: &Db) -> Result<Option<Time>, StoreError> {
    let mut tx = db.read().await?;
    let timer = timers::next_due(&mut tx).await?;
    let queued = crate::store::messages::next_ready(&mut tx).await?;
    Ok(timer.into_iter().chain(queued).min())
}
