//! How many messages may be under way at once. Pure.
//!
//! What is claimed is to be sent soon, so that its decision is fresh and its lease holds; and there is to be enough of it that no
//! provider waits for the next claim. So the room follows the pace: a quarter of a second's worth, and never less than the
//! gateways' own places ask for.

use std::time::Duration;

use crate::clock::Time;

/// How much of the pace may be under way.
const AHEAD: f64 = 0.25;
/// Over what time the pace is measured.
const SPAN: Duration = Duration::from_millis(100);

/// The room of one worker.
#[derive(Debug)]
pub(super) struct Room {
    least: usize,
    all: usize,
    under_way: usize,
    since: Time,
    left: usize,
}

impl Room {
    /// Room for `least` messages, until it is seen that more go.
    pub(super) fn new(least: usize, now: Time) -> Room {
        Room { least, all: least, under_way: 0, since: now, left: 0 }
    }

    /// So many more are under way.
    pub(super) fn enter(&mut self, messages: usize) {
        self.under_way += messages;
    }

    /// So many have been answered.
    pub(super) fn leave(&mut self, messages: usize, now: Time) {
        self.under_way = self.under_way.saturating_sub(messages);
        self.left += messages;
        let span = now.since(self.since);
        if span >= SPAN {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of messages"
            )]
            let ahead = (self.left as f64 / span.as_secs_f64() * AHEAD) as usize;
            self.all = ahead.max(self.least);
            (self.since, self.left) = (now, 0);
        }
    }

    /// How many may be claimed.
    pub(super) fn free(&self) -> usize {
        self.all.saturating_sub(self.under_way)
    }

    /// Whether it is worth a claim.
    pub(super) fn is_half_free(&self) -> bool {
        self.free() > 0 && 2 * self.free() >= self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_grows_with_the_pace_and_shrinks_with_it() {
        let mut room = Room::new(256, Time(0));
        room.enter(256);
        assert_eq!((room.free(), room.is_half_free()), (0, false));
        room.leave(100, Time(50));
        assert_eq!(room.free(), 100, "a pace is not known yet");
        assert!(!room.is_half_free());
        room.leave(156, Time(100));
        assert_eq!(room.free(), 640, "2,560 a second: a quarter of a second's worth");
        room.enter(640);
        room.leave(10, Time(1100));
        assert_eq!((room.all, room.free()), (256, 0), "the provider has become slow");
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_changes_nothing() {
        let mut room = Room::new(4, Time(1_000));
        room.enter(4);
        room.leave(2, Time(1_000));
        room.leave(2, Time(0));
        assert_eq!(room.free(), 4);
    }
}
