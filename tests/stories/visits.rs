//! Visits that are moved and cancelled by the clinic's own system.

use std::sync::Arc;

use futures_util::FutureExt;
use porchlight::clock::Clock;
use porchlight::intake::{Record, VisitCounts, VisitRecord, bring_in_visits};
use porchlight::model::Lang;
use porchlight::protocol::Settings;
use porchlight::store::Lane;

use crate::story;
use crate::world::{World, at, somebody};

async fn import(world: &World, starts: &str, cancelled: bool) -> VisitCounts {
    let visit = VisitRecord { visit_id: "V-60".into(), patient: "S-60".into(), starts: at(&world.zone, starts), cancelled };
    let (kit, zone, now) = (Arc::clone(&world.app.kit), world.zone.clone(), world.clock.now());
    let write =
        world.app.db.write(Lane::Work, move |tx| async move { bring_in_visits(tx, &kit, &[visit], &zone, now).await }.boxed());
    write.await.expect("the import")
}

fn pino() -> Record {
    Record { protocols: vec![("appointment-reminders".into(), Settings::default())], ..somebody(60, "Pino", Lang::It) }
}

story!(
    /// Booked, imported again, moved by a week: one reminder for each time that stands, none for the one that does not.
    a_moved_visit_takes_its_reminders_with_it,
    "2026-11-15 12:00",
    |world| {
        let pino = world.patient(pino()).await;
        assert_eq!(import(&world, "2026-11-19 14:00", false).await.booked, 1);
        assert_eq!(import(&world, "2026-11-19 14:00", false).await.unchanged, 1);
        world.run_until("2026-11-16 12:00").await;
        assert!(world.last(&pino).contains("19"), "{}", world.last(&pino));
        assert_eq!(import(&world, "2026-11-25 09:30", false).await.booked, 1);
        world.run_until("2026-11-24 12:00").await;
        let texts = world.texts(&pino);
        assert_eq!(texts.len(), 3, "T-3 of the first time, T-3 and T-1 of the second: {texts:?}");
        assert!(texts[1].contains("25") && texts[2].contains("25"), "{texts:?}");
    }
);

story!(
    /// Cancelled: nothing more. Booked again: reminded again.
    a_cancelled_visit_is_silent,
    "2026-11-15 12:00",
    |world| {
        let pino = world.patient(pino()).await;
        import(&world, "2026-11-19 14:00", false).await;
        assert_eq!(import(&world, "2026-11-19 14:00", true).await.cancelled, 1);
        world.run_until("2026-11-17 12:00").await;
        assert_eq!(world.texts(&pino).len(), 0);
        assert_eq!(import(&world, "2026-11-19 14:00", false).await.booked, 1);
        world.run_until("2026-11-18 12:00").await;
        assert_eq!(world.texts(&pino).len(), 1);
    }
);
