//! Porchlight leaves a light on for patients who are hard to reach.
//!
//! The modules stand in the order in which data flows; ARCHITECTURE.md has the map, the two journeys and
//! the invariants.

pub mod app;
pub mod cli;
pub mod config;
pub mod sweep;

// ── going out ────────────────────────────────────────────────────────────────
pub mod protocol;
pub mod schedule;
// WHAT
pub mod compose;
pub mod policy;
// SEND
pub mod delivery;
pub mod gateway;

// ── coming in ────────────────────────────────────────────────────────────────
pub mod conversation;
pub mod inbound;
pub mod triage;
// PEOPLE WHO WAIT
pub mod escalation;
pub mod intake;

// ── for people ───────────────────────────────────────────────────────────────
pub mod api;
pub mod console;
pub mod demo;
pub mod operate;

// ── the ground ───────────────────────────────────────────────────────────────
pub mod clock;
pub mod document;
pub mod fault;
pub mod kit;
pub mod model;
pub mod random;
pub mod store;
pub mod zone;
