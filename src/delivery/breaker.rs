//! When a gateway is left alone for a while. Pure.
//!
//! A provider that hangs takes every place that it is given, for as long as a request may last; one that refuses takes every
//! message of a morning once round. After five bad answers in a row, or when nothing has been answered well for eight seconds
//! while something waited as long, nothing more is given to it. Later one message tries whether it is back.

use std::time::Duration;

use crate::clock::Time;
use crate::store::health::WELL;

/// So many bad answers in a row shut the gateway.
const BAD: u32 = 5;
/// An answer that takes longer is none.
const SLOW: Duration = Duration::from_secs(8);
/// How long the first rest is; it doubles each time.
const REST: Duration = Duration::from_secs(10);
/// A probe that was never sent, or is not answered in this time, is none.
const PROBE: Duration = Duration::from_secs(40);
/// The longest rest, and the one after a fault of our own.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// What an answer says about the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It works: it took the message, or said what is wrong with it.
    Well,
    /// It is busy, away, or nobody knows.
    Badly,
    /// It works and refuses us: every message would be refused.
    OurFault,
}

/// How a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// It takes messages.
    Well,
    /// It answers badly.
    Failing,
    /// It does not answer in time.
    Slow,
    /// It is set up wrongly and rests.
    Resting,
}

impl Condition {
    /// The word that is stored.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Condition::Well => WELL,
            Condition::Failing => "failing",
            Condition::Slow => "slow",
            Condition::Resting => "resting",
        }
    }
}

/// Whether a gateway is given messages now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// As many as there is room for.
    Open,
    /// One, to see whether it is back.
    Probe,
    /// None before this time.
    Shut(Time),
}

/// The breaker of one gateway.
#[derive(Debug)]
pub(super) struct Breaker {
    condition: Condition,
    since: Time,
    bad: u32,
    rests: u32,
    shut_at: Time,
    until: Time,
    /// Since when one message tries it out.
    probing: Option<Time>,
    last_well: Time,
}

impl Breaker {
    pub(super) fn new(now: Time) -> Breaker {
        Breaker {
            condition: Condition::Well,
            since: now,
            bad: 0,
            rests: 0,
            shut_at: now,
            until: now,
            probing: None,
            last_well: now,
        }
    }

    /// How it is, and since when.
    pub(super) fn condition(&self) -> (Condition, Time) {
        (self.condition, self.since)
    }

    /// When it is tried again, if it is shut.
    pub(super) fn until(&self) -> Option<Time> {
        (self.condition != Condition::Well).then_some(self.until)
    }

    pub(super) fn gate(&self, now: Time) -> Gate {
        match self.condition {
            Condition::Well => Gate::Open,
            // Also where the clock went back: what it says of the end of the rest is no longer true.
            _ if (now >= self.until || now < self.shut_at) && !self.is_probed(now) => Gate::Probe,
            _ => Gate::Shut(self.until.max(now.plus(Duration::from_secs(1))).min(now.plus(LONGEST))),
        }
    }

    /// A probe is on its way.
    pub(super) fn probe(&mut self, now: Time) {
        self.probing = Some(now);
    }

    fn is_probed(&self, now: Time) -> bool {
        self.probing.is_some_and(|since| since <= now && now.since(since) < PROBE)
    }

    /// An answer came.
    pub(super) fn told(&mut self, told: Told, now: Time) {
        match told {
            Told::Well if self.condition == Condition::Well || self.probing.is_some() => {
                if self.condition != Condition::Well {
                    (self.condition, self.since) = (Condition::Well, now);
                }
                (self.bad, self.rests, self.probing, self.last_well) = (0, 0, None, now);
            }
            // What was under way when it was shut says nothing of now.
            Told::Well => {}
            Told::Badly => {
                self.bad += 1;
                if self.probing.is_some() || (self.condition == Condition::Well && self.bad >= BAD) {
                    let as_before = if self.condition == Condition::Well { Condition::Failing } else { self.condition };
                    self.shut(as_before, now);
                }
            }
            Told::OurFault => {
                if self.probing.is_some() || self.condition == Condition::Well {
                    self.shut(Condition::Resting, now);
                    self.until = now.plus(LONGEST);
                }
            }
        }
    }

