//! World stories: people who must not be let down, told on both databases.

#![expect(clippy::expect_used, reason = "a story that cannot go on has failed")]

#[path = "stories/ahead.rs"]
mod ahead;
#[path = "stories/appointments.rs"]
mod appointments;
#[path = "stories/clock.rs"]
mod clock;
#[path = "stories/copies.rs"]
mod copies;
#[path = "stories/crisis.rs"]
mod crisis;
#[path = "stories/delivery.rs"]
mod delivery;
#[path = "stories/ladder.rs"]
mod ladder;
#[path = "stories/nights.rs"]
mod nights;
#[expect(dead_code, reason = "only crash.rs lets the wire fall silent")]
#[path = "support/proxy.rs"]
mod proxy;
#[path = "stories/sharing.rs"]
mod sharing;
#[path = "stories/telegram.rs"]
mod telegram;
#[path = "stories/visits.rs"]
mod visits;
#[path = "stories/weights.rs"]
mod weights;
#[path = "stories/words.rs"]
mod words;
#[path = "support/world.rs"]
mod world;

/// Tells a story on both databases.
#[macro_export]
macro_rules! story {
    ($(#[$doc:meta])* $name:ident, $start:literal, |$world:ident| $body:block) => {
        $crate::story!($(#[$doc])* $name, $start, with [], |$world| $body);
    };
    ($(#[$doc:meta])* $name:ident, $start:literal, with [$($more:expr),*], |$world:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($world: $crate::world::World) -> $crate::world::World {
                $body
                $world
            }

            #[tokio::test]
            async fn on_sqlite() {
                let world = $crate::world::World::begin_with($crate::world::On::Sqlite, $start, &[$($more),*]).await;
                told(world).await.end().await;
            }

            #[tokio::test]
            async fn on_postgres() {
                let world = $crate::world::World::begin_with($crate::world::On::Postgres, $start, &[$($more),*]).await;
                told(world).await.end().await;
            }
        }
    };
}