    /// Time passed, with `oldest` under way since then. Gives whether that shut it.
    pub(super) fn look(&mut self, oldest: Option<Time>, now: Time) -> bool {
        let slow = oldest.is_some_and(|begun| now.since(begun) >= SLOW) && now.since(self.last_well) >= SLOW;
        if slow && self.condition == Condition::Well {
            self.shut(Condition::Slow, now);
            return true;
        }
        false
    }

    fn shut(&mut self, condition: Condition, now: Time) {
        if self.condition != condition {
            (self.condition, self.since) = (condition, now);
        }
        self.shut_at = now;
        self.until = now.plus(REST.saturating_mul(1 << self.rests.min(8)).min(LONGEST));
        self.rests += 1;
        self.probing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time(seconds * 1000)
    }

    #[test]
    fn five_bad_answers_shut_it_and_a_good_one_opens_it_again() {
        let mut breaker = Breaker::new(at(0));
        for second in 0..4 {
            breaker.told(Told::Badly, at(second));
        }
        breaker.told(Told::Well, at(4));
        for second in 5..9 {
            breaker.told(Told::Badly, at(second));
            assert_eq!(breaker.gate(at(second)), Gate::Open, "a good one in between counts anew");
        }
        breaker.told(Told::Badly, at(9));
        assert_eq!(breaker.gate(at(9)), Gate::Shut(at(19)));
        breaker.told(Told::Well, at(10));
        assert_eq!(breaker.condition(), (Condition::Failing, at(9)), "what was under way says nothing");
        assert_eq!(breaker.gate(at(19)), Gate::Probe);
        breaker.probe(at(19));
        assert_eq!(breaker.gate(at(19)), Gate::Shut(at(20)), "one at a time");
        breaker.told(Told::Badly, at(21));
        assert_eq!(breaker.gate(at(21)), Gate::Shut(at(41)), "a longer rest");
        assert_eq!(breaker.gate(at(41)), Gate::Probe);
        breaker.probe(at(41));
        assert_eq!(breaker.gate(at(81)), Gate::Probe, "a probe that was lost is none");
        breaker.told(Told::Well, at(42));
        assert_eq!((breaker.gate(at(42)), breaker.condition()), (Gate::Open, (Condition::Well, at(42))));
    }

    #[test]
    fn a_provider_that_hangs_is_shut_within_ten_seconds_and_a_slow_one_that_answers_is_not() {
        let mut breaker = Breaker::new(at(0));
        assert!(!breaker.look(Some(at(0)), at(7)));
        assert!(breaker.look(Some(at(0)), at(8)));
        assert_eq!(breaker.condition(), (Condition::Slow, at(8)));
        let mut breaker = Breaker::new(at(0));
        breaker.told(Told::Well, at(5));
        assert!(!breaker.look(Some(at(0)), at(9)), "others are answered");
        assert!(!breaker.look(None, at(60)), "nothing waits");
    }

    #[test]
    fn a_clock_that_goes_back_keeps_nothing_shut() {
        let mut breaker = Breaker::new(at(0));
        for _ in 0..5 {
            breaker.told(Told::Badly, at(300));
        }
        assert_eq!(breaker.gate(at(301)), Gate::Shut(at(310)));
        assert_eq!(breaker.gate(at(60)), Gate::Probe);
    }

    #[test]
    fn a_fault_of_our_own_rests_for_minutes_at_once() {
        let mut breaker = Breaker::new(at(0));
        breaker.told(Told::OurFault, at(1));
        assert_eq!((breaker.condition().0, breaker.gate(at(2))), (Condition::Resting, Gate::Shut(at(301))));
        breaker.told(Told::Badly, at(3));
        assert_eq!(breaker.until(), Some(at(301)), "what was under way does not shorten it");
    }
}
